"""Names as PS3.5 Annexes H to K write them, as pydicom reads them, and as nobody should."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, decode_bytes

from viewer.study.header import Unusable, read_header
from viewer.study.words import MAX_CHARACTERS, decoded, person, plain, words

JAPANESE = "=山田^太郎=やまだ^たろう"
ANNEXES = {
    "H.3.1": (
        ["", "ISO 2022 IR 87"],
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou" + JAPANESE,
    ),
    "H.3.2": (
        ["ISO 2022 IR 13", "ISO 2022 IR 87"],
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
        b"=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ" + JAPANESE,
    ),
    "I.2": (
        ["", "ISO 2022 IR 149"],
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"
        b"=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    "J.1": (
        ["ISO_IR 192"],
        b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=",
        "Wang^XiaoDong=王^小東=",
    ),
    "J.3": (
        ["GB18030"],
        b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=",
        "Wang^XiaoDong=王^小东=",
    ),
    "K.2": (
        ["", "ISO 2022 IR 58"],
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab= ",
        "Zhang^XiaoDong=张^小东= ",
    ),
}


@pytest.mark.parametrize("annex", ANNEXES)
def test_the_names_of_the_standard(annex: str) -> None:
    names, value, text = ANNEXES[annex]
    assert decoded(value, names, name=True) == text


def test_the_supplementary_kanji_and_the_code_that_pydicom_does_not_know() -> None:
    assert decoded(b"\x1b$(D\x30\x21\x1b(B", ["", "ISO 2022 IR 159"]) == "丂"
    assert decoded(b"\x1b$B\x30\x21\x1b(B", ["", "ISO 2022 IR 87"]) == "亜"


def test_lines_of_a_text_end_the_escape_and_a_caret_only_that_of_a_name() -> None:
    value = b"\x1b$)C\xb1\xe6^\xb5\xbf"
    assert decoded(value, ["", "ISO 2022 IR 149"]) == "길^동"
    # Latin-1 holds again behind the caret of a name that began with it.
    assert decoded(value, ["ISO 2022 IR 100", "ISO 2022 IR 149"], name=True) == "길^µ¿"
    assert decoded(value, ["ISO 2022 IR 100", "ISO 2022 IR 149"]) == "길^동"


@pytest.mark.parametrize(
    ("number", "codec", "text"),
    [
        (100, "latin-1", "Äneas^Rüdiger"),
        (101, "iso8859-2", "Wałęsa"),
        (109, "iso8859-3", "Ĵoĥo"),
        (110, "iso8859-4", "Šķēle"),
        (144, "iso8859-5", "Люкceмбypг"),
        (127, "iso8859-6", "قباني^لنزار"),
        (126, "iso8859-7", "Διονυσιος"),
        (138, "iso8859-8", "שרון^דבורה"),
        (148, "iso8859-9", "Çavuşoğlu"),
        (203, "iso8859-15", "Œuvre €"),
        (166, "tis-620", "นามสกุล"),
        (13, "shift_jis", "ﾔﾏﾀﾞ"),
    ],
)
def test_every_single_byte_set(number: int, codec: str, text: str) -> None:
    value = text.encode(codec)
    assert decoded(value, [f"ISO_IR {number}"]) == text
    assert decoded(value, [f"ISO 2022 IR {number}", "ISO 2022 IR 87"]) == text
    # Misspelt as writers do.
    assert decoded(value, [f"ISO IR {number}"]) == decoded(value, [f"iso-ir {number} "]) == text


@pytest.mark.parametrize("names", [[], [""], ["ISO_IR 6"], ["KLINGON 01"], ["ISO 2022 IR 6"]])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("王^小东".encode(), "王^小东"),
        ("Müller^Jürgen".encode(), "Müller^Jürgen"),
        ("王^小东".encode("gb18030"), "王^小东"),
        ("李^喆".encode("gb18030"), "李^喆"),
        ("CT胸部平扫 5mm".encode("gb18030"), "CT胸部平扫 5mm"),
        ("Müller^Jürgen".encode("latin-1"), "Müller^Jürgen"),
        ("Größe".encode("latin-1"), "Größe"),
        ("André^Nuñez".encode("latin-1"), "André^Nuñez"),
        ("Nuñez^José".encode("latin-1"), "Nuñez^José"),
        ("Buc^Jérôme".encode("latin-1"), "Buc^Jérôme"),
        ("Ñúñez^Øyvind".encode("latin-1"), "Ñúñez^Øyvind"),
        ("Süß^Åsa Iñárritu".encode("latin-1"), "Süß^Åsa Iñárritu"),
        ("陳誠".encode("gb18030"), "陳誠"),
        (b"\x1b$B;3ED\x1b(B", "山田"),
    ],
)
def test_a_missing_character_set_is_guessed(names: list[str], value: bytes, text: str) -> None:
    assert decoded(value, names) == text


def test_a_declared_set_that_cannot_be_meant_is_guessed_too() -> None:
    assert decoded("王小东".encode("gb18030"), ["ISO_IR 192"]) == "王小东"
    # So it stands in many files of China.
    assert decoded("Wang=王^小东".encode("gb18030"), ["ISO_IR 100"]) == "Wang=王^小东"
    assert decoded("Müller^Jürgen".encode(), ["ISO_IR 100"]) == "Müller^Jürgen"
    for name in (
        "Müller^Jürgen",
        "José",
        "Größe",
        "ÅÄ^Ö",
        "Buc^Jérôme",
        "Łódź".translate({321: "L", 378: "z"}),
    ):
        assert decoded(name.encode("latin-1"), ["ISO_IR 100"]) == name
    # 0x9D is a control character in Latin-1, which no name holds.
    assert decoded("小東".encode(), ["ISO_IR 100"]) == "小東"
    assert decoded("Müller".encode("latin-1"), ["ISO_IR 192"]) == "M\ufffdller"
    assert words({0x00100010: b"M\xfcller", 0x00080005: b"ISO_IR 192"}, 0x00100010) == "M?ller"


def test_a_character_cut_by_the_length_of_the_field_spoils_no_other() -> None:
    assert decoded("胸部平扫".encode()[:-1], ["ISO_IR 192"]) == "胸部平"
    assert decoded("胸部平扫".encode("gb18030")[:-1], ["GB18030"]) == "胸部平"


def test_the_second_byte_of_a_chinese_character_is_no_delimiter() -> None:
    # 0x5C, 0x5E and 0x3D stand in these.
    text = "誠碶^塣"
    assert b"\\" in "誠".encode("gb18030") or b"^" in "誠碶".encode("gb18030")
    assert decoded(text.encode("gb18030"), ["GB18030"], name=True) == text


def test_a_name_is_shown_as_it_is_read() -> None:
    assert person("Yamada^Tarou=山田^太郎=やまだ^たろう") == "山田 太郎 (Yamada, Tarou)"
    assert person("=山田^太郎=やまだ^たろう") == "山田 太郎 (やまだ たろう)"
    assert person("Doe^John^^Dr^MD") == "Doe, John Dr MD"
    assert person("Doe") == "Doe" and person("") == "" and person("^^^=^^=") == ""
    assert person("^John") == "John"


def test_nothing_of_a_text_is_hidden_turned_or_laid_out() -> None:
    assert plain("abc\u202edef\u2066") == "abc?def?"
    assert plain("a\r\nb\tc\x00\x07") == "a  b c"
    assert plain("Pa\u00ad\u200bul\ufeff") == "Paul"
    assert plain("<b>x</b> {0} %n &amp;") == "<b>x</b> {0} %n &amp;"
    assert plain("a\u2028b\u3000c\ue000") == "a b c?"
    assert len(plain("x" * 70_000)) == MAX_CHARACTERS and plain("x" * 70_000).endswith("…")
    assert len(words({1: "王".encode() * 20_000, 0x00080005: b"ISO_IR 192"}, 1)) == MAX_CHARACTERS


NAMES = ["", "ISO_IR 100", "ISO_IR 192", "GB18030", "GBK", "ISO_IR 13", "ISO 2022 IR 149"]
NAMES += ["ISO 2022 IR 87", "ISO 2022 IR 58", "ISO 2022 IR 159", "hex", "idna", "punycode", "\0"]
PIECES = st.sampled_from([b"\x1b$B", b"\x1b(B", b"\x1b$)C", b"\x1b-A", b"\x1b", b"^", b"\\", b"\r"])


@given(
    names=st.lists(st.sampled_from(NAMES), max_size=3),
    value=st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=8).map(b"".join),
    name=st.booleans(),
)
def test_any_bytes_give_one_printable_line(names: list[str], value: bytes, name: bool) -> None:
    raw = {0x00080005: "\\".join(names).encode(), 0x00100010: value}
    text = words(raw, 0x00100010, name=name)
    assert text.isprintable() and len(text) <= MAX_CHARACTERS
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in text)
    assert isinstance(person(text), str)


def test_every_file_of_the_corpus_reads_as_pydicom_reads_it(corpus: Path) -> None:
    compared = foreign = 0
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        try:
            _, raw = read_header(path)
            data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            names = data.get("SpecificCharacterSet") or ""
            several = [names] if isinstance(names, str) else list(names)
            encodings = convert_encodings(several)
        except Unusable:
            continue
        except Exception:
            continue
        for tag in (0x00100010, 0x0008103E, 0x00081030):
            value = raw.get(tag, b"")
            if value.isascii() and b"\x1b" not in value:
                continue
            theirs = decode_bytes(value, encodings, {0x5E, 0x3D} if tag == 0x00100010 else set())
            ours = decoded(value, several, name=tag == 0x00100010)
            foreign += 1
            # What it could not decode, or decoded to control characters, is no reading.
            if "\ufffd" in theirs or any("\x80" <= c <= "\x9f" for c in theirs):
                continue
            if several == ["ISO_IR 100"] and ours != theirs:
                assert ours.encode() == value  # UTF-8 under another name
                continue
            if several[0] or len(several) > 1:
                assert ours == theirs, path.relative_to(corpus)
                compared += 1
    assert compared >= 14, (compared, foreign)
