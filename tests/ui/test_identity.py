"""Identity goes from exports of the window unless somebody says otherwise, and nothing is left."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import QTimer

from tests.deid_cases import FORBIDDEN, PATIENT_ID, hits, identified
from viewer.deid import mapping
from viewer.export.formats import FORMATS
from viewer.ui.export_dialog import ExportDialog
from viewer.ui.identity import profile
from viewer.ui.identity.looking import PixelDialog
from viewer.ui.identity.passphrase import PassphraseDialog
from viewer.ui.identity.profile import ProfileDialog
from viewer.ui.identity.report_view import ReportDialog

from .conftest import settle

PASSPHRASE = "seven green bottles"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(mapping._SCRYPT, "n", 1 << 10)


@pytest.fixture
def temp(monkeypatch, tmp_path):
    """A temporary folder of its own, for the exporting process too."""
    folder = tmp_path / "temp"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    tempfile.tempdir = None


@pytest.fixture
def canary(window, qtbot, phantom_folder, temp, tmp_path):
    """The window with a patient who must not be found again, and the model's findings."""
    folder = tmp_path / "in" / "Quxworthy"
    shutil.copytree(phantom_folder, folder)
    identified(folder)
    with qtbot.waitSignal(window.opener.opened):
        window.open_paths([folder])
    with qtbot.waitSignal(window.ai.ended):
        window.ai.run()
    qtbot.waitUntil(lambda: window.reading.selected is not None)
    window.set_reader("Able Readerson")
    window.corrections.judge("accepted")
    settle(window)
    return window


@pytest.fixture
def asked(monkeypatch):
    """Have dialogs answered by functions instead of a person; those that came are listed."""
    answers, seen = {}, []

    def answered(dialog):
        try:
            answers[type(dialog).__name__](dialog)
        except BaseException:
            dialog.reject()  # else nobody ends it
            raise

    def driven(kind):
        really = kind.exec

        def run(dialog):
            seen.append(kind.__name__)
            QTimer.singleShot(0, dialog, lambda: answered(dialog))
            return really(dialog)

        monkeypatch.setattr(kind, "exec", run)

    for kind in (ExportDialog, PassphraseDialog, PixelDialog, ProfileDialog, ReportDialog):
        driven(kind)
    answers["seen"] = seen
    answers["PassphraseDialog"] = _type
    answers["ReportDialog"] = lambda dialog: dialog.accept()
    return answers


def _type(dialog, text=PASSPHRASE):
    dialog.first.setText(text)
    dialog.again.setText(text)
    dialog.go.click()


def _export(window, qtbot):
    with qtbot.waitSignal(window.exporter.ended) as ended:
        window.actions_by_id["export"].trigger()
    folder, problem = ended.args
    assert problem is None, problem
    return folder


def _all_formats(into, more=lambda dialog: None, only=FORMATS):
    def choose(dialog):
        for one, tick in dialog.ticks.items():
            if tick.isEnabled() and tick.isChecked() != (one in only):
                tick.click()
        dialog.folder = into
        more(dialog)
        dialog.go.click()

    return choose


def _few(into, more=lambda dialog: None):
    return _all_formats(into, more, ("seg", "sr"))


def _unpacked(folder):
    for path in folder.rglob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))


def test_a_patient_is_in_nothing_that_an_export_of_the_window_leaves(
    canary, qtbot, tmp_path, temp, private_home, asked
):
    asked["ExportDialog"] = _all_formats(tmp_path / "out")
    folder = _export(canary, qtbot)
    assert asked["seen"] == ["ExportDialog", "PassphraseDialog"]
    assert len(list(folder.iterdir())) > len(FORMATS)
    _unpacked(folder)
    assert not hits(tmp_path / "out", (*FORBIDDEN, "Readerson"))
    assert not hits(temp)
    # The list of cases and their journals are of this computer: conformance.md names them.
    of_cases = ("worklist", "cases")
    inside = [Path(hit.partition(" in ")[2]) for hit in hits(private_home)]
    assert not [
        path
        for path in inside
        if not path.relative_to(private_home / "data").parts[0].startswith(of_cases)
    ]
    assert PASSPHRASE not in "".join(
        path.read_text("utf-8", "replace") for path in private_home.rglob("*") if path.is_file()
    )
    assert not [word for word in FORBIDDEN if word in canary.message.text]
    named = pydicom.dcmread(folder / "sr.dcm")
    assert named.PatientID.startswith("P-") and named.PatientIdentityRemoved == "YES"
    assert mapping.open_mapping(PASSPHRASE).patient_of(named.PatientID) == PATIENT_ID
    # The report of what went is on the screen, one click away, and beside the files.
    canary.message._on_offer()
    assert asked["seen"][-1] == "ReportDialog"
    told = json.loads((folder / "deidentification.json").read_text())
    assert {"(0010,0010)", "(0010,0030)"} <= {one["tag"] for one in told["attributes"]}


