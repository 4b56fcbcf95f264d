"""The figures of a comparison of two models in words, alike on the card and after a retraining."""

from __future__ import annotations

from collections.abc import Callable

from resources.text import translate

NAMES: dict[str, Callable[[], str]] = {
    "dice": lambda: translate("dialogs", "Dice of outlines"),
    "sensitivity": lambda: translate("dialogs", "Nodules found"),
    "false_blobs_a_crop": lambda: translate("dialogs", "False findings a crop"),
    "long_axis_error_mm": lambda: translate("dialogs", "Error of the long axis, mm"),
    "heat_calibration_error": lambda: translate("dialogs", "Calibration error of the heatmap"),
    "auc": lambda: translate("dialogs", "Area under the ROC curve"),
    "accuracy": lambda: translate("dialogs", "Accuracy of accept or reject"),
    "precision": lambda: translate("dialogs", "Precision"),
    "recall": lambda: translate("dialogs", "Recall"),
    "f1": lambda: translate("dialogs", "F1"),
}


def difference(value: float | None) -> str:
    """Return a difference with its sign; a dash where there is none."""
    return "–" if value is None else f"{value:+.3f}"
