"""The commands of who reads: two readings of a case, how far they agree, what is settled."""

from __future__ import annotations

from resources.text import translate
from viewer.ui.command import Command


def reader_commands(case: str) -> tuple[Command, ...]:
    """Return them; ``case`` is the name of their group."""
    return (
        Command("labels", case, translate("commands", "Labels…"), ()),
        Command(
            "second_reading",
            case,
            translate("commands", "Second reading: begin, commit, show"),
            ("Ctrl+Alt+R",),
            "switch",
        ),
        Command(
            "commit_reading",
            case,
            translate("commands", "Commit the reading"),
            ("Ctrl+Alt+Return",),
            "switch",
        ),
        Command(
            "agreement",
            case,
            translate("commands", "Agreement of two readings…"),
            ("Ctrl+Alt+A",),
        ),
        Command(
            "pool_agreement",
            case,
            translate("commands", "Agreement over many cases…"),
            ("Ctrl+Alt+P",),
        ),
        Command(
            "adjudicate",
            case,
            translate("commands", "Adjudicate two readings"),
            ("Ctrl+Alt+J",),
            "switch",
        ),
        Command(
            "choose_first", case, translate("commands", "Settle as the first reading"), ("Ctrl+1",)
        ),
        Command(
            "choose_second",
            case,
            translate("commands", "Settle as the second reading"),
            ("Ctrl+2",),
        ),
        Command("choose_own", case, translate("commands", "Settle in your own way"), ("Ctrl+3",)),
        Command(
            "next_difference", case, translate("commands", "Next open difference"), ("Ctrl+Alt+N",)
        ),
    )