def test_nobody_is_asked_twice_until_the_passphrase_is_forgotten(canary, qtbot, tmp_path, asked):
    asked["ExportDialog"] = _few(tmp_path)
    forget = canary.actions_by_id["forget_passphrase"]
    canary.follow()
    assert not forget.isEnabled() and "No passphrase" in forget.toolTip()
    first, second = _export(canary, qtbot), _export(canary, qtbot)
    assert asked["seen"].count("PassphraseDialog") == 1
    one, other = (pydicom.dcmread(folder / "sr.dcm") for folder in (first, second))
    assert one.PatientID == other.PatientID
    assert one.StudyInstanceUID == other.StudyInstanceUID
    qtbot.waitUntil(forget.isEnabled)
    forget.trigger()
    _export(canary, qtbot)
    assert asked["seen"].count("PassphraseDialog") == 2


def test_identity_stays_only_when_somebody_says_so_and_only_once(canary, qtbot, tmp_path, asked):
    def keep(dialog):
        assert not dialog.identity.with_identity
        dialog.identity.with_it.click()
        assert "will name the patient" in dialog.identity._warning.text()

    asked["ExportDialog"] = _few(tmp_path, keep)
    folder = _export(canary, qtbot)
    assert asked["seen"] == ["ExportDialog"]
    assert pydicom.dcmread(folder / "sr.dcm").PatientID == PATIENT_ID
    assert not (folder / "deidentification.json").exists()
    asked["ExportDialog"] = lambda dialog: (
        None if dialog.identity.with_identity else dialog.reject()
    )
    canary.actions_by_id["export"].trigger()
    assert not mapping.exists()


def test_options_are_the_sites_and_reach_the_files(canary, qtbot, tmp_path, asked):
    def tick(dialog):
        dialog.ticks["dates"].click()
        dialog.ticks["characteristics"].click()
        dialog.each.click()
        dialog.accept()

    asked["ProfileDialog"] = tick
    choose = _few(tmp_path, lambda dialog: dialog.identity._on_options())
    asked["ExportDialog"] = choose
    folder = _export(canary, qtbot)
    assert asked["seen"] == ["ExportDialog", "ProfileDialog"], "no passphrase for one export"
    assert profile.remembered(canary.settings) == ("dates", "characteristics")
    assert "Dates, shifted" in profile.summary(canary.settings)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["deidentified"]["kept"] == ["characteristics", "dates"]
    dates = pydicom.dcmread(folder / "seg.dcm").StudyDate
    assert dates and dates != "20190405"
    assert not mapping.exists()


def test_what_is_given_up_writes_nothing(canary, qtbot, tmp_path, asked):
    asked["ExportDialog"] = _few(tmp_path / "out")
    asked["PassphraseDialog"] = lambda dialog: dialog.reject()
    canary.actions_by_id["export"].trigger()
    assert asked["seen"] == ["ExportDialog", "PassphraseDialog"]
    assert not (tmp_path / "out").exists() and not mapping.exists()
    assert canary.exporter._job is None


def test_only_this_time_needs_no_passphrase(canary, qtbot, tmp_path, asked):
    asked["ExportDialog"] = _few(tmp_path)
    asked["PassphraseDialog"] = lambda dialog: dialog.alone.click()
    first, second = _export(canary, qtbot), _export(canary, qtbot)
    one, other = (pydicom.dcmread(folder / "seg.dcm") for folder in (first, second))
    assert one.PatientID != other.PatientID
    assert not mapping.exists()


# ------------------------------------------------------------------------ passphrase


@pytest.fixture
def dialog(window):
    made = PassphraseDialog(window)
    yield made
    made.done(0)
    made.deleteLater()


def test_a_new_passphrase_is_typed_twice_and_advised_on(dialog, qtbot):
    assert not dialog.lost.isVisibleTo(dialog)
    dialog.first.setText("short")
    assert "At least 10" in dialog.said.text() and not dialog.go.isEnabled()
    dialog.first.setText("1234567890")
    assert "Easy to guess" in dialog.said.text() and "once more" in dialog.said.text()
    dialog.again.setText("123456789")
    assert not dialog.go.isEnabled()
    _type(dialog)
    qtbot.waitUntil(lambda: dialog.mapping is not None)
    assert mapping.exists()
    assert dialog.first.text() == dialog.again.text() == "", "nothing typed outlives it"


def test_a_wrong_one_is_said_in_a_sentence_and_may_be_typed_again(window, qtbot):
    mapping.open_mapping(PASSPHRASE)
    dialog = PassphraseDialog(window)
    assert not dialog.again.isVisibleTo(dialog)
    _type(dialog, "not the right one")
    qtbot.waitUntil(lambda: "does not open" in dialog.said.text())
    assert dialog.mapping is None and dialog.go.isEnabled()
    _type(dialog)
    qtbot.waitUntil(lambda: dialog.mapping is not None)
    dialog.deleteLater()


def test_who_has_forgotten_it_begins_anew_after_a_second_press(window, qtbot):
    mapping.open_mapping(PASSPHRASE)
    dialog = PassphraseDialog(window)
    dialog.lost.click()
    assert mapping.exists() and "fit no earlier one" in dialog.said.text()
    dialog.lost.click()
    assert not mapping.exists() and dialog.again.isVisibleTo(dialog)
    assert mapping.place().with_name("mapping-1.json").is_file()
    _type(dialog, "another four words here")
    qtbot.waitUntil(lambda: dialog.mapping is not None)
    dialog.deleteLater()
