"""Bad input and export in the real window: one plain sentence, nothing lost, work goes on."""

import json
import shutil

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from resources.problem import Problem

from .conftest import run_ends_in_a_stroke, settle


def test_a_folder_without_images_is_told_and_the_open_case_stays(opened, qtbot, tmp_path):
    case = opened.reading.case
    with qtbot.waitSignal(opened.opener.failed, timeout=10_000):
        opened.open_paths([tmp_path])
    settle(opened)
    assert opened.message.isVisible()
    assert "No images" in opened.message.text
    assert opened.reading.case is case
    assert opened.views.isVisible()


def test_a_truncated_slice_is_named_and_the_others_are_shown(
    window, qtbot, phantom_folder, tmp_path
):
    folder = tmp_path / "cut"
    shutil.copytree(phantom_folder, folder)
    victim = sorted(folder.iterdir())[3]
    victim.write_bytes(victim.read_bytes()[:-5000])
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([folder])
    settle(window)
    case = window.reading.case
    assert window.message.isVisible()
    assert f"{victim.name} is cut short" in window.message.text
    (k,) = np.flatnonzero(case.slices.empty(case.volume.shape_kji[0]))
    assert f"{victim.name} is cut short" in case.slices.why_not(k)
    assert case.read_only and not window.actions_by_id["run"].isEnabled()


def test_when_every_file_is_cut_the_series_is_marked(window, qtbot, phantom_folder, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(phantom_folder, folder)
    for victim in folder.iterdir():
        victim.write_bytes(victim.read_bytes()[:-5000])
    with qtbot.waitSignal(window.opener.found, timeout=10_000):
        window.open_paths([folder])
    settle(window)
    assert window.reading.case is None
    assert window.message.isVisible()
    assert "is cut short. Copy the study again" in window.message.text
    assert window.rail.card(0).failed


def test_an_mr_is_refused_to_the_ct_model_by_name_of_the_rule(
    qapp, qtbot, monkeypatch, brain_study, request
):
    from inference import registry

    honest = registry.eligibility
    window = request.getfixturevalue("window")
    monkeypatch.setattr("inference.registry.eligibility", honest)
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([brain_study])
    settle(window)
    assert not window.actions_by_id["run"].isEnabled()
    assert "reads CT; this series is MR" in window.panel.run_state._text.text()
    assert "reads CT; this series is MR" in window.actions_by_id["run"].toolTip()
    assert window.actions_by_id["missed"].isEnabled()
    # No window in HU: nothing proves that these values are any.
    assert window.actions_by_id["preset_2"].text() == "Middle 98 %"


def exported(window, qtbot, folder):
    with qtbot.waitSignal(window.exporter.ended, timeout=60_000) as ended:
        window.export_to(folder, None)
    settle(window)
    return ended.args


def test_export_writes_a_checked_folder_and_says_where(reviewed, qtbot, tmp_path):
    reviewed.set_reader("Dr. A. Test")
    reviewed.corrections.judge("accepted")
    folder, problem = exported(reviewed, qtbot, tmp_path)
    assert problem is None
    assert str(folder) in reviewed.message.text
    names = {file.name for file in folder.iterdir()}
    assert {"seg.dcm", "image.nii.gz", "labels.nii.gz", "findings.json", "manifest.json"} <= names
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert "Dr. A. Test" in json.dumps(manifest)
    # A second export goes beside the first one.
    QTest.qWait(1100)
    again, problem = exported(reviewed, qtbot, tmp_path)
    assert problem is None
    assert again != folder


def test_a_full_disk_at_export_is_told_and_a_second_try_works(
    reviewed, qtbot, tmp_path, monkeypatch
):
    import viewer.export as export

    def full(*args, **kwargs):
        raise Problem("The disk is full; the export needs 120 MB.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(export, "export_case", full)
        _, problem = exported(reviewed, qtbot, tmp_path)
        assert problem is not None
        assert "120 MB" in reviewed.message.text
    _, problem = exported(reviewed, qtbot, tmp_path)
    assert problem is None


@pytest.mark.parametrize("study", ["lidc_study", "lungfcp_study", "liver_study"])
def test_real_studies_open_with_the_right_letters(window, qtbot, request, study):
    folder = request.getfixturevalue(study)
    with qtbot.waitSignal(window.opener.opened, timeout=60_000):
        window.open_paths([folder])
    settle(window)
    letters = [view.plane.letters() for view in window.views.views]
    assert window.views.views[0].plane.name == ("coronal" if study == "liver_study" else "axial")
    for view, shown in zip(window.views.views, letters, strict=True):
        assert (shown.left[0], shown.top[0]) == {
            "axial": ("R", "A"),
            "coronal": ("R", "H"),
            "sagittal": ("A", "H"),
        }[view.plane.name]


def test_edits_that_cannot_be_saved_hold_the_case_and_the_window_once(
    reviewed, qtbot, monkeypatch, phantom_folder
):
    case = reviewed.reading.case
    reviewed.corrections.judge("accepted")
    with monkeypatch.context() as patch:
        patch.setattr(type(case), "flush", lambda self, timeout_s=0: 1)
        reviewed.open_paths([phantom_folder])
        assert reviewed.reading.case is case
        assert "1 changes are not on the disk" in reviewed.message.text
        reviewed.close()
        assert reviewed.isVisible()
    reviewed.close()
    assert not reviewed.isVisible()


def test_a_result_that_comes_during_a_stroke_waits_for_its_end(opened, process, qtbot):
    view, end = run_ends_in_a_stroke(opened, qtbot)
    settle(opened)
    assert opened.reading.case.document.findings is None
    with qtbot.waitSignal(opened.ai.ended, timeout=5000):
        QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    case = opened.reading.case
    assert case.document.findings is not None
    assert any(lesion.origin == "human" and not lesion.empty for lesion in case.document.lesions)


def test_the_detail_of_a_failed_run_is_logged_once(opened, process, qtbot, caplog):
    process.problem = Problem("The model process ended.", "Run it again.", "exit code 7")
    with qtbot.waitSignal(opened.ai.ended, timeout=5000):
        opened.ai.run()
    settle(opened)
    opened.panel.refresh()
    assert caplog.text.count("exit code 7") == 1
