"""What a model found, in the words and the JSON that commands print."""

from __future__ import annotations

import json
from pathlib import Path

from inference.findings import Impression
from resources.text import translate
from viewer.cli import terminal
from viewer.impression import agreement_percent, malignancy_text, source_text, texture_text


def print_document(folder: Path) -> None:
    """Print the findings that an export wrote, as JSON."""
    document = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    terminal.print_json({"folder": str(folder), **document})


def impression(said: Impression) -> str:
    """Return malignancy and texture, such as ``"3.2 of 5, solid"``."""
    return f"{malignancy_text(said)}, {texture_text(said)}"


def brief_impression(said: Impression) -> str:
    """Return the same below a title that names the scale, such as ``"3.2, solid"``."""
    return f"{said.malignancy:.1f}, {texture_text(said)}"


def agreement(uncertainty: float) -> str:
    """Return how far the outlines agree, such as ``"93 %"``."""
    return f"{agreement_percent(uncertainty)} %"


def directions() -> str:
    """Return what the three numbers of a centre mean."""
    return translate("cli", "Centre: mm to the patient's left, to posterior, to the head.")


def footnotes(impressed: bool, folder: Path) -> list[str]:
    """Return the last lines: whose impression it is, where the export lies, what it is not for."""
    return [
        *([f"* {source_text()}"] if impressed else []),
        translate("cli", "Export: {folder}").format(folder=folder),
        translate("cli", "Research use. Not for diagnosis."),
    ]
