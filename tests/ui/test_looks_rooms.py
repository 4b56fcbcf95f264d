"""What the AI shows, and how it is hidden, found and taken along: peaks, hold, fill, pictures."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit

from viewer.ui import scaling, theme
from viewer.ui.picture import ai_state, research_notice, take
from viewer.ui.picture_dialog import PictureDialog
from viewer.ui.preferences import Preferences, settings
from viewer.ui.settings_dialog import SettingsDialog

from .conftest import settle
from .test_review import key
from .test_theme import pixels

Q = Qt.Key.Key_Q


@pytest.fixture(autouse=True)
def dark_again(qapp):
    yield
    theme.apply_theme(qapp, "dark")


def press(window, kind, *, repeat=False):
    """Press or release Q in the first view, as a keyboard does."""
    view = window.views.views[0]
    if kind == "press":
        QTest.keyPress(view, Q)
    else:
        event = QKeyEvent(
            QEvent.Type.KeyRelease, Q.value, Qt.KeyboardModifier.NoModifier, "q", repeat
        )
        QApplication.sendEvent(view, event)
    settle(window)


# ------------------------------------------------------------------- hold to hide


def test_everything_of_the_ai_is_hidden_while_the_key_is_down(reviewed):
    reviewed.activateWindow()
    reviewed.views.hold_focus()
    reviewed.reading.show(heatmap=True)
    settle(reviewed)
    before = [pixels(view) for view in reviewed.views.views]
    press(reviewed, "press")
    assert reviewed.reading.ai_hidden
    assert reviewed.reading.lesions == ()
    assert reviewed.panel.list.count() == 0
    for view in reviewed.views.views:
        assert not view.overlay.marks
        assert not view.overlay._lines
        assert view.overlay.heat() is None
        assert not view.overlay.shows_ai
    press(reviewed, "release", repeat=True)  # a key that is held repeats
    assert reviewed.reading.ai_hidden
    press(reviewed, "release")
    assert not reviewed.reading.ai_hidden
    assert reviewed.panel.list.count() == len(reviewed.reading.lesions) > 0
    for view, was in zip(reviewed.views.views, before, strict=True):
        assert np.array_equal(pixels(view), was)


def test_the_key_never_sticks(reviewed, phantom_folder, qtbot):
    reviewed.activateWindow()
    reviewed.views.hold_focus()
    press(reviewed, "press")
    assert reviewed.reading.ai_hidden
    QApplication.sendEvent(reviewed, QEvent(QEvent.Type.WindowDeactivate))
    assert not reviewed.reading.ai_hidden
    press(reviewed, "press")
    assert reviewed.reading.ai_hidden
    with qtbot.waitSignal(reviewed.opener.opened, timeout=20_000):
        reviewed.open_paths([phantom_folder])
    settle(reviewed)
    # Let go over whatever has the keyboard now.
    field = QLineEdit(reviewed)
    event = QKeyEvent(QEvent.Type.KeyRelease, Q.value, Qt.KeyboardModifier.NoModifier, "q")
    QApplication.sendEvent(field, event)
    assert not reviewed.reading.ai_hidden


def test_another_key_hides_when_the_reader_wants_so(reviewed):
    reviewed.reading.keys.put("hold_ai", ["Ctrl+Shift+Y"])
    reviewed.activateWindow()
    reviewed.views.hold_focus()
    view = reviewed.views.views[0]
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyPress(view, Qt.Key.Key_Y, modifiers)
    assert reviewed.reading.ai_hidden
    QTest.keyRelease(view, Qt.Key.Key_Y)  # Ctrl and Shift may be up before
    assert not reviewed.reading.ai_hidden
    press(reviewed, "press")
    assert not reviewed.reading.ai_hidden
    press(reviewed, "release")


# ------------------------------------------------------------------------- peaks


def test_peaks_of_the_heatmap_one_after_the_other(reviewed, qtbot):
    peaks = reviewed.looks.peaks
    assert not reviewed.reading.shown.heatmap
    with qtbot.waitSignal(peaks.told, timeout=5000):
        reviewed.actions_by_id["next_peak"].trigger()
    assert reviewed.reading.shown.heatmap
    count = len(peaks._peaks)
    assert count == len({x.id for x in reviewed.reading.case.document.findings.detections})
    assert peaks.text == f"Peak 1 of {count} · p 0.90"
    assert reviewed.panel.heatmap._peak.text() == peaks.text
    seen = []
    for _ in range(count + 1):
        k, j, i = (round(v) for v in reviewed.reading.cursor_kji())
        assert reviewed.reading.case.document.findings.heatmap.values[k, j, i] == 230
        seen.append((k, j, i))
        reviewed.actions_by_id["next_peak"].trigger()
    assert len(set(seen)) == count
    assert seen[0] == seen[-1]  # after the last one comes the first


def test_no_peaks_above_the_threshold_and_none_when_hidden(reviewed, qtbot):
    reviewed.reading.show(heat_floor=0.95, heatmap=True)
    with qtbot.waitSignal(reviewed.looks.peaks.told, timeout=5000) as told:
        reviewed.actions_by_id["next_peak"].trigger()
    assert "threshold" in told.args[0]
    reviewed.reading.show(ai_held_back=True)
    settle(reviewed)
    assert not reviewed.actions_by_id["next_peak"].isEnabled()
    assert "hidden" in reviewed.actions_by_id["next_peak"].toolTip()
    reviewed.reading.show(ai_held_back=False, heat_floor=0.1)
    settle(reviewed)
    assert reviewed.actions_by_id["next_peak"].isEnabled()


def test_without_a_run_the_buttons_say_why(opened):
    for name in ("next_peak", "hold_ai"):
        assert not opened.actions_by_id[name].isEnabled()
        assert "Run the model first." in opened.actions_by_id[name].toolTip()


@pytest.mark.parametrize("palette", ["viridis", "hot_iron", "pet_20_step"])
def test_the_palette_of_the_settings_is_that_of_the_map(reviewed, palette):
    from viewer.display.palettes import colours

    reviewed.reading.show(heatmap=True, heat_opacity=1.0, masks=False)
    reviewed.reading.preferences.put("heat_palette", palette)
    settle(reviewed)
    heat = reviewed.views.views[0].overlay.heat()
    assert heat.palette == palette
    red, green, blue = (int(c) for c in colours(palette)[230])
    found = pixels(reviewed.views.views[0])[..., :3]
    away = np.abs(found.astype(int) - (blue, green, red)).max(axis=-1)
    assert (away <= 3).sum() > 20


# ------------------------------------------------------------------------ outlines


def test_outlines_are_filled_as_far_as_the_slider_says(reviewed):
    section = reviewed.panel.segments
    assert section._fill.value() == 0
    section._fill.setValue(30)
    settle(reviewed)
    assert reviewed.reading.shown.fill
    fills = reviewed.views.views[0].overlay.fills()
    assert fills
    assert {fill.opacity for fill in fills} == {0.3}
    assert section._fill.maximum() == 30
    section._fill.setValue(0)
    assert not reviewed.reading.shown.fill
    key(reviewed, "F")
    assert section._fill.value() == 30  # F brings back what it was


def test_findings_and_segments_are_shown_one_by_one(reviewed):
    section = reviewed.panel.segments
    assert set(section._by_id) == {"s-right", "s-left"}
    section._by_id["s-left"].eye.click()
    assert reviewed.reading.visible_segments == {"s-left"}
    section._findings.eye.click()
    settle(reviewed)
    assert not reviewed.reading.shown.masks
    assert not section._findings.eye.isChecked()
    section._findings.eye.click()
    assert reviewed.reading.shown.masks


# ------------------------------------------------------------- not reviewed, pictures


def test_every_view_says_that_its_result_is_not_reviewed(reviewed, monkeypatch):
    from viewer.ui import view_notices
    from viewer.ui.standing import Standing

    told = {}

    def note(painter, width, y, parts, *, pending):
        told.setdefault(width, []).append((tuple(parts), pending))
        return y

    def afresh(view):
        view.standing = Standing()  # what stands still is kept else
        view.overlay.shows_ai = True
        view.grab()

    monkeypatch.setattr(view_notices, "chip", note)
    for view in reviewed.views.views:
        told.clear()
        afresh(view)
        (said, pending), *_ = told[view.width()]
        assert "not reviewed" in said
        assert pending
    reviewed.views.toggle_enlarged(reviewed.views.views[1].plane.name)
    settle(reviewed)
    told.clear()
    view = reviewed.views.views[1]
    afresh(view)
    assert any("AI scripted 0" in said and "not reviewed" in said for said, _ in told[view.width()])
    for lesion in reviewed.reading.lesions:
        reviewed.reading.select(lesion.id)
        key(reviewed, "A")
    told.clear()
    afresh(view)
    assert any("reviewed" in said and not pending for said, pending in told[view.width()])


def test_a_picture_has_the_banner_and_not_the_patient(reviewed, monkeypatch):
    written = []
    from viewer.ui import view_corners

    whole = view_corners._patient_lines

    def lines(view):
        written.append(view)
        return whole(view)

    monkeypatch.setattr(view_corners, "_patient_lines", lines)
    views = reviewed.views
    before = pixels(views)
    written.clear()
    without = take(views, reviewed.reading, patient=False)
    assert not written
    assert not reviewed.reading.shown.patient_hidden
    take(views, reviewed.reading, patient=True)
    assert written
    assert without.width() == views.grab().toImage().width()
    banner = without.height() - views.grab().toImage().height()
    assert banner > 20
    strip = without.copy(0, without.height() - banner, without.width(), banner)
    rows = np.frombuffer(strip.constBits(), np.uint8).reshape(banner, strip.width(), 4)
    amber = np.abs(rows[..., :3].astype(int) - (0x4A, 0xC0, 0xF0)).max(axis=-1) < 40
    assert amber[:, : strip.width() // 3].any()  # not reviewed, at the left
    assert amber[:, 2 * strip.width() // 3 :].any()  # research use, at the right
    settle(reviewed)
    assert np.array_equal(pixels(views), before)
    said, pending = ai_state(reviewed.reading.case, hidden=False)
    total = reviewed.reading.case.progress[1]
    assert said == f"AI scripted 0 · not reviewed · 0 of {total}"
    assert pending
    assert "Not for diagnosis" in research_notice()


def test_with_hidden_text_no_picture_brings_it_back(reviewed, monkeypatch):
    from viewer.ui import view_corners

    written = []
    monkeypatch.setattr(view_corners, "_patient_lines", lambda view: written.append(view) or [])
    reviewed.actions_by_id["hide_patient"].trigger()
    take(reviewed.views, reviewed.reading, patient=True)
    assert not written
    dialog = PictureDialog(reviewed.looks.pictures, reviewed.reading, reviewed)
    assert not dialog._patient.isEnabled()
    assert not dialog.patient
    dialog.deleteLater()


def test_a_picture_is_saved_under_a_name_that_tells_nothing(reviewed, tmp_path, qtbot):
    pictures = reviewed.looks.pictures
    patient = reviewed.reading.case.series.patient
    name = pictures.name()
    assert name.startswith(f"overread-{reviewed.reading.case.key[:8]}-")
    assert patient.id not in name
    image = pictures.picture("all", patient=False)
    with qtbot.waitSignal(pictures.save(image, tmp_path / name).ended, timeout=5000):
        pass
    read = QImage(str(tmp_path / name))
    assert read.size() == image.size()
    assert read.pixel(5, 5) == image.pixel(5, 5)
    assert list(tmp_path.iterdir()) == [tmp_path / name]
    assert patient.id.encode() not in (tmp_path / name).read_bytes()
    assert not read.textKeys()


def test_a_picture_that_cannot_be_written_says_so(reviewed, tmp_path, qtbot):
    pictures = reviewed.looks.pictures
    nowhere = tmp_path / "gone" / "x.png"
    with qtbot.waitSignal(
        pictures.save(pictures.picture("", patient=False), nowhere).ended, timeout=5000
    ):
        pass
    settle(reviewed)
    assert "could not be written" in reviewed.message.text


def test_the_active_view_is_copied(reviewed):
    reviewed.actions_by_id["copy_picture"].trigger()
    copied = QGuiApplication.clipboard().image()
    assert copied.width() == reviewed.views.active.grab().toImage().width()
    assert "without" in reviewed.status._text.text()


def test_the_patients_text_is_hidden_everywhere(reviewed):
    series = reviewed.reading.case.series
    page = reviewed.empty.page
    study = page.model.index(0).data(page.model.STUDY)
    role = int(Qt.ItemDataRole.AccessibleTextRole)
    patient = series.patient
    assert patient.id in page.model.index(0).data(role) or study.patient_name
    shown = pixels(reviewed.views.views[0])
    for _ in range(2):  # the second time as the first
        reviewed.actions_by_id["hide_patient"].trigger()
        settle(reviewed)
        texts = [
            page.model.index(0).data(role),
            str(page.model.index(0).data(int(Qt.ItemDataRole.ToolTipRole))),
            reviewed.rail._cards[0].accessibleName(),
            reviewed.rail._cards[0].toolTip(),
            reviewed.windowTitle(),
        ]
        for text in texts:
            for secret in (patient.id, study.patient_name, series.description):
                assert not secret or secret not in text, text
        assert not np.array_equal(pixels(reviewed.views.views[0]), shown)
        reviewed.actions_by_id["hide_patient"].trigger()
        settle(reviewed)
        assert np.array_equal(pixels(reviewed.views.views[0]), shown)
    assert series.description in reviewed.rail._cards[0].accessibleName()


# ------------------------------------------------------------------------- settings


def test_every_setting_has_a_row_and_is_kept_at_once(reviewed):
    preferences = reviewed.reading.preferences
    dialog = SettingsDialog(preferences, lambda: None, reviewed)
    assert set(dialog.controls) == {row.key for row in settings()}
    for row in settings():
        control = dialog.controls[row.key]
        if isinstance(control, QComboBox):
            if row.key == "interface_size":
                continue
            other = next(v for v, _ in row.choices if v != preferences.choice(row.key))
            control.setCurrentIndex(control.findData(other))
            control.activated.emit(control.currentIndex())
            assert preferences.choice(row.key) == other
            assert reviewed.settings.text(row.key) == other
        else:
            was = preferences.on(row.key)
            control.click()
            assert preferences.on(row.key) is not was
        again = Preferences(reviewed.settings)
        assert again.choice(row.key) == preferences.choice(row.key)
        preferences.put(row.key, row.default)  # the dialog follows what others set
        if isinstance(control, QComboBox):
            assert control.currentData() == row.default
        else:
            assert control.isChecked() == preferences.on(row.key)
    dialog.deleteLater()


def test_a_value_of_another_version_is_the_default(reviewed):
    reviewed.settings.put("theme", "sepia")
    assert Preferences(reviewed.settings).choice("theme") == "dark"
    with pytest.raises(ValueError, match="sepia"):
        reviewed.reading.preferences.put("theme", "sepia")


def test_the_size_counts_from_the_next_start_and_what_the_system_sets_holds(monkeypatch):
    monkeypatch.setattr(scaling, "_ours", 100)
    monkeypatch.delenv("QT_SCALE_FACTOR", raising=False)
    scaling.take_up("100")
    assert "QT_SCALE_FACTOR" not in scaling.os.environ
    scaling.take_up("175")
    assert scaling.os.environ["QT_SCALE_FACTOR"] == "1.75"
    scaling.take_up("250")
    assert scaling.os.environ["QT_SCALE_FACTOR"] == "1.75"
    monkeypatch.delenv("QT_SCALE_FACTOR")


def test_no_size_is_offered_that_leaves_no_room(window, monkeypatch):
    class Screen:
        def __init__(self, width, height):
            from PySide6.QtCore import QSize

            self._size = QSize(width, height)

        def availableSize(self):
            return self._size

    monkeypatch.setattr(scaling, "_ours", 100)
    assert scaling.fits(150, Screen(1920, 1040))
    assert not scaling.fits(250, Screen(1366, 728))
    assert scaling.fits(100, Screen(800, 480))
    monkeypatch.setattr(scaling, "_ours", 200)
    assert scaling.fits(250, Screen(1920, 1080))  # of a screen of 3840 x 2160
