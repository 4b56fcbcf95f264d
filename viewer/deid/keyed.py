"""What stands for UIDs, patients and dates: all from one secret, so equal in every export.

HMAC-SHA-256 (RFC 2104): who lacks the secret can neither go back nor try patient identifiers out.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256

SECRET_BYTES = 32
_SHIFT_LEAST, _SHIFT_SPAN = 30, 3620
# A date, maybe as before 1993 with points, and for a DT what follows of time and offset.
_WHEN = re.compile(
    r"(\d{4})\.?(\d{2})\.?(\d{2})((?:\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?)"
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The pseudonyms of one site.

    Attributes
    ----------
    secret
        32 random bytes.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError("not a secret of 32 bytes")

    def uid(self, original: str) -> str:
        """Return the UID in place of another (PS3.5 B.2: 2.25 and 122 random bits or more)."""
        digest = bytearray(self._digest("uid", original)[:16])
        digest[6] = digest[6] & 0x0F | 0x80  # a UUID of version 8: of its maker's own making
        digest[8] = digest[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(digest, 'big')}"

    def patient(self, original: str) -> str:
        """Return the pseudonym of a patient, such as ``"P-7Q2ZK4MH3A"``."""
        return "P-" + base64.b32encode(self._digest("patient", original))[:10].decode()

    def reader(self, name: str) -> str:
        """Return what a reader is called outside of the site, such as ``"R-5DQK7A"``."""
        return "R-" + base64.b32encode(self._digest("reader", name))[:6].decode()

    def shift_days(self, original: str) -> int:
        """Return by how many days all dates of a patient lie earlier, 30 to 3649."""
        digest = int.from_bytes(self._digest("shift", original)[:8], "big")
        return _SHIFT_LEAST + digest % _SHIFT_SPAN

    def _digest(self, what: str, original: str) -> bytes:
        return hmac.digest(self.secret, f"{what}:{original}".encode(), sha256)


def fresh() -> Keys:
    """Return keys that nobody keeps: what is made with them fits no other export."""
    return Keys(secrets.token_bytes(SECRET_BYTES))


def shifted(value: str, days: int) -> str:
    """Return a DA or DT value that many days earlier; empty when it holds no whole date.

    Time of day and offset from UTC stay (PS3.5 6.2).
    """
    found = _WHEN.fullmatch(value.strip())
    if found is None:
        return ""
    year, month, day = (int(part) for part in found.groups()[:3])
    try:
        earlier = date(year, month, day) - timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{earlier.year:04d}{earlier.month:02d}{earlier.day:02d}{found.group(4)}"
