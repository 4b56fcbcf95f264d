"""Every row of the corpus' manifest: its pixels, or a sentence with the file and the reason.

``expected`` of a row, up to its first bar, is one of

* ``opens; pixels <shape> <type> <least>..<most> sha256 <16 digits>``, somewhere in it;
* ``open or clear error``, ``clear error or graceful fallback``: either will do;
* ``clear error``: a sentence that names the file and the reason;
* ``open;``: a malformed header round pixels that are whole;
* anything else, such as ``opens as non-image``: no crash.

What costs of memory and of CPU time are held against the caps of RELIABILITY.md for every row.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pydicom.pixels import pixel_array

from tests.opening_costs import opened
from viewer.study import pixels, syntax
from viewer.study.header import read_header

MOST_CPU_S = 2.0
MOST_MB = 1024.0
LOSSY_STEPS = 2

# Rows that want an error of a file whose one image is whole and can be meant in one way only.
OPENS_WITH_REASON = {
    # Number of Frames is no attribute of a CT Image (PS3.3 A.3.3, Table A.3-1): 0 says nothing.
    "TC0337_mf_nf_zero.dcm",
    # The data set is implicit VR throughout, against PS3.10 7.1; every value in it is plain.
    "TC0343_declares_explicit_data_implicit.dcm",
    # Unknown VRs have a 32-bit length (PS3.5 6.2, 7.1.2), and those elements of the meta group
    # (implementation version, application entity, PS3.10 7.1) are not needed.
    "TC0595_meta_0012_vr_5151.dcm",
    "TC0619_meta_0013_vr_4141.dcm",
    "TC0691_meta_repeat_100_fake_elems.dcm",
}
# Its elements are implicit VR though JPEG is explicit (PS3.5 A.4): pydicom's reader of paths
# stops there. It is the same picture as this other file, as the manifest says too.
SAME_PICTURE = {"SC_rgb_jpeg.dcm": "SC_jpeg_no_color_transform.dcm"}


class Row(NamedTuple):
    """A line of the manifest."""

    path: Path
    transfer_syntax: str
    expected: str

    @property
    def pixels(self) -> tuple[list[int], str, str] | None:
        """Shape, type without its byte order, digest."""
        found = re.search(r"pixels \(([\d, ]+)\) (\S+) \S+ sha256 ([0-9a-f]{16})", self.expected)
        if found is None:
            return None
        shape = [int(n) for n in found[1].split(",") if n.strip()]
        return shape, np.dtype(found[2]).str[1:], found[3]

    @property
    def wants(self) -> str:
        """``pixels``, ``error``, ``open`` or ``either``."""
        first = self.expected.partition("|")[0].strip()
        if self.pixels is not None:
            return "pixels"
        if "open or clear error" in first or "or graceful fallback" in first:
            return "either"
        if "clear error" in first:
            return "error"
        return "open" if " open;" in first else "either"


def rows_of(corpus: Path) -> list[Row]:
    # Values of malformed files stand in it: neither text nor lines of it can be relied on.
    lines = (corpus / "MANIFEST.tsv").read_bytes().split(b"\r\n")
    found = []
    for line in filter(None, lines[1:]):
        fields = line.split(b"\t")
        path = corpus / fields[0].decode("utf-8", "surrogateescape")
        found.append(Row(path, fields[2].decode("ascii", "replace"), fields[4].decode()))
    return found


@pytest.fixture(scope="module")
def told(corpus: Path) -> dict[Path, dict[str, Any]]:
    """What came of each file, and of segmentations and doses as if they were images."""
    if sys.platform != "linux":
        pytest.skip("memory is told by /proc")
    rows = rows_of(corpus)
    found = dict(zip((row.path for row in rows), opened(row.path for row in rows), strict=True))
    # The program says of them that they are no images, and which object they are. Their pixels
    # have to come out right all the same: another reader of them will ask.
    objects = [
        row.path
        for row in rows
        if row.pixels and "not an image but an object" in found[row.path]["sentence"]
    ]
    for path, again in zip(objects, opened(objects, any_object=True), strict=True):
        found[path] = again | {"object": True}
    return found


def _like_pydicom(row: Row, corpus: Path) -> bool:
    instance, _ = read_header(row.path)
    ours = np.stack(pixels.frames(instance, range(instance.n_frames))).astype(np.int64)
    same = SAME_PICTURE.get(row.path.name)
    theirs = pixel_array(row.path if same is None else next(corpus.rglob(same)))
    return bool(np.abs(ours - theirs.reshape(ours.shape)).max() <= LOSSY_STEPS)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_row_of_the_manifest(
    corpus: Path, told: dict[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(corpus)
    count = dict.fromkeys(("pixels", "error", "open", "either"), 0)
    right = dict(count)
    by_hash, objects, wrong = 0, 0, []
    excused = sum(row.path.name in OPENS_WITH_REASON for row in rows)
    for row in rows:
        came, wants = told[row.path], row.wants
        count[wants] += 1
        good = not came["trace"]
        if wants == "pixels":
            assert row.pixels is not None
            shape, kind, digest = row.pixels
            exact = came.get("digest") == digest
            good = good and came.get("shape") == shape and came.get("kind") == kind
            good = good and (exact or (_is_lossy(row) and _like_pydicom(row, corpus)))
            by_hash += exact
            objects += "object" in came
        elif wants == "error" and row.path.name not in OPENS_WITH_REASON:
            good = good and row.path.name in came["sentence"]
        elif wants == "open" or row.path.name in OPENS_WITH_REASON:
            good = good and not came["sentence"]
        else:
            # The directory of a medium opens what it lists, and says of the rest that it is gone.
            good = good and ("shape" in came or bool(came["sentence"]) or not came["skipped"])
        right[wants] += good
        if not good:
            wrong.append(f"{row.path.relative_to(corpus)}: {wants}, {came}")
    with capsys.disabled():
        print(
            f"\ncorpus: {right['pixels']}/{count['pixels']} rows give their pixels ({by_hash} by "
            f"hash, {objects} of them segmentations and doses, which are no images), "
            f"{right['error']}/{count['error']} clear errors "
            f"({excused} of them open, for the reasons of this test), "
            f"{right['open']}/{count['open']} odd "
            f"headers open, {right['either']}/{count['either']} others end in either; at most "
            f"{max(each['cpu_s'] for each in told.values()):.1f} s of CPU and "
            f"{max(max(each['peak_mb']) for each in told.values()):.0f} MB"
        )
    assert not wrong, "\n".join(wrong)
    assert count["pixels"] >= 260 and count["error"] >= 20


def _is_lossy(row: Row) -> bool:
    return row.transfer_syntax in syntax.LOSSY


def test_no_row_costs_more_than_its_cap(told: dict[Path, dict[str, Any]]) -> None:
    dear = [
        f"{path.name}: {each['cpu_s']:.1f} s, {each['peak_mb']} MB"
        for path, each in told.items()
        if max(each["peak_mb"]) >= MOST_MB or (each["sentence"] and each["cpu_s"] >= MOST_CPU_S)
    ]
    assert not dear, "\n".join(dear)
