"""``overread deidentify``: copies of DICOM files without the identity of the patient."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer.cli import terminal
from viewer.deid import keyed, mapping
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import REPORT, deidentify
from viewer.deid.keyed import Keys
from viewer.deid.options import options as options_of
from viewer.deid.report import LeftOut, Report

PASSPHRASE = "OVERREAD_PASSPHRASE"
"""Name of the environment's variable that holds the passphrase where nobody can be asked."""

_DONE, _SOME_LEFT_OUT = 0, 1


def deidentify_command(options: Any) -> int:
    """Copy the files; return 0 when all DICOM files could leave, 1 when some were left out.

    Raises
    ------
    Problem
        When nothing could leave, or the mapping cannot be opened.
    """
    if options.whose:
        return _print_whose(options.whose)
    if not options.path or options.out is None:
        raise Problem(
            translate("cli", "Say what to copy, and where to."),
            translate("cli", "Such as: overread deidentify STUDY --out FOLDER"),
        )
    keys, remember = open_keys(once=options.once)
    chosen = options_of(options.keep, pixels_seen=options.pixels_seen, boxes=options.box)
    by = Deidentifier(keys, chosen)
    with terminal.stages() as stages:
        report = deidentify(
            options.path,
            options.out,
            by,
            progress=stages.step(translate("cli", "De-identifying")),
            remember=remember,
        )
    for path, why in report.left_out:
        terminal.note(f"{path}: {_sentence(why)}")
    if options.json:
        terminal.print_json({"folder": str(report.folder), **report.document()})
    else:
        _print(report)
    quiet: set[LeftOut] = {"not-dicom", "directory"}
    return _SOME_LEFT_OUT if report.why_left_out().keys() - quiet else _DONE


def open_keys(*, once: bool) -> tuple[Keys, Callable[[Mapping[str, str]], None]]:
    """Return what makes the pseudonyms, and what remembers patients by them.

    ``once``: those of no mapping, which nobody remembers.

    Raises
    ------
    Problem
        When there is no passphrase, or it does not open the mapping.
    """
    if once:
        return keyed.fresh(), lambda patients: None
    site = mapping.open_mapping(_passphrase())
    return site.keys, site.remember


def _print_whose(pseudonym: str) -> int:
    patient = (
        mapping.open_mapping(_passphrase()).patient_of(pseudonym) if mapping.exists() else None
    )
    if patient is None:
        raise Problem(
            translate("cli", "Nobody left this site as {pseudonym}.").format(pseudonym=pseudonym),
            translate("cli", "Check the letters."),
        )
    terminal.print_line(patient)
    return _DONE


def _passphrase() -> str:
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise Problem(
            translate("cli", "The mapping of pseudonyms needs its passphrase."),
            translate(
                "cli", "Put it into {name}, or use --once for pseudonyms of no mapping."
            ).format(name=PASSPHRASE),
        )
    if mapping.exists():
        return getpass.getpass(translate("cli", "Passphrase of the mapping of pseudonyms: "))
    terminal.note(
        translate(
            "cli",
            "A mapping of pseudonyms is begun: whoever has its passphrase can tell patients "
            "apart and find them again. It cannot be recovered.",
        )
    )
    first = getpass.getpass(translate("cli", "New passphrase: "))
    if getpass.getpass(translate("cli", "Once more: ")) != first:
        raise Problem(
            translate("cli", "The two differ."), translate("cli", "Start again; nothing was done.")
        )
    return first


def _print(report: Report) -> None:
    terminal.print_line(
        translate("cli", "{files} files of {patients} patients, {series} series.").format(
            files=report.files, patients=len(report.patients), series=len(report.series)
        )
    )
    actions: dict[str, int] = {}
    for (_, action, _), _count in report.entries.items():
        actions[action] = actions.get(action, 0) + 1
    terminal.print_table(
        [translate("cli", "Attributes"), translate("cli", "How many")],
        [[action, str(count)] for action, count in sorted(actions.items())],
    )
    for why, count in report.why_left_out().items():
        terminal.print_line(
            translate("cli", "Left out: {count}. {why}").format(count=count, why=_sentence(why))
        )
    if report.faces:
        terminal.print_line(
            translate(
                "cli", "{count} series may show the head: the face can be made visible from them."
            ).format(count=len(report.faces))
        )
    terminal.print_line(
        translate("cli", "Every file was read again: no name, no old UID, nothing private.")
    )
    terminal.print_line(
        translate("cli", "What went, what stayed and why: {file}").format(
            file=report.folder / REPORT
        )
    )


def _sentence(why: LeftOut) -> str:
    return {
        "not-dicom": translate("cli", "This is no DICOM file."),
        "directory": translate("cli", "This is the directory of a medium."),
        "damaged": translate("cli", "The file is damaged."),
        "deflated": translate("cli", "The file is deflated, and too large to be trusted."),
        "pixels-not-seen": translate(
            "cli", "Text may be burned into it: look at it, then use --pixels-seen and --box."
        ),
        "cannot-black-out": translate("cli", "Its pixels cannot be blacked out."),
        "report": translate("cli", "A report: it goes only with --keep structure."),
        "document": translate("cli", "A document that cannot be looked into."),
        "copy": translate("cli", "Another file has the same SOP Instance UID."),
        "check-failed": translate("cli", "The check found identity in the copy."),
    }[why]
