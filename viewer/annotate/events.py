"""What happens to a case beside edits, for its audit log: kept in the journal, replayed by none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from resources.text import translate

# Kind of such a record.
EVENT = "event"

What = Literal["exported", "recovered", "taken-over", "log-saved", "second-committed", "attended"]


def event_text(body: Mapping[str, Any]) -> str:
    """Return what happened, in words."""
    what = str(body["what"])
    known = {
        "exported": translate("audit", "Exported and checked"),
        "recovered": translate("audit", "Damaged journal mended; {n} entries were whole"),
        "taken-over": translate(
            "audit", "Taken over from a program that had ended without closing"
        ),
        "second-committed": translate("audit", "Second reading committed"),
        "log-saved": translate("audit", "This log saved as a file"),
    }
    return known.get(what, what).format(n=body.get("entries", ""))
