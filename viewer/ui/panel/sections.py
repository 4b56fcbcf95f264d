"""Corrections: the last section of the review panel."""

from __future__ import annotations

from PySide6.QtCore import Qt

from resources.text import translate
from viewer.annotate.lesion import IMPORTED
from viewer.ui import theme
from viewer.ui.panel import words
from viewer.ui.panel.section import Section, titled
from viewer.ui.reading import Reading
from viewer.ui.widgets import note

_SLACK_PX = 4  # figures are not all as wide as a zero


class CorrectionsSection(Section):
    """What was changed against the AI, and when it was last saved."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._saved = note(size_px=theme.HEAD_PX)
        self._saved.setWordWrap(False)
        self._saved.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # It changes twice a step: as wide as it ever is, it moves nothing beside it.
        metrics = self._saved.fontMetrics()
        saved = translate("findings", "Saved {time}").format(time="00:00:00")
        all_said = (
            saved,
            translate("findings", "Read only"),
            translate("findings", "Saving…"),
            translate("findings", "Nothing to save"),
        )
        width = max(metrics.horizontalAdvance(said) for said in all_said)
        self._saved.setFixedSize(width + _SLACK_PX, metrics.height())
        self._text = note()
        self._column.addLayout(titled(translate("findings", "Corrections"), self._saved))
        self._column.addWidget(self._text)

    def refresh(self) -> None:
        """Follow the case."""
        case = self._reading.case
        self.setVisible(case is not None)
        if case is None:
            return
        if case.read_only:
            self._saved.setText(translate("findings", "Read only"))
        elif case.unsaved:
            self._saved.setText(translate("findings", "Saving…"))
        elif case.saved_utc:
            self._saved.setText(
                translate("findings", "Saved {time}").format(time=words.local_time(case.saved_utc))
            )
        else:
            self._saved.setText(translate("findings", "Nothing to save"))
        # How many were deleted would tell of what the AI had marked.
        self._text.setText("" if self._reading.ai_hidden else self._summary())

    def _summary(self) -> str:
        case = self._reading.case
        assert case is not None
        record = case.document.record
        count = {
            "accepted": sum(x.verdict == "accepted" for x in record),
            "rejected": sum(x.verdict == "rejected" for x in record),
            "unsure": sum(x.verdict == "unsure" for x in record),
            "edited": sum(x.origin == "ai-edited" and not x.deleted for x in record),
            "outlined": sum(x.origin == "ai-pointed" and not x.deleted for x in record),
            "imported": sum(x.origin in IMPORTED and not x.deleted for x in record),
            "added": sum(x.origin == "human" and not x.deleted for x in record),
            "deleted": sum(x.deleted for x in record),
        }
        names = {
            "accepted": translate("findings", "{n} accepted"),
            "rejected": translate("findings", "{n} rejected"),
            "unsure": translate("findings", "{n} unsure"),
            "edited": translate("findings", "{n} redrawn"),
            "imported": translate("findings", "{n} imported"),
            "outlined": translate("findings", "{n} outlined at a click"),
            "added": translate("findings", "{n} added"),
            "deleted": translate("findings", "{n} deleted"),
        }
        parts = [names[key].format(n=n) for key, n in count.items() if n]
        if not parts and case.document.findings is not None:
            return translate("findings", "None yet. The AI result stays as it is.")
        return " · ".join(parts) or translate("findings", "None yet.")
