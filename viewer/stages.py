"""The stages of a model run in words, alike in the window and in the terminal."""

from __future__ import annotations

from inference.protocol import Progress
from resources.text import translate


def stage_text(step: Progress) -> str:
    """Return the shown name of a stage, with what had to be given up for want of memory."""
    name = {
        "start": translate("stages", "Starting the model"),
        "prepare": translate("stages", "Preparing the images"),
        "lungs": translate("stages", "Finding the lungs"),
        "load": translate("stages", "Loading the model"),
        "detect": translate("stages", "Looking for nodules"),
        "reduce": translate("stages", "Outlining what was found"),
        "measure": translate("stages", "Measuring"),
        "outline": translate("stages", "Outlining"),
    }.get(step.stage, step.stage)
    given_up = {
        "smaller": translate("stages", "memory is short, smaller steps"),
        "cpu": translate("stages", "memory is short, on the CPU"),
    }.get(step.note)
    return f"{name} ({given_up})" if given_up else name
