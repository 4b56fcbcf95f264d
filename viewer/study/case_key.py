"""A key for one case that may stand in logs and file names: it says nothing of the patient."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

from viewer import folders

_SALT_BYTES = 32


def case_key(series_uid: str, part: str = "") -> str:
    """Return 32 hex digits for a volume, the same in every run of this installation.

    Parameters
    ----------
    series_uid
        Series Instance UID (0020,000E).
    part
        ``StackPlan.part``: which of several volumes of the series; empty when it is the only one.

    Notes
    -----
    HMAC-SHA-256 with a random salt that never leaves the data folder, so that a key in a
    log cannot be matched to a UID by who has the log alone.
    """
    salt = _salt(folders.data_dir() / "case-key-salt")
    # A UID holds no slash; without a part the key is that of all cases saved before.
    which = f"{series_uid}/{part}" if part else series_uid
    return hmac.new(salt, which.encode("utf-8"), hashlib.sha256).hexdigest()[:32]


@cache
def _salt(file: Path) -> bytes:
    for _ in range(2):
        try:
            salt = file.read_bytes()
        except FileNotFoundError:
            _create(file, damaged=False)
            continue
        if len(salt) == _SALT_BYTES:
            return salt
        _create(file, damaged=True)
    return file.read_bytes()


def _create(file: Path, *, damaged: bool) -> None:
    # Written aside, then linked into place: of two programs that start together, both
    # must end with the same salt, and a kill half-way must not leave a short file.
    part = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(secrets.token_bytes(_SALT_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        if damaged:
            part.replace(file)
        else:
            os.link(part, file)
    except FileExistsError:
        pass
    except OSError:
        # A file system without hard links.
        if not file.exists():
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)
