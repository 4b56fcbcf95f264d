"""Outlines of other files in the window: asked for, dropped, shown before they are taken in."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from inference.findings import Mask
from viewer.export import export_case
from viewer.ui.import_dialog import ImportDialog
from viewer.ui.view_notices import shows_imported

from .beside_cases import AXIAL, OTHER_FRAME, THIN, number_of, open_in, write
from .conftest import settle
from .test_outlining import hint

MIDDLE = (-5.0, 2.0, -3.0)


@pytest.fixture
def written(window, qtbot, tmp_path):
    """An open series with one drawn finding, and its export."""
    write(tmp_path / "study", "thick", AXIAL, 34)
    open_in(window, qtbot, tmp_path / "study")
    window.set_reader("Dr. A. Test")
    window.corrections.add_missed(MIDDLE)
    lesion = window.reading.lesion
    voxels = np.zeros(window.reading.case.volume.shape_kji, bool)
    voxels[3:6, 8:14, 9:17] = True
    window.corrections.change(
        lambda case: case.reshape(lesion.id, lesion.mask, Mask.from_array(voxels), "lasso-add", {})
    )
    settle(window)
    case = window.reading.case
    folder = export_case(case.snapshot(), tmp_path / "out", formats=("seg", "nifti")).folder
    for _ in range(2):
        window.corrections.undo()
    settle(window)
    assert not case.document.lesions
    return window, folder, voxels


def answer(monkeypatch, accept=True, act=None):
    """Let the dialog be answered at once; return the texts that it showed, and its button's."""
    shown = []

    def execute(dialog):
        table = dialog.table
        items = [table.item(row, at) for row in range(table.rowCount()) for at in range(1, 5)]
        texts = [item.text() for item in items if item is not None]
        shown.append((texts, dialog.go.isEnabled(), dialog.go.toolTip()))
        if act is not None:
            act(dialog)
        return accept

    monkeypatch.setattr(ImportDialog, "exec", execute)
    return shown


def drop(window, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    none = Qt.KeyboardModifier.NoModifier
    window.dropEvent(
        QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    )


def done(window, qtbot):
    room = window.tools.importing
    qtbot.waitUntil(lambda: room._job is None, timeout=30_000)
    settle(window)


def test_a_dropped_segmentation_is_shown_and_taken_in(written, qtbot, monkeypatch):
    window, folder, voxels = written
    shown = answer(monkeypatch)
    drop(window, folder / "seg.dcm")
    done(window, qtbot)
    ((texts, _, _),) = shown
    assert any("Overread" in text for text in texts) and "Nodule 1" in texts
    assert any(f"{voxels.sum()} voxels" in text for text in texts)
    case = window.reading.case
    (lesion,) = case.document.lesions
    assert lesion.origin == "imported" and np.array_equal(
        lesion.mask.to_array(case.volume.shape_kji), voxels
    )
    assert case.undo_name == "Import an outline" and "Taken in: 1" in hint(window)
    window.reading.select(lesion.id)
    settle(window)
    line = [each for view in window.views.views for each in view.overlay._lines]
    assert line and all(each.dotted and not each.dashed for each in line)
    assert all(map(shows_imported, window.views.views))
    window.corrections.undo()
    settle(window)
    assert not case.document.record


def test_nothing_changes_when_it_is_given_up_or_nothing_is_ticked(written, qtbot, monkeypatch):
    window, folder, _ = written

    def untick(dialog):
        dialog.tick_of("Nodule 1").setChecked(False)
        assert not dialog.go.isEnabled() and not dialog.chosen

    shown = answer(monkeypatch, accept=False, act=untick)
    monkeypatch.setattr("viewer.ui.importing.ask_files", lambda *_: [folder / "labels.nii.gz"])
    before = window.reading.case.undo_name
    window.actions_by_id["import"].trigger()
    done(window, qtbot)
    assert shown[0][1] and window.reading.case.undo_name == before


def test_a_file_of_another_frame_is_refused_with_the_reason(
    written, window, qtbot, monkeypatch, tmp_path
):
    _, folder, _ = written
    write(tmp_path / "other", "other", THIN, 30, FrameOfReferenceUID=OTHER_FRAME)
    write(tmp_path / "other", "thick", AXIAL, 34)
    open_in(window, qtbot, tmp_path / "other")
    if window.reading.case.series.description != "other":
        with qtbot.waitSignal(window.opener.opened):
            window.study.open_series(number_of(window, "other"))
    settle(window)
    shown = answer(monkeypatch)
    window.tools.importing.read([folder / "seg.dcm"])
    done(window, qtbot)
    ((texts, enabled, why),) = shown
    assert any("another frame of reference" in text for text in texts)
    assert not enabled and "fits" in why
    assert not window.reading.case.document.record


def test_while_the_ai_is_locked_nothing_is_imported(written, qtbot, monkeypatch):
    window, folder, _ = written
    shown = answer(monkeypatch)
    window.reading.ai_locked = True
    drop(window, folder / "seg.dcm")
    done(window, qtbot)
    assert not shown and "read blind" in hint(window)
    window.follow()
    settle(window)
    assert "read blind" in window.actions_by_id["import"].toolTip()


def test_a_dropped_image_is_opened(written, qtbot, monkeypatch, tmp_path):
    window, folder, _ = written
    shown, opened = answer(monkeypatch), []
    monkeypatch.setattr(window, "open_paths", opened.append)
    slice_of_it = window.reading.case.plan.planes[0].instance.path
    for path in (slice_of_it, folder / "image.nii.gz", tmp_path):
        drop(window, path)
        done(window, qtbot)
        assert opened.pop() == [path]
    assert not shown


def test_outlines_beside_the_images_are_offered_and_not_read_before(
    written, qtbot, monkeypatch, tmp_path
):
    window, folder, _ = written
    shutil.copy(folder / "seg.dcm", tmp_path / "study" / "outlines")
    read = []
    monkeypatch.setattr(
        window.tools.importing, "read", lambda paths: read.append(paths), raising=True
    )
    open_in(window, qtbot, tmp_path / "study")
    (entry,) = window.rail.outlines.entries
    assert entry.accessibleName().startswith("SEG · Overread") and entry.isEnabled()
    assert not read and "left out" not in window.status._text.text()
    entry.click()
    assert read == [[tmp_path / "study" / "outlines"]]
    window.rail.set_anonymous(True)
    assert window.rail.outlines.entries[0].accessibleName() == "SEG · 1"
    window.rail.set_anonymous(False)
    window.reading.ai_locked = True
    window.reading.shown_changed.emit()
    assert not window.rail.outlines.entries
