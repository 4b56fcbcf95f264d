"""The one mapping of a site: its secret, and who is behind each pseudonym, encrypted.

It lies in the program's data folder, never beside what leaves. A file of JSON tells how it is
locked; the rest is one token of Fernet (AES-128-CBC and HMAC-SHA-256, library ``cryptography``)
whose key follows from a passphrase by scrypt (RFC 7914).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any, Literal

from resources.problem import Problem
from resources.text import translate
from viewer import folders
from viewer.deid import keyed
from viewer.deid.keyed import Keys

FORMAT = "overread-pseudonyms"
SHORTEST = 10
"""Characters of a passphrase."""

Strength = Literal["short", "weak", "fair", "good"]
_FAIR, _GOOD, _KINDS, _WORDS = 12, 20, 6, 4

# 64 MB and some tenths of a second for each guess.
_SCRYPT = {"n": 1 << 16, "r": 8, "p": 1}
_LIMITS = {"n": 1 << 18, "r": 16, "p": 4}


def place() -> Path:
    """Return where the mapping of this site lies, or will."""
    return folders.data_dir() / "deid" / "mapping.json"


class SiteMapping:
    """An opened mapping; ``open_mapping`` makes one.

    Attributes
    ----------
    keys
        What makes the pseudonyms.
    """

    def __init__(self, path: Path, key: bytes, lock: AnyMapping[str, Any], secret: bytes) -> None:
        self._path = path
        self._key = key
        self._lock = dict(lock)
        self.keys = Keys(secret)

    def remember(self, patients: AnyMapping[str, str]) -> None:
        """Add patients by their pseudonyms, on the disk before this returns.

        Raises
        ------
        Problem
            When it cannot be written.
        """
        known = dict(self._read())
        if all(known.get(pseudonym) == patient for pseudonym, patient in patients.items()):
            return
        _write(self._path, self._lock, self._key, self.keys.secret, known | dict(patients))

    def patient_of(self, pseudonym: str) -> str | None:
        """Return what a patient is known by at this site; None when it never left."""
        return self._read().get(pseudonym.strip().upper())

    def _read(self) -> dict[str, str]:
        # Anew each time: another program may have added some.
        return _opened(self._path, self._key)[1]


def exists() -> bool:
    """Return whether this site has a mapping."""
    return place().is_file()


def open_mapping(passphrase: str) -> SiteMapping:
    """Open the mapping of this site; one that is not there yet is begun.

    Raises
    ------
    Problem
        When the passphrase is wrong or too short, or the file is damaged or cannot be written.
    """
    path = place()
    if not path.is_file():
        _begin(path, passphrase)
    lock = _lock(path)
    key = _key(passphrase, lock)
    secret, _ = _opened(path, key)
    return SiteMapping(path, key, lock, secret)


def strength(passphrase: str) -> Strength:
    """Return how hard a passphrase is to guess, roughly: length is what counts."""
    count, kinds = len(passphrase), len(set(passphrase.lower()))
    if count < SHORTEST:
        return "short"
    if count < _FAIR or kinds < _KINDS or passphrase.isdigit():
        return "weak"
    if count >= _GOOD or (len(passphrase.split()) >= _WORDS and count >= _FAIR):
        return "good"
    return "fair"


def set_aside() -> Path | None:
    """Put the mapping beside where it lay, and return where; the next passphrase begins a new one.

    For who has forgotten the passphrase. Nothing is deleted: who remembers puts it back.

    Raises
    ------
    Problem
        When it cannot be moved.
    """
    path = place()
    if not path.is_file():
        return None
    try:
        for number in range(1, 1000):
            aside = path.with_name(f"mapping-{number}.json")
            if not aside.exists():
                return path.rename(aside)
    except OSError as error:
        raise _unwritten(error) from error
    raise _unwritten(FileExistsError())


def _begin(path: Path, passphrase: str) -> None:
    if len(passphrase) < SHORTEST:
        raise Problem(
            translate("deid", "The passphrase is too short."),
            translate("deid", "Choose one of {count} characters or more.").format(count=SHORTEST),
        )
    lock = {"kind": "scrypt", "salt": base64.b64encode(secrets.token_bytes(16)).decode(), **_SCRYPT}
    key, secret = _key(passphrase, lock), secrets.token_bytes(keyed.SECRET_BYTES)
    _write(path, lock, key, secret, {}, new=True)


def _lock(path: Path) -> dict[str, Any]:
    document = _document(path)
    lock = document.get("lock")
    if document.get("format") != FORMAT or not isinstance(lock, dict):
        raise _damaged()
    if document.get("version") != 1:
        raise Problem(
            translate("deid", "The mapping of pseudonyms is of a newer Overread."),
            translate("deid", "Use the newer one; nothing was changed."),
        )
    return lock


def _key(passphrase: str, lock: AnyMapping[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    try:
        numbers = {name: int(lock[name]) for name in _SCRYPT}
        salt = base64.b64decode(lock["salt"], validate=True)
        if any(not 0 < numbers[name] <= _LIMITS[name] for name in numbers):
            raise ValueError("out of bounds")
        found = Scrypt(salt, 32, numbers["n"], numbers["r"], numbers["p"])
        return base64.urlsafe_b64encode(found.derive(passphrase.encode()))
    except (KeyError, TypeError, ValueError):
        raise _damaged() from None


def _opened(path: Path, key: bytes) -> tuple[bytes, dict[str, str]]:
    from cryptography.fernet import Fernet, InvalidToken

    token = _document(path).get("token")
    if not isinstance(token, str):
        raise _damaged()
    try:
        inside = json.loads(Fernet(key).decrypt(token.encode()))
    except InvalidToken:
        raise Problem(
            translate("deid", "The passphrase does not open the mapping of pseudonyms."),
            translate("deid", "Type it again; without it nobody can go on with this mapping."),
        ) from None
    return base64.b64decode(inside["secret"]), dict(inside["patients"])


def _write(
    path: Path,
    lock: AnyMapping[str, Any],
    key: bytes,
    secret: bytes,
    patients: AnyMapping[str, str],
    *,
    new: bool = False,
) -> None:
    from cryptography.fernet import Fernet

    inside = {"secret": base64.b64encode(secret).decode(), "patients": dict(patients)}
    token = Fernet(key).encrypt(json.dumps(inside).encode()).decode()
    document = {"format": FORMAT, "version": 1, "lock": dict(lock), "token": token}
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with part.open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(document, indent=1))
            stream.flush()
            os.fsync(stream.fileno())
        if os.name == "posix":
            part.chmod(0o600)
        if new and path.exists():
            return  # another program was quicker; its secret counts
        part.replace(path)
    except OSError as error:
        raise _unwritten(error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(
            translate("deid", "The mapping of pseudonyms cannot be read."),
            translate("deid", "Check the rights of the program's data folder."),
            f"{type(error).__name__} errno {error.errno}",
        ) from error
    except ValueError:
        raise _damaged() from None
    if not isinstance(document, dict):
        raise _damaged()
    return document


def _unwritten(error: OSError) -> Problem:
    return Problem(
        translate("deid", "The mapping of pseudonyms could not be written."),
        translate("deid", "Check the disk and the rights of the program's data folder."),
        f"{type(error).__name__} errno {error.errno}",
    )


def _damaged() -> Problem:
    return Problem(
        translate("deid", "The mapping of pseudonyms is damaged."),
        translate("deid", "Put a copy of it back; with a new one, new exports fit no earlier one."),
    )
