"""What happens to a case beside edits, for its audit log: kept in the journal, replayed by none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from resources.text import translate

# Kind of such a record.
EVENT = "event"

What = Literal[
    "exported", "recovered", "taken-over", "log-saved", "attended",
    "second-begun", "second-committed", "first-committed", "first-reopened",
    "adjudication-begun", "agreement-saved",
]  # fmt: skip
# Whether a reading is committed after an event; others leave it as it was.
COMMITS = {"second-committed": True, "first-committed": True, "first-reopened": False}


def event_text(body: Mapping[str, Any]) -> str:
    """Return what happened, in words."""
    what = str(body["what"])
    if what == "second-begun" and body.get("seen"):
        return translate("audit", "Second reading begun; its reader had the first on screen before")
    if what == "adjudication-begun" and body.get("reader"):
        return translate("audit", "Adjudication begun, by one of the two readers")
    known = {
        "exported": translate("audit", "Exported and checked"),
        "recovered": translate("audit", "Damaged journal mended; {n} entries were whole"),
        "taken-over": translate(
            "audit", "Taken over from a program that had ended without closing"
        ),
        "second-begun": translate("audit", "Second reading begun"),
        "second-committed": translate("audit", "Second reading committed"),
        "first-committed": translate("audit", "First reading committed"),
        "first-reopened": translate("audit", "First reading open again"),
        "adjudication-begun": translate("audit", "Adjudication begun"),
        "agreement-saved": translate("audit", "Agreement of the readings saved as a file"),
        "log-saved": translate("audit", "This log saved as a file"),
    }
    return known.get(what, what).format(n=body.get("entries", ""))
