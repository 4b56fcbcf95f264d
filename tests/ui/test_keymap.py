"""The keys that a reader gives to commands: the map, its editor, and what follows it."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from viewer.ui.commands import commands
from viewer.ui.key_editor import KeyEditor
from viewer.ui.key_sheet import KeySheet
from viewer.ui.keymap import KeyMap, plain
from viewer.ui.settings import Settings
from viewer.ui.widgets import CommandButton, KeyCap

from .conftest import settle
from .test_review import key

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def settings(qapp):
    return Settings()


@pytest.fixture
def keys(settings):
    return KeyMap(settings)


def test_keys_are_those_of_the_table_until_somebody_changes_them(keys):
    for command in commands():
        assert keys.keys_of(command.id) == command.keys
        assert not keys.is_chosen(command.id)
    assert not keys.any_chosen


def test_only_what_differs_is_kept_and_comes_back(keys, settings):
    keys.put("accept", ["Z"])
    assert json.loads(settings.text("keys")) == {"accept": ["Z"]}
    again = KeyMap(Settings())
    assert again.keys_of("accept") == ("Z",)
    assert again.keys_of("reject") == ("X",)
    keys.put("accept", ["A"])
    assert settings.text("keys") == ""


def test_a_key_that_is_taken_names_its_owner_and_leaves_it(keys):
    assert keys.owner("X").id == "reject"
    keys.put("accept", ["X"])
    assert keys.keys_of("accept") == ("X",)
    assert keys.keys_of("reject") == ()
    keys.reset("accept")
    assert keys.keys_of("accept") == ("A",)
    assert keys.keys_of("reject") == ("X",)


def test_one_key_reset_takes_it_back_from_who_has_it(keys):
    keys.put("accept", ["X", "Z"])
    keys.reset("reject")
    assert keys.keys_of("reject") == ("X",)
    assert keys.keys_of("accept") == ("Z",)


def test_all_reset_is_the_table(keys, settings):
    keys.put("accept", ["X"])
    keys.put("open", [])
    keys.reset_all()
    assert not keys.any_chosen
    assert settings.text("keys") == ""


@pytest.mark.parametrize("key", ["Tab", "Return", "Esc", "Ctrl+C", "", "Shift", "nonsense"])
def test_keys_that_dialogs_need_are_refused(keys, key):
    assert keys.refusal("accept", key)
    with pytest.raises(ValueError, match=r".*"):
        keys.put("accept", [key])
    assert keys.keys_of("accept") == ("A",)


def test_the_way_out_of_a_stroke_keeps_its_key(keys):
    assert keys.refusal("abort", "Z")
    assert keys.owner("Esc").id == "abort"


def test_a_symbol_typed_with_shift_is_the_same_key(keys):
    assert plain("Shift+?") == "?"
    assert keys.owner("Shift+?").id == "keys"
    assert plain("Shift+A") == "Shift+A"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "no json",
        '{"accept": "X"}',
        '{"accept": [3]}',
        '{"nobody": ["Z"]}',
        '{"abort": ["Z"]}',
        '{"accept": ["Tab", "nonsense"]}',
    ],
)
def test_settings_that_make_no_sense_leave_a_map_that_works(settings, text):
    settings.put("keys", text)
    keys = KeyMap(settings)
    assert keys.keys_of("abort") == ("Esc",)
    assert keys.keys_of("reject") == ("X",)
    every = [key for command in commands() for key in keys.keys_of(command.id)]
    assert len(every) == len(set(every))


def test_two_commands_with_one_key_in_the_settings_do_not_fight(settings):
    settings.put("keys", json.dumps({"accept": ["Z"], "reject": ["Z"], "unsure": ["J"]}))
    keys = KeyMap(settings)
    assert keys.keys_of("accept") == ("Z",)
    assert keys.keys_of("reject") == ()
    # A default that was given away is with who got it.
    assert keys.keys_of("unsure") == ("J",)
    assert keys.keys_of("next") == ()


def test_a_changed_key_works_at_once_and_the_old_one_no_more(reviewed):
    case, lesion = reviewed.reading.case, reviewed.reading.lesion
    reviewed.reading.keys.put("accept", ["Z"])
    settle(reviewed)
    key(reviewed, "A")
    assert case.document.lesion(lesion.id).decision.verdict is None
    key(reviewed, "Z")
    assert case.document.lesion(lesion.id).decision.verdict == "accepted"


def test_captions_tooltips_menus_and_sentences_follow_at_once(reviewed):
    window = reviewed
    button = next(
        b
        for b in window.panel.findChildren(CommandButton)
        if b.action is window.actions_by_id["accept"]
    )
    window.reading.keys.put("accept", ["Z"])
    window.reading.keys.put("masks", ["Ctrl+Shift+F12"])
    settle(window)
    assert button.findChild(KeyCap)._key == "Z"
    assert "Z" in button.toolTip()
    assert "Z" in window.actions_by_id["accept"].toolTip()
    assert window.reading.keys.name("masks") == "Ctrl+Shift+F12"
    window.reading.keys.put("accept", [])
    settle(window)
    assert not button.findChild(KeyCap).isVisible()
    window.reading.keys.reset_all()
    settle(window)
    assert button.findChild(KeyCap).isVisible()
    assert button.findChild(KeyCap)._key == "A"


def test_no_command_of_the_window_is_without_a_key_or_a_menu(window):
    """What has no key stands in a menu or on a button."""
    reachable = set()
    for widget in window.findChildren(QWidget):
        reachable.update(widget.actions() if widget is not window else ())
        if isinstance(widget, CommandButton):
            reachable.add(widget.action)
    menu = window.conventions.windows.menu(_menu(window), window.actions_by_id)
    reachable.update(menu.actions())
    for command in commands():
        action = window.actions_by_id[command.id]
        assert command.keys or action in reachable, command.id


def _menu(window):
    from PySide6.QtWidgets import QMenu

    return QMenu(window)


# ------------------------------------------------------------------ the editor


@pytest.fixture
def editor(window, qtbot):
    dialog = KeyEditor(window.reading.keys, window)
    dialog.show()
    qtbot.waitExposed(dialog)
    yield dialog
    dialog.close()
    dialog.deleteLater()


def press(editor, key, keys=Qt.KeyboardModifier.NoModifier):
    editor.press.setFocus()
    QTest.keyClick(editor.press, key, keys)
    QTest.qWait(10)


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.qWait(10)


def test_the_editor_gives_a_command_a_free_key(editor, window):
    editor.choose("accept")
    press(editor, Qt.Key.Key_Z)
    assert editor.said.text() == "Z is free."
    assert editor.use.hasFocus() or not editor.isActiveWindow()
    click(editor.use)
    assert window.actions_by_id["accept"].shortcut().toString() == "Z"
    assert editor.chosen.id == "accept"
    assert editor.reset.isEnabled()
    click(editor.reset)
    assert window.actions_by_id["accept"].shortcut().toString() == "A"
    assert not editor.reset_all.isEnabled()


def test_the_editor_names_the_command_that_has_the_key(editor, window):
    editor.choose("accept")
    press(editor, Qt.Key.Key_X)
    assert "“Reject”" in editor.said.text()
    assert window.actions_by_id["reject"].shortcut().toString() == "X"  # nothing happened yet
    click(editor.use)
    assert window.actions_by_id["accept"].shortcut().toString() == "X"
    assert window.actions_by_id["reject"].shortcut().toString() == ""
    click(editor.reset_all)
    assert window.actions_by_id["reject"].shortcut().toString() == "X"


def test_the_editor_adds_a_second_key_and_takes_all(editor, window):
    editor.choose("accept")
    press(editor, Qt.Key.Key_Z, SHIFT)
    click(editor.add)
    assert window.reading.keys.keys_of("accept") == ("A", "Shift+Z")
    click(editor.clear)
    assert window.reading.keys.keys_of("accept") == ()
    assert not editor.clear.isEnabled()
    assert editor.clear.toolTip()


def test_the_editor_refuses_with_a_reason(editor, window):
    editor.choose("abort")
    assert not editor.press.isEnabled()
    assert "keeps its key" in editor.said.text()
    editor.choose("accept")
    press(editor, Qt.Key.Key_Return)
    assert not editor.use.isEnabled()
    assert window.reading.keys.keys_of("accept") == ("A",)


@pytest.mark.parametrize(
    ("words", "found"), [("ctrl+z", {"undo"}), ("cine faster", {"cine_faster"}), ("zzz", set())]
)
def test_the_editor_finds_by_name_and_by_key(editor, words, found):
    editor.search.setText(words)
    shown = {item.data(0, Qt.ItemDataRole.UserRole) for item in editor._items()
             if not item.isHidden()}  # fmt: skip
    assert found <= shown
    assert len(shown) <= len(found) + 1


# ------------------------------------------------------------------- the sheet


def test_the_sheet_shows_every_command_with_its_present_key(window, qtbot):
    asked = []
    sheet = KeySheet(window.reading.keys, lambda: asked.append(1), window)
    sheet.show()
    qtbot.waitExposed(sheet)
    window.reading.keys.put("accept", ["Ctrl+Shift+F11"])
    QTest.qWait(10)
    texts = [label.text() for label in sheet.findChildren(QLabel)]
    for command in commands():
        assert window.actions_by_id[command.id].text() in texts
    caps = [cap._key for cap in sheet.findChildren(KeyCap)]
    assert "Ctrl+Shift+F11" in caps
    click(sheet.edit)
    assert asked == [1]
    sheet.close()
    sheet.deleteLater()


@pytest.mark.parametrize("size", [(1280, 800), (1024, 640), (700, 500), (2400, 1400)])
def test_the_sheet_stays_in_its_window_and_clips_nothing_across(window, qtbot, size):
    window.resize(*size)
    settle(window)
    sheet = KeySheet(window.reading.keys, lambda: None, window)
    sheet.show()
    qtbot.waitExposed(sheet)
    assert sheet.width() <= max(window.width(), 400)
    assert sheet.height() <= window.height()
    inner = sheet._area.widget()
    assert inner.minimumSizeHint().width() <= sheet._area.viewport().width()
    for label in inner.findChildren(QLabel):
        assert label.width() >= label.minimumSizeHint().width()
    sheet.close()
    sheet.deleteLater()
