"""Texts of a header in the character set of the file, made fit to be shown as plain text.

The decoders are Python's; what DICOM adds is which of them holds where in a value. pydicom
does the same, but takes half a second to import, which a whole study does not take to open.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping, Sequence

MAX_CHARACTERS = 256
"""Longer texts end in an ellipsis; the standard allows 64, and 3 x 64 for a name (PS3.5 6.2)."""

_CHARACTER_SET = 0x00080005
# Four bytes are the most that a character takes, and an escape sequence before it as many.
_MAX_BYTES = MAX_CHARACTERS * 8
_CUT = "\N{HORIZONTAL ELLIPSIS}"
# By ISO registration number or own name, what holds the characters beyond ASCII (PS3.3 C.12.1.1.2).
_CODECS = {
    "100": "iso8859_1", "101": "iso8859_2", "109": "iso8859_3", "110": "iso8859_4",
    "144": "iso8859_5", "127": "iso8859_6", "126": "iso8859_7", "138": "iso8859_8",
    "148": "iso8859_9", "203": "iso8859_15", "13": "shift_jis", "166": "tis_620",
    "149": "euc_kr", "58": "gb2312", "192": "utf_8", "GB18030": "gb18030", "GBK": "gbk",
    "UTF 8": "utf_8", "UTF8": "utf_8", "GB2312": "gb18030",
}  # fmt: skip
_SET_NAME = re.compile(r"ISO ?(?:2022 ?)?(?:IR ?)?(\d+)")
# These stand alone: no escape sequence means anything in them (PS3.5 6.1.2.5.4).
_ALONE = frozenset({"utf_8", "gb18030", "gbk"})
_ESCAPE = re.compile(rb"(\x1b(?:\$[()]?|[()-])[@-Zb])")
# Escape sequences that change what the bytes from 0xA1 on mean (PS3.3 Tables C.12-3 and C.12-4).
_UPPER = {
    b"-A": "iso8859_1", b"-B": "iso8859_2", b"-C": "iso8859_3", b"-D": "iso8859_4",
    b"-L": "iso8859_5", b"-G": "iso8859_6", b"-F": "iso8859_7", b"-H": "iso8859_8",
    b"-M": "iso8859_9", b"-b": "iso8859_15", b"-T": "tis_620", b")I": "shift_jis",
    b"$)C": "euc_kr", b"$)A": "gb2312",
}  # fmt: skip
# Those that make two bytes below 0x80 one character, by what EUC-JP puts before such a pair.
_PAIRS = {b"$B": b"", b"$@": b"", b"$(D": b"\x8f"}
_PAIR_RUNS = re.compile(rb"((?:[\x21-\x7e]{2})+)")
_RUNS = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")
# Ends of lines and values, and in names of components, end an escape (PS3.5 6.1.2.5.3).
_ENDS, _NAME_ENDS = re.compile(rb"[\t\n\f\r\\]"), re.compile(rb"[\t\n\f\r\\^=]")
# Joiners and marks of order that a text may rightly hold, and of which nothing is to be seen.
_UNSEEN = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
# "Müller" decodes to one ideograph among letters; in Chinese, a single one touches none.
_STRAY = re.compile(r"[A-Za-z][^\0-\x7f](?![^\0-\x7f])|(?<![^\0-\x7f])[^\0-\x7f][A-Za-z]", re.ASCII)
_TOUCHING = re.compile(r"[a-z][^\0-\x7f]|[^\0-\x7f][a-z]")
_CJK = ((0x2E80, 0x303F), (0x31C0, 0x31EF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF))


def words(raw: Mapping[int, bytes], tag: int, *, name: bool = False) -> str:
    """Return a text of the header, decoded by its character set, fit to be shown.

    Parameters
    ----------
    raw
        Values of the elements as stored, by tag, with (0008,0005) Specific Character Set.
    tag
        Of an SH, LO, ST, LT, UT or PN element.
    name
        Whether it is a person name (PN); its components stay parted by ``^`` and ``=``.

    Returns
    -------
    str
        One line of at most ``MAX_CHARACTERS`` without control and format characters. What
        the character set does not explain is tried as UTF-8, then as Chinese (GB18030), then
        taken as Latin; what cannot be shown is a question mark.
    """
    value = raw.get(tag, b"")
    names = raw.get(_CHARACTER_SET, b"").decode("ascii", "replace").split("\\")
    return plain(decoded(value[:_MAX_BYTES], names, name=name))


def person(name: str) -> str:
    """Return a person name (PS3.5 6.2.1) as it is read: ``"山田 太郎 (Yamada, Tarou)"``.

    Parameters
    ----------
    name
        Decoded: alphabetic, ideographic and phonetic groups parted by ``=``, their
        components by ``^``.
    """
    groups = [[part.strip() for part in group.split("^")] for group in name.split("=")]
    family, *given = groups[0]
    alphabetic = ", ".join(part for part in (family, " ".join(filter(None, given))) if part)
    ideographic = " ".join(filter(None, groups[1])) if len(groups) > 1 else ""
    phonetic = " ".join(filter(None, groups[2])) if len(groups) > 2 else ""
    first, *rest = [part for part in (ideographic, alphabetic, phonetic) if part] or [""]
    return f"{first} ({rest[0]})" if rest else first


def plain(text: str) -> str:
    """Return a text on one line, bounded, with nothing in it that is not to be seen.

    Marks of direction could show a name backwards, line ends could hide one; markup is left
    as it is, to be shown as it is.
    """
    cut = len(text) > MAX_CHARACTERS
    text = text[: MAX_CHARACTERS - 1] if cut else text
    if not text.isprintable() or "\ufffd" in text:
        text = "".join(map(_shown, text))
    return text.strip() + (_CUT if cut else "")


def _shown(character: str) -> str:
    if character == "\ufffd":
        return "?"
    if character.isprintable():
        return character
    if character in _UNSEEN:
        return ""
    return " " if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp") else "?"


def decoded(value: bytes, names: Sequence[str], *, name: bool = False) -> str:
    """Decode a text by the defined terms of its Specific Character Set, or by guessing.

    Parameters
    ----------
    value
        As stored, not yet parted at backslashes: Chinese characters may hold one.
    names
        Values of (0008,0005), such as ``["", "ISO 2022 IR 87"]``.
    name
        As of ``words``.
    """
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    declared = [_codec(each) for each in names] or [None]
    first = declared[0]
    if b"\x1b" in value and first not in _ALONE:
        return _escaped(value, first, name)
    if first == "iso8859_1" and (meant := _misnamed(value)) is not None:
        return meant
    # Koreans often leave the escape sequence out: the second set then is the only one meant.
    for codec in (first,) if first else [each for each in declared[1:] if each]:
        text = _strictly(value, codec, cut=True)
        if text is not None:
            return text
    text = _strictly(value, "utf_8")
    if text is None:
        text = _chinese(value)
    return value.decode(first or "iso8859_1", "replace") if text is None else text


def _codec(name: str) -> str | None:
    key = re.sub(r"[\s_-]+", " ", name.strip(" \0")).upper()
    found = _SET_NAME.fullmatch(key)
    return _CODECS.get(found.group(1) if found else key)


def _misnamed(value: bytes) -> str | None:
    """Return a text that is UTF-8 or Chinese though its set is said to be Latin-1, else None.

    Many programs write ISO_IR 100 whatever the text. A letter of Latin-1 followed by its signs
    at every place, or four of its accented letters in a row, is no text of that set.
    """
    text = _strictly(value, "utf_8")
    if text is None:
        return _chinese(value) if re.search(rb"[\xa1-\xfe]{4}", value) else None
    return text


def _strictly(value: bytes, codec: str | None, *, cut: bool = False) -> str | None:
    """Decode; None when it fails. ``cut`` allows for a last character cut by the field's length."""
    try:
        text = codecs.getincrementaldecoder(codec or "ascii")("strict").decode(value, not cut)
    except (UnicodeError, LookupError):
        return None
    # A single byte set holds everything, but no text holds its control characters.
    return None if any("\x80" <= character <= "\x9f" for character in text) else text


