"""Every sentence that a user sees goes through ``translate``, as literals that lupdate finds."""

from __future__ import annotations

import ast
import re
import string

from sources import ROOT, calls, dotted, place, shipped, tree

# Qt and argparse calls whose first text is read by a person.
SHOWN = {
    "setText", "setToolTip", "setWindowTitle", "setPlaceholderText", "setStatusTip", "setTitle",
    "setWhatsThis", "setAccessibleName", "setAccessibleDescription", "showMessage", "addMenu",
    "addAction", "addTab", "setFormat", "QLabel", "QPushButton", "QAction", "QCheckBox",
    "QRadioButton", "QGroupBox", "QToolButton", "QMenu", "QDockWidget", "print", "Problem",
}  # fmt: skip
SHOWN_KEYWORDS = {"add_argument": {"help"}, "add_parser": {"help", "description"},
                  "ArgumentParser": {"description", "epilog"}}  # fmt: skip


def sentences():
    """Yield every file and call of ``translate``, start.py's scripts included."""
    for path in (*shipped(), *(ROOT / "packaging").glob("bootstrap*.py")):
        if path != ROOT / "resources" / "text.py":
            for name, call in calls(path):
                if name in ("translate", "text.translate"):
                    yield path, call


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def wordy(node: ast.expr) -> bool:
    """Tell whether an expression is a literal text with a word in it."""
    if isinstance(node, ast.JoinedStr):
        return any(wordy(part) for part in node.values)
    text = literal(node)
    return text not in (None, "Overread") and re.search(r"[A-Za-z]{3}", text) is not None


def test_context_and_source_are_literals():
    found = [
        place(path, call)
        for path, call in sentences()
        if len(call.args) < 2 or literal(call.args[0]) is None or literal(call.args[1]) is None
    ]
    assert not found


def test_there_are_sentences():
    assert sum(1 for _ in sentences()) > 20


def test_placeholders_are_filled_by_name_and_completely():
    wrong = []
    for path in {path for path, _ in sentences()}:
        for node in ast.walk(tree(path)):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "format"
                and isinstance(node.func.value, ast.Call)
                and dotted(node.func.value.func) in ("translate", "text.translate")
            ):
                continue
            source = literal(node.func.value.args[1]) or ""
            wanted = {
                name for _, name, _, _ in string.Formatter().parse(source) if name is not None
            }
            given = {keyword.arg for keyword in node.keywords}
            if None not in given and (wanted != given or node.args):
                wrong.append(f"{place(path, node)}: {wanted ^ given}")
    assert not wrong


def test_no_text_is_shown_untranslated():
    found = []
    for path in shipped():
        if "training" in path.parts:  # read by those who make models, in a terminal, in English
            continue
        for name, call in calls(path):
            short = name.rpartition(".")[2]
            texts = call.args[:1] if short in SHOWN else []
            texts += [k.value for k in call.keywords if k.arg in SHOWN_KEYWORDS.get(short, ())]
            found += [f"{place(path, call)} {short}" for text in texts if wordy(text)]
    assert not found
