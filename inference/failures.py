"""Why a run of the model process ended without an answer, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.problem import Problem
from resources.text import translate


def not_started(detail: str) -> Problem:
    """Return what to say when the process could not be started."""
    return Problem(
        translate("model", "The model process could not be started."),
        translate("model", "Install Overread again."),
        detail,
    )


def stopped(detail: str) -> Problem:
    """Return what to say when the process died."""
    return Problem(
        translate("model", "The model process stopped unexpectedly."),
        translate("model", "Run the model again; the study and your work are unharmed."),
        detail,
    )


def out_of_memory(detail: str) -> Problem:
    """Return what to say when memory ended the process."""
    return Problem(
        translate("model", "The model process was ended, most likely because memory ran out."),
        translate("model", "Close other programs and run the model again."),
        detail,
    )


def answered(value: Mapping[str, Any]) -> Problem:
    """Return the problem that a message of kind ``failed`` tells."""
    code, detail = value["code"], value["detail"]
    if code == "no_lungs":
        return Problem(
            translate("model", "No lungs were found in this series."),
            translate("model", "Choose a CT of the chest that shows aerated lung."),
            detail,
        )
    if code == "memory":
        return out_of_memory(detail)
    if code == "device":
        return Problem(
            translate("model", "There is no device named {id} on this computer.").format(id=detail),
            translate("model", "Choose automatic or the CPU."),
        )
    if code == "model":
        return Problem(value["sentence"], value["remedy"], detail)
    return Problem(
        translate("model", "The model failed on this series."),
        translate("model", "Please report it; the log holds the technical detail."),
        detail,
    )
