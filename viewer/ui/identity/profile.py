"""What may stay when identity goes: the options of PS3.15, each with its name and a sentence."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from resources.text import translate
from viewer.deid.options import KEEP, Keep
from viewer.ui.dialogs import buttons
from viewer.ui.inputs import Pick, Tick
from viewer.ui.settings import Settings
from viewer.ui.widgets import head, note, rule

_KEPT, _WHOSE = "deid_keep", "deid_pseudonyms"
_ONCE = "once"
_WIDE, _INDENT_PX = 560, 26


def remembered(settings: Settings) -> tuple[Keep, ...]:
    """Return what this site lets stay: nothing, until somebody chooses."""
    named = settings.text(_KEPT).split(",")
    return tuple(one for one in KEEP if one in named)


def is_once(settings: Settings) -> bool:
    """Return whether each export is to have pseudonyms of its own."""
    return settings.text(_WHOSE) == _ONCE


def name(one: Keep) -> str:
    """Return what is kept, in a few words."""
    return {
        "dates": translate("deid", "Dates, shifted"),
        "device": translate("deid", "The device"),
        "characteristics": translate("deid", "Age, sex, size and weight"),
        "uids": translate("deid", "Unique identifiers (UIDs)"),
        "descriptions": translate("deid", "Descriptions, cleaned"),
        "structure": translate("deid", "The content of reports, cleaned"),
    }[one]


def standard_name(one: Keep) -> str:
    """Return how PS3.15 calls the option."""
    return {
        "dates": translate("deid", "Retain Longitudinal Temporal Information, Modified Dates"),
        "device": translate("deid", "Retain Device Identity"),
        "characteristics": translate("deid", "Retain Patient Characteristics"),
        "uids": translate("deid", "Retain UIDs"),
        "descriptions": translate("deid", "Clean Descriptors"),
        "structure": translate("deid", "Clean Structured Content"),
    }[one]


def sentence(one: Keep) -> str:
    """Return what the option does and what it gives away."""
    return {
        "dates": translate(
            "deid",
            "All dates of a patient lie earlier by the same number of days, so that times "
            "between studies stay true. Without it, dates go.",
        ),
        "device": translate(
            "deid", "Names and serial numbers of scanner and station: they may tell the hospital."
        ),
        "characteristics": translate(
            "deid", "What research needs of the patient; above 90 years the age becomes 90."
        ),
        "uids": translate(
            "deid",
            "Who has the originals can find them again. Only where the copies must fit them.",
        ),
        "descriptions": translate(
            "deid", "Of study and series descriptions, words that are known to be harmless."
        ),
        "structure": translate(
            "deid", "Without it, structured reports are left out; of text, known words stay."
        ),
    }[one]


class ProfileDialog(QDialog):
    """Ticks what stays; what is ticked is the site's choice from then on."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(translate("deid", "What stays when identity goes"))
        self.ticks: dict[Keep, Tick] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(6)
        column.addWidget(head(translate("deid", "Always taken out")))
        column.addWidget(
            note(
                translate(
                    "deid",
                    "Names, identifiers, birth dates, addresses, comments, private elements, "
                    "overlays: the Basic Application Level Confidentiality Profile of DICOM "
                    "PS3.15, Annex E.",
                )
            )
        )
        column.addWidget(rule())
        column.addWidget(head(translate("deid", "May stay")))
        kept = remembered(settings)
        for one in KEEP:
            tick = self.ticks[one] = Tick(f"{name(one)}  ·  {standard_name(one)}")
            tick.setChecked(one in kept)
            column.addWidget(tick)
            said = note(sentence(one))
            said.setContentsMargins(_INDENT_PX, 0, 0, 4)
            column.addWidget(said)
        column.addWidget(rule())
        column.addWidget(head(translate("deid", "Pseudonyms")))
        self.site = Pick(translate("deid", "The same in every export of this site (passphrase)"))
        self.each = Pick(translate("deid", "New ones in each export; nobody can go back"))
        (self.each if is_once(settings) else self.site).setChecked(True)
        column.addWidget(self.site)
        column.addWidget(self.each)
        column.addWidget(buttons(self, cancel=True))
        # Wrapped words tell their height only once they have a width.
        self.setMinimumWidth(_WIDE)
        self.setMinimumHeight(column.totalHeightForWidth(_WIDE))

    def accept(self) -> None:
        kept = [one for one, tick in self.ticks.items() if tick.isChecked()]
        self._settings.put(_KEPT, ",".join(kept))
        self._settings.put(_WHOSE, _ONCE if self.each.isChecked() else "")
        super().accept()


def summary(settings: Settings) -> str:
    """Return in a line what stays."""
    kept = [name(one) for one in remembered(settings)]
    if not kept:
        return translate("deid", "Nothing of the patient, the staff or the device stays.")
    return translate("deid", "What stays: {kept}.").format(kept="; ".join(kept))
