"""Labels of a site in the window, what a reader says of a finding, and a file that is wrong."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from resources import labels
from viewer import site_labels
from viewer.annotate import attributes
from viewer.annotate.attributes import Attributes
from viewer.ui.label_colours import label_colour

from .conftest import settle

MASS = {
    "name": "Mass",
    "kind": "lesion",
    "colour": "#CC79A7",
    "category": ["49755003", "SCT", "Morphologically Abnormal Structure"],
    "type": ["4147007", "SCT", "Mass"],
    "attributes": {"texture": "required", "malignancy": "required"},
}


@pytest.fixture(autouse=True)
def own_labels():
    yield
    labels.forget()


@pytest.fixture
def schema(tmp_path):
    """A site's file with one more label, whose attributes are required."""
    file = tmp_path / "ours.json"
    text = json.dumps({"format": "overread-labels", "labels": {"mass": MASS}})
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def room(reviewed):
    return reviewed.record.labelling


def _said(window):
    return attributes.of(window.reading.case.document, window.reading.selected)


def test_there_is_nothing_to_choose_with_one_label(reviewed):
    action = reviewed.actions_by_id["label"]
    assert not action.isEnabled()
    assert "one label" in action.toolTip()
    assert not reviewed.record.labelling.line.isVisible()


def test_keys_say_texture_and_malignancy_and_the_row_shows_it(reviewed, room, qtbot):
    line = room.line
    reviewed.actions_by_id["attributes"].trigger()
    settle(reviewed)
    assert line.isVisible()
    QTest.keyClicks(line, "4s")
    assert _said(reviewed) == Attributes("solid", 4)
    assert line.malignancies[4].isChecked()
    assert line.textures["solid"].isChecked()
    row = reviewed.panel.list.currentItem()
    assert "solid, malignancy 4 of 5" in row.data(int(Qt.ItemDataRole.AccessibleTextRole))
    QTest.keyClick(line, Qt.Key.Key_4)  # the same again takes it back
    assert _said(reviewed) == Attributes("solid", None)
    reviewed.actions_by_id["undo"].trigger()
    assert _said(reviewed) == Attributes("solid", 4)
    QTest.keyClick(line, Qt.Key.Key_Escape)
    assert line.isVisible(), "it stays where something is said"
    line.textures["solid"].click()
    line.malignancies[4].click()
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert _said(reviewed) == Attributes()
    assert not line.isVisible()


def test_the_line_follows_the_selected_finding(reviewed, room):
    first, second = (lesion.id for lesion in reviewed.reading.lesions[:2])
    reviewed.reading.select(first)
    room.line.give(malignancy=2)
    reviewed.reading.select(second)
    assert not room.line.isVisible()
    reviewed.reading.select(first)
    assert room.line.malignancies[2].isChecked()
    reviewed.reading.select(None)
    assert not room.line.isVisible()


def test_a_site_file_gives_labels_that_findings_can_have(reviewed, room, schema):
    dialog = room.dialog()
    dialog.use(schema)
    assert "own file counts" in dialog.said.text()
    names = {dialog.table.item(row, 0).text() for row in range(dialog.table.rowCount())}
    assert names == {"Nodule", "Mass", "Lung, right", "Lung, left"}
    settle(reviewed)
    assert reviewed.actions_by_id["label"].isEnabled()
    menu = room.menu()
    assert [action.text() for action in menu.actions()] == ["Nodule", "Mass"]
    menu.actions()[1].trigger()
    settle(reviewed)
    lesion = reviewed.reading.lesion
    assert lesion.label == "mass"
    assert label_colour("mass") == "#CC79A7"
    assert "Mass" in reviewed.panel.list.currentItem().data(int(Qt.ItemDataRole.AccessibleTextRole))
    assert room.line.isVisible()
    # Back to those that came along: the case still knows what it holds.
    dialog.take_away()
    settle(reviewed)
    assert not reviewed.actions_by_id["label"].isEnabled()
    assert reviewed.reading.lesion.label == "mass"
    reviewed.panel.refresh()
    assert "Mass" in reviewed.panel.list.currentItem().data(int(Qt.ItemDataRole.AccessibleTextRole))
    dialog.take_away()
    dialog.deleteLater()
    menu.deleteLater()


def test_a_wrong_file_is_told_and_changes_nothing(room, tmp_path):
    dialog = room.dialog()
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"format": "overread-labels", "labels": {"A": {}}}', encoding="utf-8")
    dialog.use(wrong)
    assert "“A” is no key" in dialog.said.text()
    assert not site_labels.file().exists()
    dialog.save(tmp_path / "saved.json")
    assert "Saved" in dialog.said.text()
    assert set(labels.parse((tmp_path / "saved.json").read_text("utf-8"))) >= {"nodule"}
    dialog.save(tmp_path / "nowhere" / "saved.json")
    assert "could not be saved" in dialog.said.text()
    dialog.deleteLater()


def test_what_is_required_holds_up_the_commit(reviewed, room, schema):
    site_labels.use(schema)
    reviewed.set_reader("Reader")
    first = reviewed.reading.case.shown[0].id
    reviewed.reading.select(first)
    room.give("mass")
    for lesion in reviewed.reading.case.shown:
        reviewed.corrections.change(lambda c, i=lesion.id: c.set_verdict(i, "accepted"))
    settle(reviewed)
    action = reviewed.actions_by_id["commit_reading"]
    assert not action.isEnabled()
    assert "texture, malignancy missing" in action.toolTip()
    assert "missing" in reviewed.panel.list.item(0).data(int(Qt.ItemDataRole.AccessibleTextRole))
    room.line.give(texture="part-solid")
    room.line.give(malignancy=5)
    settle(reviewed)
    assert action.isEnabled()
    action.trigger()
    settle(reviewed)
    assert not any(chip.isEnabled() for chip in room.line.malignancies.values())


def test_a_case_of_another_schema_is_told(reviewed, room, schema, qtbot, phantom_folder):
    site_labels.use(schema)
    room.give("mass")
    site_labels.take_away()
    with qtbot.waitSignal(reviewed.opener.opened):
        reviewed.open_paths([phantom_folder])
    settle(reviewed)
    assert "another label schema" in reviewed.message.text
    assert "Mass" in reviewed.message.text
    other = {"mass": {**MASS, "type": ["10200004", "SCT", "Liver"]}}
    schema.write_text(json.dumps({"format": "overread-labels", "labels": other}), encoding="utf-8")
    site_labels.use(schema)
    with qtbot.waitSignal(reviewed.opener.opened):
        reviewed.open_paths([phantom_folder])
    settle(reviewed)
    assert "had other codes" in reviewed.message.text


def test_a_damaged_file_at_the_start_is_told(qapp, qtbot, process):
    from viewer.ui.main_window import MainWindow

    site_labels.file().write_text("{", encoding="utf-8")
    window = MainWindow()
    window.show()
    try:
        assert "no JSON" in window.message.text
        dialog = window.record.labelling.dialog()
        assert "no JSON" in dialog.said.text()
        dialog.take_away()
        assert "came with Overread" in dialog.said.text()
        dialog.deleteLater()
    finally:
        window.close()
        window.deleteLater()
        settle(window)
