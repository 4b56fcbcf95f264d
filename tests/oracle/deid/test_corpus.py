"""Every attribute of PS3.15 Table E.1-1, against a table that other people made of the standard.

``corpus-deid`` holds a file with a mark in each of 614 attributes. What is left is looked for by
walking the file with a reader of our own, ``tests.exports.marks``: no code of the program does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pydicom
import pytest

from tests.conftest import _shared
from tests.exports.marks import MARK, top, uids_in, uids_of, walked
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import deidentify
from viewer.deid.keyed import Keys
from viewer.deid.options import options


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
    uids = uids_of(planted / "DEID_PHI_CANARY_614.dcm")
    assert len(uids) > 40
    data = cleaned.read_bytes()
    assert not uids_in(uids, data)


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
