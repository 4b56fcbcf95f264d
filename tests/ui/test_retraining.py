"""The window of retraining: a process behind it, its progress, the gate, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference import registry, versions
from resources import table
from tests.unit.inference.test_versions import another
from viewer import retraining
from viewer.retraining import Run
from viewer.ui.figures_told import NAMES

# What the real processes do, without torch: they tell, wait, and write what they made.
CHILD = """
import json, os, shutil, sys, time
what, source, target = sys.argv[1:4]
def tell(stage, done, total, left):
    print(json.dumps({"stage": stage, "done": done, "total": total, "left_s": left}), flush=True)
if what == "wait":
    tell("train", 120, 400, 700.0)
    os.read(0, 1)
    sys.exit(130)
if what == "refuse":
    print("retraining on cpu", file=sys.stderr)
    print("No nodule was outlined. Export some.", file=sys.stderr)
    sys.exit(2)
if what == "break":
    sys.exit(1)
print("a library speaks")
tell("train", 400, 400, 0.0)
(shutil.copytree if os.path.isdir(source) else shutil.copyfile)(source, target)
"""


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv(versions.FOLDER, str(tmp_path / "models"))


@pytest.fixture
def bundled():
    return registry.bundled()[0]


@pytest.fixture
def newer(tmp_path, bundled):
    return another(tmp_path / "new", bundled, "9.0.0")


def comparison(old, new, **worse):
    """What ``overread compare`` writes, of two nodules; ``worse`` are intervals."""
    limits = [row["figure"] for row in table("promotion")["figures"]]
    names = [*limits, "accuracy", "precision", "recall", "f1"]
    mean = {"mean": 0.9, "ci95": [0.8, 1.0]}
    side = {name: mean for name in limits if name != "auc"}
    side["decision"] = dict.fromkeys(("auc", "accuracy", "precision", "recall", "f1"), 0.8)
    return {
        "data": {"nodules": 20, "least_readers": 3, "patients": 20},
        "old": {"model": {"sha256": old.weights.sha256, "version": old.version}, **side},
        "new": {"model": {"sha256": new.weights.sha256, "version": new.version}, **side},
        "new_minus_old": {
            name: {"mean": 0.0, "ci95": worse.get(name, [0.0, 0.0])} for name in names
        },
        "promotion": {"may_lead": True, "checks": []},  # what a file says itself is not believed
        "nodules": [
            {"diameter_mm": 8.0, "dice": [0.9, 0.7]},
            {"diameter_mm": 12.0, "dice": [0.8, 0.81]},
        ],
    }


@pytest.fixture
def crops(tmp_path):
    """Two folders that look like crops from without."""
    out = []
    for name in ("corrected", "locked"):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("index.csv", "reader_masks.npz", "slices.tar"):
            (folder / file).touch()
        out.append(folder)
    return out


@pytest.fixture
def children(monkeypatch, tmp_path, bundled, newer):
    """Let the processes be scripts; what each does is in the dictionary."""
    does = {"retrain": "make", "compare": "make", "figures": comparison(bundled, newer)}
    (tmp_path / "child.py").write_text(CHILD)

    def training(run):
        return [str(tmp_path / "child.py"), does["retrain"], str(newer.folder),
                str(run.folder / "pack")]  # fmt: skip

    def comparing(run, old):
        figures = tmp_path / "figures.json"
        figures.write_text(json.dumps(does["figures"]))
        (run.folder / "pictures").mkdir(exist_ok=True)
        for n in (1, 2):
            pixels = np.full((192, 384, 3), 60 * n, np.uint8)
            Image.fromarray(pixels).save(run.folder / "pictures" / f"{n:02d}.png")
        return [str(tmp_path / "child.py"), does["compare"], str(figures), str(run.figures)]

    monkeypatch.setattr(Run, "training", training)
    monkeypatch.setattr(Run, "comparing", comparing)
    return does


@pytest.fixture
def dialog(window, crops, children):
    window.actions_by_id["retrain"].trigger()
    shown = window.retraining.dialog
    shown.data.take(crops[0])
    yield shown
    window.retraining.close()


def idle(qtbot, room):
    qtbot.waitUntil(lambda: not room.phase and room._process is None)


def test_it_does_not_stand_in_the_way_and_says_what_is_missing(window, crops):
    window.actions_by_id["retrain"].trigger()
    dialog = window.retraining.dialog
    assert dialog.isVisible() and not dialog.isModal()
    assert not dialog.begin.isEnabled()
    assert dialog.begin.toolTip() == "Choose a folder first: Corrections."
    (crops[0] / "slices.tar").unlink()
    dialog.data.take(crops[0])
    assert dialog.begin.toolTip() == "corrected holds no slices.tar."
    dialog.data.take(crops[1])
    assert dialog.begin.isEnabled()
    dialog.test.take(crops[1])
    assert "other patients" in dialog.begin.toolTip()
    assert dialog.use.toolTip() == "There is no new model yet."
    assert not dialog.back.isEnabled()
    assert not dialog.comparison.isVisible()
    dialog.close()
    assert window.retraining.dialog is None


def test_it_retrains_compares_lets_lead_and_leads_back(
    window, dialog, crops, qtbot, bundled, newer, process
):
    room = window.retraining
    dialog.test.take(crops[1])
    dialog.steps.setValue(250)
    dialog.begin.click()
    assert room.phase == "retrain"
    assert not dialog.begin.isVisible() and dialog.cancel.isVisible()
    idle(qtbot, room)
    assert room.run.wish.steps == 250
    assert room.run.wish.version == retraining.next_version(bundled, [bundled])
    assert dialog.comparison.isVisible()
    assert "On" not in dialog.comparison.verdict.text()[:2]
    assert "may be used: on 20 nodules of 20 patients" in dialog.comparison.verdict.text()
    table_of = dialog.comparison.table
    assert [table_of.item(n, 0).text() for n in range(table_of.rowCount())] == [
        name() for name in NAMES.values()
    ]
    assert dialog.use.isEnabled()
    dialog.use.click()
    assert window.ai.pack.weights.sha256 == newer.weights.sha256
    assert dialog.use.toolTip() == "It is in use."
    assert dialog.back.text() == f"Back to {bundled.version}"
    dialog.back.click()
    assert window.ai.pack == bundled
    assert registry.find(None).weights.sha256 == bundled.weights.sha256
    registry.check(bundled)
    assert [step["version"] for step in versions.history(bundled.id)] == ["9.0.0", bundled.version]


def test_the_gate_keeps_a_worse_model_out_and_says_why(
    window, dialog, crops, children, qtbot, bundled, newer
):
    children["figures"] = comparison(bundled, newer, dice=[-0.8, -0.7], auc=[None, None])
    dialog.test.take(crops[1])
    dialog.begin.click()
    idle(qtbot, window.retraining)
    said = dialog.comparison.verdict.text()
    assert said.startswith("The new model may not be used. On 20 nodules of 20 patients")
    assert "“Dice of outlines” may change by -0.800, and -0.010 is the limit" in said
    assert "“Area under the ROC curve” could not be measured" in said
    assert not dialog.use.isEnabled()
    assert dialog.use.toolTip() == "The comparison does not allow it."
    dice = next(n for n in range(10) if "Dice" in dialog.comparison.table.item(n, 0).text())
    assert dialog.comparison.table.item(dice, 5).text() == "not kept: at least -0.010"
    pictures = dialog.comparison._strip.widget().layout()
    assert pictures.count() == 3  # two pictures, and the rest of the room


def test_a_handful_of_patients_lets_nobody_lead(
    window, dialog, crops, children, qtbot, bundled, newer
):
    children["figures"]["data"] = {"nodules": 9, "least_readers": 1, "patients": 9}
    dialog.test.take(crops[1])
    dialog.begin.click()
    idle(qtbot, window.retraining)
    said = dialog.comparison.verdict.text()
    assert (
        "9 nodules of 9 patients new to both, some of them outlined by one or two readers" in said
    )
    assert said.endswith("fewer than 10 patients cannot show that it is no worse.")
    assert not dialog.use.isEnabled()


def test_progress_is_told_and_a_stop_leaves_what_can_go_on(window, dialog, children, qtbot):
    room = window.retraining
    children["retrain"] = "wait"
    dialog.begin.click()
    qtbot.waitUntil(lambda: room.step.get("done") == 120)
    assert dialog.state.text() == "Learning: step 120 of 400, about 12 min left"
    assert (dialog.bar.value(), dialog.bar.maximum()) == (120, 400)
    dialog.close()  # the work goes on behind
    assert room.phase == "retrain"
    window.actions_by_id["retrain"].trigger()
    dialog = room.dialog
    assert dialog.cancel.isVisible()
    dialog.cancel.click()
    assert dialog.state.text() == "Stopping…"
    idle(qtbot, room)
    assert "is not finished. It can go on." in dialog.state.text()
    children["retrain"] = "make"
    dialog.go_on.click()
    idle(qtbot, room)
    assert room.run.pack is not None
    assert not dialog.compare.isEnabled()
    assert dialog.compare.toolTip() == "Choose a folder first: Compare on."


def test_what_a_closed_program_left_goes_on_in_the_next(
    window, dialog, children, qtbot, qapp, process
):
    from viewer.ui.main_window import MainWindow

    children["retrain"] = "wait"
    dialog.begin.click()
    qtbot.waitUntil(lambda: window.retraining.step.get("done") == 120)
    process_id = window.retraining._process
    window.close()
    assert window.retraining._process is None and process_id is not None
    again = MainWindow()
    qtbot.addWidget(again)
    again.show()
    try:
        again.actions_by_id["retrain"].trigger()
        shown = again.retraining.dialog
        assert "is not finished. It can go on." in shown.state.text()
        assert shown.data.path.endswith("corrected")
        assert shown.go_on.isVisible()
    finally:
        again.close()


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("refuse", "No nodule was outlined. Export some."),
        ("break", "The retraining ended before it was done. Go on with it"),
    ],
)
def test_what_went_wrong_is_said(window, dialog, children, qtbot, does, said):
    children["retrain"] = does
    dialog.begin.click()
    idle(qtbot, window.retraining)
    assert dialog.state.text().startswith(said)
    assert dialog.go_on.isVisible()


def test_a_comparison_with_another_version_lets_nobody_lead(
    window, dialog, crops, children, qtbot, bundled, newer, tmp_path
):
    third = another(tmp_path / "third", bundled, "8.0.0", b"2")
    children["figures"] = comparison(third, newer)
    dialog.test.take(crops[1])
    dialog.begin.click()
    idle(qtbot, window.retraining)
    assert "another version than the one in use" in dialog.use.toolTip()


def test_where_nothing_can_be_trained_the_command_says_so(window, monkeypatch):
    from resources.problem import Problem

    monkeypatch.setattr(
        window.retraining, "_why_not", Problem("This packaged Overread cannot train.", "Install.")
    )
    window.follow()
    action = window.actions_by_id["retrain"]
    assert not action.isEnabled()
    assert "This packaged Overread cannot train. Install." in action.toolTip()


def test_versions_do_not_clash(bundled, tmp_path):
    first = retraining.next_version(bundled, [bundled])
    taken = another(tmp_path / "taken", bundled, first)
    assert retraining.next_version(bundled, [bundled, taken]) > first


def test_its_folder_is_for_its_owner_alone(window, dialog, children, qtbot):
    dialog.begin.click()
    idle(qtbot, window.retraining)
    folder: Path = window.retraining.run.folder
    assert folder.stat().st_mode & 0o77 == 0
    assert folder.parent.stat().st_mode & 0o77 == 0