def _chinese(value: bytes) -> str | None:
    """Decode as GB18030 if that gives Chinese; accented Latin letters would decode too."""
    text = _strictly(value, "gb18030")
    if text is None:
        return None
    if not all(c.isascii() or any(a <= ord(c) <= b for a, b in _CJK) for c in text):
        return None
    # Of "Jérôme" each accented letter takes the next letter with it; in Chinese, few characters
    # end in a byte of ASCII.
    foreign = [c for c in text if not c.isascii()]
    ascii_ends = sum(c.encode("gb18030")[-1] < 0x80 for c in foreign)
    if 2 * ascii_ends > len(foreign) or (ascii_ends and _TOUCHING.search(text)):
        return None
    return None if _STRAY.search(text) else text


def _escaped(value: bytes, first: str | None, name: bool) -> str:
    """Decode a value with escape sequences (ISO 2022, PS3.5 6.1.2.5)."""
    upper, pair = first, None
    parts: list[str] = []
    for piece in _ESCAPE.split(value):
        if _ESCAPE.fullmatch(piece):
            pair = _PAIRS.get(piece[1:])
            upper = _UPPER.get(piece[1:], upper)
        elif pair is not None:
            parts.append(_pairs(piece, pair, upper))
        else:
            end = (_NAME_ENDS if name else _ENDS).search(piece)
            at = end.start() if end else len(piece)
            parts.append(_stretch(piece[:at], upper))
            # Back to the first set; writers that forget it mean the last one to go on.
            upper = first or upper if end else upper
            parts.append(_stretch(piece[at:], upper))
    return "".join(parts)


def _pairs(piece: bytes, pair: bytes, upper: str | None) -> str:
    parts: list[str] = []
    for n, run in enumerate(_PAIR_RUNS.split(piece)):
        if n % 2:
            high = bytes(byte | 0x80 for byte in run)
            each = (pair + high[at : at + 2] for at in range(0, len(high), 2))
            parts.append(b"".join(each).decode("euc_jp", "replace"))
        else:
            parts.append(_stretch(run, upper))
    return "".join(parts)


def _stretch(piece: bytes, upper: str | None) -> str:
    return "".join(
        run.decode("ascii") if run.isascii() else run.decode(upper or "iso8859_1", "replace")
        for run in _RUNS.findall(piece)
    )
