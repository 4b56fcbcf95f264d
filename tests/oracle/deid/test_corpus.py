"""Every attribute of PS3.15 Table E.1-1, against a table that other people made of the standard.

``corpus-deid`` holds a file with a mark in each of 614 attributes. What is left is looked for by
walking the file with a reader of our own, below: no code of the program takes part.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pydicom
import pytest

from tests.conftest import _shared
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import deidentify
from viewer.deid.keyed import Keys
from viewer.deid.options import options

MARK = re.compile(rb"PHI[0-9A-Fa-f]{8}\w*")
LONG = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UN", b"UT", b"UC", b"UR"})
SEQUENCE_END, ITEM, ITEM_END = (0xFFFE, 0xE0DD), (0xFFFE, 0xE000), (0xFFFE, 0xE00D)


@pytest.fixture(scope="module")
def planted() -> Path:
    return _shared("corpus-deid", "OVERREAD_CORPUS_DEID")


@pytest.fixture(scope="module")
def cleaned(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("deid") / "out"
    by = Deidentifier(Keys(bytes(32)), options([]))
    report = deidentify([planted / "DEID_PHI_CANARY_614.dcm"], out, by)
    assert report.files == 1
    (path,) = out.rglob("*.dcm")
    return path


def elements(data: bytes, at: int, end: int, depth: int = 0):
    """Yield (group, element, VR, value, depth) of explicit little endian (PS3.5 7.1.2)."""
    while at + 8 <= end:
        tag = struct.unpack_from("<HH", data, at)
        if tag[0] == 0xFFFE:
            (length,) = struct.unpack_from("<I", data, at + 4)
            at += 8
            if tag == ITEM and length != 0xFFFFFFFF:
                yield from elements(data, at, at + length, depth)
                at += length
            continue
        vr = data[at + 4 : at + 6]
        if vr in LONG:
            (length,) = struct.unpack_from("<I", data, at + 8)
            at += 12
        else:
            (length,) = struct.unpack_from("<H", data, at + 6)
            at += 8
        if vr == b"SQ":
            yield *tag, vr, b"", depth
            if length == 0xFFFFFFFF:
                continue  # its items follow, and its end
            yield from elements(data, at, at + length, depth + 1)
        else:
            assert length != 0xFFFFFFFF
            yield *tag, vr, data[at : at + length], depth
        at += length


def walked(path: Path) -> list[tuple[int, int, bytes, bytes, int]]:
    data = path.read_bytes()
    assert data[128:132] == b"DICM"
    return list(elements(data, 132, len(data)))


def top(path: Path) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """Return VR and value at the top level."""
    return {(g, e): (vr, value) for g, e, vr, value, depth in walked(path) if not depth}


def test_our_reader_sees_what_was_planted(planted: Path):
    path = planted / "DEID_PHI_CANARY_614.dcm"
    marks = {m.group()[:11].lower() for m in MARK.finditer(path.read_bytes())}
    assert len(marks) > 370  # texts; the others are dates, numbers, UIDs, sequences
    found = walked(path)
    assert any(group % 2 for group, *_ in found)
    assert max(depth for *_, depth in found) >= 1


def test_no_mark_is_left(cleaned: Path):
    assert not MARK.findall(cleaned.read_bytes())


def test_no_original_uid_is_left(planted: Path, cleaned: Path):
    uids = {
        one
        for _, _, vr, value, _ in walked(planted / "DEID_PHI_CANARY_614.dcm")
        if vr == b"UI"
        for one in value.rstrip(b"\0").split(b"\\")
        if one and not one.startswith(b"1.2.840.10008.")
    }
    assert len(uids) > 40
    data = cleaned.read_bytes()
    assert not [u for u in uids if re.search(rb"(?<![\d.])%s(?![\d.])" % re.escape(u), data)]


def test_no_private_element_curve_or_overlay_is_left(cleaned: Path):
    groups = {group for group, *_ in walked(cleaned)}
    assert not {g for g in groups if g % 2}
    assert not {g for g in groups if 0x5000 <= g <= 0x50FF or 0x6000 <= g <= 0x60FF}


def allowed(profile: str, before: bytes, after: bytes | None) -> bool:
    """Return whether an element went as one of the actions of its row says."""
    actions = set(profile.replace("U*", "U").split("/"))
    if after is None:
        return "X" in actions
    if not after.strip(b"\0 "):
        return "Z" in actions or not before.strip(b"\0 ")
    return bool({"D", "U"} & actions) and after != before


def test_each_attribute_went_as_the_table_of_others_says(planted: Path, cleaned: Path):
    rows = json.loads((planted / "PS315_E1-1_innolitics_2024e.json").read_text())
    before, after = top(planted / "DEID_PHI_CANARY_614.dcm"), top(cleaned)
    # A pseudonym stands where the profile would empty name and identifier.
    named = {(0x0010, 0x0010), (0x0010, 0x0020)}
    wrong, seen = [], 0
    for row in rows:
        if not re.fullmatch(r"[0-9a-f]{8}", row["id"]):  # curves, overlays, private: above
            continue
        tag = (int(row["id"][:4], 16), int(row["id"][4:], 16))
        if tag not in before or tag in named:
            continue
        seen += 1
        vr, value = before[tag]
        left = after.get(tag)
        zeros = vr.startswith(b"O") or vr == b"UN"
        if vr == b"SQ" or (zeros and left is not None and left[1] == b"\0\0"):
            # Of sequences the walk has no value: what is in them was searched above.
            ok = left is not None or "X" in row["basicProfile"]
        else:
            ok = allowed(row["basicProfile"], value, None if left is None else left[1])
        if not ok:
            wrong.append((row["tag"], row["name"], row["basicProfile"], left))
    assert seen > 600
    assert not wrong


def test_pydicom_reads_the_same_file_without_a_word(cleaned: Path):
    assert "PHI" not in str(pydicom.dcmread(cleaned))
