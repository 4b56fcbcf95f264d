"""Which command can be used now, and why not: said on its button."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from resources.text import translate
from viewer.ui.commands import key_text

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from viewer.session import Case
    from viewer.ui.ai_runner import AiRunner
    from viewer.ui.exporter import Exporter
    from viewer.ui.part import Part
    from viewer.ui.reading import Reading

_ALWAYS = (
    "abort", "open", "open_file", "sample", "worklist", "reader", "keys", "edit_keys", "quit",
    "rail", "panel",
)  # fmt: skip
_NEEDS_LESION = ("accept", "reject", "unsure", "delete")
_CHANGES = ("missed", "brush", "erase", "move")
SWITCHES = ("heatmap", "masks", "fill", "graphics", "crosshair", "invert")


def why_no_journal(case: Case | None) -> str:
    """Return why there is no journal to read, in a sentence; empty when there is one."""
    if case is None:
        return translate("window", "Open a series first.")
    if case.folder is None:
        return str(case.viewing_only or translate("audit", "This case keeps no journal."))
    return ""


def reasons(names: list[str], reading: Reading, ai: AiRunner, exporter: Exporter) -> dict[str, str]:
    """Return for every command why it cannot be used now; empty when it can."""
    case = reading.case
    no_case = "" if case is not None else translate("window", "Open a series first.")
    why = {name: "" if name in _ALWAYS else no_case for name in names}
    why["card"] = "" if ai.is_installed else translate("window", "No model is installed.")
    why["run"] = ai.why_not()
    why["export"] = exporter.why_not()
    if case is None:
        return why
    frozen = str(case.read_only_problem) if case.read_only else ""
    for name in _CHANGES:
        why[name] = frozen
    for name in _NEEDS_LESION:
        none = "" if reading.lesion is not None else translate("window", "Select a finding first.")
        why[name] = frozen or none
    if not _has_overlays(case) and reading.facts.shutter is None:
        why["graphics"] = translate("window", "These files hold no overlays and no shutter.")
    findings = case.document.findings
    if findings is None or findings.heatmap is None:
        why["heatmap"] = translate("window", "Run the model first.")
    nothing = translate("window", "Nothing to undo."), translate("window", "Nothing to redo.")
    why["undo"] = "" if case.can_undo else frozen or nothing[0]
    why["redo"] = "" if case.can_redo else frozen or nothing[1]
    return why


def _has_overlays(case: Case) -> bool:
    if case not in _overlays:  # asked at every step, of hundreds of slices
        _overlays[case] = any(ref.instance.overlay_groups for ref in case.plan.planes)
    return _overlays[case]


_overlays: WeakKeyDictionary[Case, bool] = WeakKeyDictionary()


# What is said on an action: a hundred of them are followed at each step, and few change.
_said: WeakKeyDictionary[QAction, tuple[str, str, tuple[str, ...]]] = WeakKeyDictionary()


def say(action: QAction, why_not: str, keys: tuple[str, ...]) -> None:
    """Enable an action, or say why it cannot be used; nothing is touched that is so already."""
    now = action.text(), why_not, keys
    if _said.get(action) == now:
        return
    _said[action] = now
    action.setEnabled(not why_not)
    said = f"{now[0]}  {key_text(keys)}".rstrip()
    action.setToolTip(f"{said}\n{why_not}" if why_not else said)


def follow(
    actions: dict[str, QAction],
    reading: Reading,
    ai: AiRunner,
    exporter: Exporter,
    parts: tuple[Part, ...] = (),
) -> None:
    """Enable, check and name the actions as the state demands."""
    why = reasons(list(actions), reading, ai, exporter)
    for part in parts:
        why |= part.reasons()
    for name, action in actions.items():
        say(action, why[name], reading.keys.keys_of(name))
    case = reading.case
    if not why["undo"] and case is not None:
        text = translate("window", "Undo “{step}”").format(step=case.undo_name)
        actions["undo"].setToolTip(text)
    if not why["redo"] and case is not None:
        text = translate("window", "Redo “{step}”").format(step=case.redo_name)
        actions["redo"].setToolTip(text)
    for switch in SWITCHES:
        actions[switch].setChecked(getattr(reading.shown, switch))
    for part in parts:
        for name, on in part.checked().items():
            actions[name].setChecked(on)
    actions["ball"].setChecked(reading.brush_ball)
    actions[reading.tool].setChecked(True)
