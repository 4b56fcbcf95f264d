"""Pseudonyms of a training set, and which side its patients are on: all by one secret.

It is the site's where the set was begun with the site's passphrase. Else a set has one of its own,
in the program's data folder and never beside what leaves: whoever had it could try patient
identifiers out.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import os
import secrets as random
from hashlib import sha256
from pathlib import Path

from resources.problem import Problem
from resources.text import translate
from viewer import folders
from viewer.deid.keyed import SECRET_BYTES, Keys
from viewer.export.sets.formats import FOLDS, Side

_FORMAT = "overread-set-secret"


def proof(keys: Keys) -> str:
    """Return what tells two secrets apart and gives neither away."""
    return _digest(keys, "proof", "").hex()[:32]


def side_of(keys: Keys, patient: str, test_percent: int) -> tuple[Side, int | None]:
    """Return the side of a patient, and the fold; a test patient is in none.

    It follows from the secret and the patient alone, so it never changes.

    Parameters
    ----------
    patient
        The pseudonym.
    test_percent
        Share of the patients that are kept for the test, 0 to 90.
    """
    share = int.from_bytes(_digest(keys, "side", patient)[:8], "big") / 2**64
    if share < test_percent / 100:
        return "test", None
    fold = int.from_bytes(_digest(keys, "fold", patient)[:8], "big") % FOLDS
    return ("training" if fold else "validation"), fold


def _digest(keys: Keys, what: str, of: str) -> bytes:
    return hmac.digest(keys.secret, f"set-{what}:{of}".encode(), sha256)


def place(set_id: str) -> Path:
    """Return where the secret of a set lies that has one of its own."""
    return folders.data_dir() / "deid" / "sets" / f"{set_id}.json"


def fresh() -> Keys:
    """Return a new secret, not kept yet."""
    return Keys(random.token_bytes(SECRET_BYTES))


def keep(set_id: str, keys: Keys) -> None:
    """Write the secret of a new set, on the disk before this returns.

    Raises
    ------
    Problem
        When it cannot be written.
    """
    path = place(set_id)
    part = path.with_name(f".{path.name}.{random.token_hex(6)}.part")
    document = {"format": _FORMAT, "version": 1, "secret": base64.b64encode(keys.secret).decode()}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with part.open("x", encoding="utf-8") as stream:
            if os.name == "posix":
                part.chmod(0o600)
            stream.write(json.dumps(document, indent=1))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise Problem(
            translate("export", "The secret of the training set could not be written."),
            translate("export", "Check the disk and the rights of the program's data folder."),
            f"{type(error).__name__} errno {error.errno}",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def kept(set_id: str) -> Keys:
    """Return the secret of a set that has one of its own.

    Raises
    ------
    Problem
        When it is not here: the set was begun elsewhere.
    """
    try:
        document = json.loads(place(set_id).read_text(encoding="utf-8"))
        return Keys(base64.b64decode(document["secret"], validate=True))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            translate("export", "This training set was begun elsewhere: its secret is not here."),
            translate("export", "Go on with it where it was begun, or begin another set."),
            type(error).__name__,
        ) from None
