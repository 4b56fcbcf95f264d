"""Damages DICOM files and opens them: only a value, a reason or a sentence may come of it.

As a script it runs in worker processes with a bound of memory and of time, and writes what it
finds outside the tree::

    python tests/property/fuzz_study.py --count 100000 --seed 1

Every input follows from the seed and its number alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Started as a script, Python looks for packages beside it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from resources.problem import Problem
from tests.dicom_files import stored, write_slice
from viewer.display.grey import grey_of
from viewer.study.cancel import Cancelled
from viewer.study.default_window import windows
from viewer.study.header import Unusable, read_header
from viewer.study.order import StackPlan, volumes
from viewer.study.overlay import overlays
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.study.thumbnail import thumbnail
from viewer.study.trust import trust
from viewer.study.words import person

MEMORY_LIMIT = 1 << 30
# By the clock, on a computer that may be busy with other things.
_INPUT_LIMIT_S = 120.0
# Larger ones take longer and find nothing more: what breaks is in their first kilobytes.
_MAX_SEED_BYTES = 160_000
_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM = b"\xfe\xff\x00\xe0"

Random = random.Random


# ------------------------------------------------------------------------------- whole files


def synthetic(folder: Path) -> list[bytes]:
    """Return small valid files of every kind that the header room tells apart."""
    pixels = stored(1, 8, 8)[0]
    table = Dataset()
    table.add_new(0x00283002, "US", [16, 0, 12])
    table.add_new(0x00283006, "US", list(range(0, 4096, 256)))
    table.ModalityLUTType = "OD"
    plane = [(0x60000010, "US", 8), (0x60000011, "US", 8), (0x60000040, "CS", "G")]
    plane += [(0x60000050, "SS", [1, 1]), (0x60000100, "US", 1), (0x60000102, "US", 0)]
    plane += [(0x60003000, "OW", bytes(range(8)))]
    found = [
        _file(folder, pixels, WindowCenter=[40, 50], WindowWidth=[400, 500], SliceThickness=2),
        _file(folder, pixels, syntax=ImplicitVRLittleEndian, PixelPaddingValue=-2000),
        _file(folder, pixels, syntax=DeflatedExplicitVRLittleEndian),
        _file(folder, pixels.byteswap(), syntax=ExplicitVRBigEndian),
        _file(folder, pixels, VOILUTSequence=[table, table], VOILUTFunction="SIGMOID"),
        _file(folder, pixels, ModalityLUTSequence=[table], RescaleSlope=None),
        _file(folder, pixels, syntax=ImplicitVRLittleEndian, ModalityLUTSequence=[table]),
        _file(folder, pixels, more=plane),
        _file(folder, stored(3, 8, 8), modality="MR", NumberOfFrames=3),
        _file(folder, stored(1, 8, 8, np.uint8)[0], modality="MR"),
        _file(folder, pixels, SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="山田^太郎"),
        _file(folder, pixels, SpecificCharacterSet="GB18030", SeriesDescription="胸部平扫"),
        _file(folder, pixels, modality="PT", **_pet()),
        _enhanced(folder),
        _packed(folder, pixels, RLELossless),
        _packed(folder, pixels, JPEGLSLossless),
    ]
    return found


def _file(folder: Path, pixels: Any, *, more: Any = (), **tags: Any) -> bytes:
    path = folder / "seed.dcm"
    big = tags.get("syntax") == ExplicitVRBigEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_slice(path, pixels, **tags)
        if more or big:
            data = pydicom.dcmread(path)
            for element in more:
                data.add_new(*element)
            data.save_as(path)
    return path.read_bytes()


def _pet() -> dict[str, Any]:
    item = Dataset()
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = 4e8, 6586.2
    item.RadiopharmaceuticalStartTime = "093000"
    return {
        "Units": "BQML", "DecayCorrection": "START", "CorrectedImage": ["ATTN", "DECY"],
        "PatientWeight": 80, "SeriesDate": "20200105", "SeriesTime": "103000",
        "AcquisitionDate": "20200105", "AcquisitionTime": "103000", "RescaleSlope": 2.5,
        "RescaleIntercept": 0, "RadiopharmaceuticalInformationSequence": [item],
    }  # fmt: skip


def _enhanced(folder: Path) -> bytes:
    shared, measures, orientation, change = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1, 1], 2
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    change.RescaleSlope, change.RescaleIntercept, change.RescaleType = 2, -5, "US"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    shared.PixelValueTransformationSequence = [change]
    frames = []
    for n in range(3):
        frame, position, content, voi = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, n]
        content.StackID, content.InStackPositionNumber = "1", n + 1
        voi.WindowCenter, voi.WindowWidth, voi.WindowCenterWidthExplanation = 10, 20, "A"
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        frame.FrameVOILUTSequence = [voi]
        frames.append(frame)
    return _file(
        folder,
        stored(3, 8, 8),
        modality="MR",
        position=None,
        orientation=None,
        spacing=None,
        SOPClassUID=EnhancedMRImageStorage,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=frames,
    )


def _packed(folder: Path, pixels: Any, syntax: str) -> bytes:
    path = folder / "seed.dcm"
    write_slice(path, pixels)
    data = pydicom.dcmread(path)
    data.compress(syntax, generate_instance_uid=False)
    data.save_as(path)
    return path.read_bytes()


def seeds(corpus: Path | None) -> list[bytes]:
    """Return the files to damage: synthetic ones, and small images of the corpus.

    Of what is no image or is damaged already, a few suffice.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = synthetic(Path(folder))
    if corpus is not None and corpus.is_dir():
        others = 0
        for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
            if path.stat().st_size > _MAX_SEED_BYTES:
                continue
            try:
                read_header(path)
            except Unusable:
                others += 1
                if others % 10:
                    continue
            found.append(path.read_bytes())
    return found


# --------------------------------------------------------------------------------- damage


@dataclass(frozen=True, slots=True)
class _Element:
    """Where one element stands: its tag, the field of its length, its value, its end."""

    at: int
    length_at: int
    length_size: int
    begin: int
    end: int


def elements(content: bytes) -> list[_Element]:
    """Return the elements of the meta group and the data set as far as they can be walked."""
    found: list[_Element] = []
    at = 132 if content[128:132] == b"DICM" else 0
    while at + 8 <= len(content) and len(found) < 400:
        vr = content[at + 4 : at + 6]
        if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"UR", b"OF", b"OD", b"OL"):
            length_at, size, begin = at + 8, 4, at + 12
        elif vr.isalpha() and vr.isupper():
            length_at, size, begin = at + 6, 2, at + 8
        else:
            length_at, size, begin = at + 4, 4, at + 8
        length = int.from_bytes(content[length_at : length_at + size], "little")
        # Into sequences: their elements are elements too.
        inside = vr == b"SQ" or content[at : at + 4] == _ITEM or length == 0xFFFFFFFF
        end = begin if inside else min(begin + length, len(content))
        found.append(_Element(at, length_at, size, begin, end))
        at = end
    return found


def _flip(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    out = bytearray(content)
    for _n in range(rng.choice((1, 1, 2, 5, 20))):
        out[rng.randrange(len(out))] = rng.choice((0, 255, 0x5C, 0x80, rng.randrange(256)))
    return bytes(out)


def _bit(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    out = bytearray(content)
    out[rng.randrange(min(len(out), 2048))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _length(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    parts = elements(content)
    if not parts:
        return content
    part = rng.choice(parts)
    old = int.from_bytes(content[part.length_at : part.length_at + part.length_size], "little")
    most = (1 << 8 * part.length_size) - 1
    new = rng.choice(
        (0, 1, old + 1, old - 1, old * 2, most, most - 1, most // 2, rng.randint(0, most))
    )
    field = (new & most).to_bytes(part.length_size, "little")
    return content[: part.length_at] + field + content[part.length_at + part.length_size :]


def _delete(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    parts = elements(content)
    if not parts:
        return content
    part = rng.choice(parts)
    return content[: part.at] + content[part.end :]


def _double(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    parts = elements(content)
    if not parts:
        return content
    part, place = rng.choice(parts), rng.choice(parts)
    return content[: place.at] + content[part.at : part.end] + content[place.at :]


def _value(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    """Write another value of the same length, such as a number that cannot be meant."""
    parts = [part for part in elements(content) if 0 < part.end - part.begin <= 64]
    if not parts:
        return content
    part = rng.choice(parts)
    size = part.end - part.begin
    value = rng.choice(
        (
            b"\xff" * size,
            b"\0" * size,
            b"9" * size,
            b"-1e308\\nan\\inf\\1e-320\\"[:size].ljust(size),
            b"\x1b$B\\\x1b)I^="[:size].ljust(size, b"\x1b"),
            b"\xff\x7f" * (size // 2 + 1),
            rng.randbytes(size),
        )
    )[:size]
    return content[: part.begin] + value + content[part.begin + len(value) :]


def _shorten(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    parts = [part for part in elements(content) if part.end > part.begin]
    if not parts:
        return content
    part = rng.choice(parts)
    cut = rng.randrange(part.begin, part.end)
    return content[:cut] + content[part.end :]


def _cut(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    return content[: rng.randrange(len(content))]


def _fragment(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    """Cut, drop, lengthen or spoil a fragment of compressed pixels, or any other item."""
    places = []
    at = content.find(_ITEM)
    while at >= 0 and len(places) < 100:
        places.append(at)
        at = content.find(_ITEM, at + 4)
    if not places:
        return _cut(content, rng, _)
    at = rng.choice(places)
    size = int.from_bytes(content[at + 4 : at + 8], "little")
    end = min(at + 8 + size, len(content))
    kind = rng.randrange(4)
    if kind == 0:
        return content[: rng.randint(at, end)] + content[end:]
    if kind == 1:
        return content[:at] + content[end:]
    if kind == 2:
        length = rng.choice((0, size * 2, size + 2, 0xFFFFFFFE)) & 0xFFFFFFFF
        return content[: at + 4] + length.to_bytes(4, "little") + content[at + 8 :]
    out = bytearray(content)
    for _n in range(8):
        if end > at + 8:
            out[rng.randrange(at + 8, end)] = rng.randrange(256)
    return bytes(out)


def _splice(content: bytes, rng: Random, others: list[bytes]) -> bytes:
    other = rng.choice(others)
    return content[: rng.randrange(len(content))] + other[rng.randrange(len(other)) :]


def _endless(content: bytes, rng: Random, _: list[bytes]) -> bytes:
    """Give an element the undefined length."""
    parts = [part for part in elements(content) if part.length_size == 4]
    if not parts:
        return content
    at = rng.choice(parts).length_at
    return content[:at] + _UNDEFINED + content[at + 4 :]


_DAMAGE: tuple[Callable[[bytes, Random, list[bytes]], bytes], ...] = (
    _flip, _bit, _bit, _length, _length, _delete, _double, _value, _value, _value, _shorten,
    _cut, _fragment, _fragment, _splice, _endless,
)  # fmt: skip


def damaged(number: int, seed: int, whole: list[bytes]) -> bytes:
    """Return input ``number`` of the run ``seed``: the same bytes in every process."""
    rng = Random(f"{seed}/{number}")
    content = rng.choice(whole)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if content:
            content = rng.choice(_DAMAGE)(content, rng, whole)
    return content


# --------------------------------------------------------------------------------- judging


def outcome(path: Path) -> str:
    """Open a file as the program does; raises what must not be raised.

    Returns
    -------
    str
        ``"skipped"``, ``"refused"``, ``"sentence"`` or ``"shown"``.
    """
    found = scan(path)
    for skipped in found.skipped:
        assert skipped.reason
    if not found.series:
        return "skipped"
    ends = {_one(plan) for series in found.series for plan in _plans(series)}
    for series in found.series:
        assert person(series.patient.name).isprintable()
        assert series.description.isprintable()
    return "shown" if "shown" in ends else min(ends)


def _plans(series: Any) -> tuple[StackPlan, ...]:
    plans = volumes(series)
    assert plans
    return plans


def _one(plan: StackPlan) -> str:
    assert all(row.text if hasattr(row, "text") else row for row in trust(plan))
    end = "refused"
    try:
        assert thumbnail(plan, 16).dtype == np.uint8
        if plan.refusal is None:
            volume = read(plan)
            assert volume.shape_kji == plan.shape_kji
            for window in windows(plan, volume.voxels)[:3]:
                grey_of(volume.voxels[0], window, padding=volume.padding)
            end = "shown"
    except Problem as problem:
        assert problem.sentence and problem.remedy
        end = "sentence"
    for overlay in overlays(plan.planes[0]):
        overlay.on_image(*plan.shape_kji[1:])
    return end


# --------------------------------------------------------------------------------- workers


def _work(first: int, step: int, count: int, seed: int, corpus: Path | None) -> None:
    """Judge inputs and say of each, in a line of JSON, what came of it."""
    import resource

    whole = seeds(corpus)
    warnings.simplefilter("ignore")
    # The limit is of what the inputs take, above what Python and the libraries do.
    _, base = _memory()
    resource.setrlimit(resource.RLIMIT_AS, (base + MEMORY_LIMIT, base + MEMORY_LIMIT))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.dcm"
        for number in range(first, count, step):
            print(json.dumps({"begin": number}), flush=True)
            path.write_bytes(damaged(number, seed, whole))
            began = time.monotonic()
            try:
                end, error = outcome(path), ""
            except (Cancelled, KeyboardInterrupt):
                raise
            except BaseException as raised:
                end, error = "raised", _place(raised)
            line = {"number": number, "end": end, "error": error, "s": time.monotonic() - began}
            print(json.dumps({**line, "peak": _memory()[0]}), flush=True)
    from viewer.study import decode

    decode.close()


def _place(error: BaseException) -> str:
    """Return the kind of an error and the last two places of the program that it came through."""
    trace, places = error.__traceback__, []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    ours = [place for place in places if not place.startswith("fuzz_study")]
    return f"{type(error).__name__} {error} at {' '.join(ours[-6:])}"[:600]


def _memory() -> tuple[int, int]:
    """Return the peak of resident memory and the size of the address space, bytes."""
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(fields["VmHWM"].split()[0]) << 10, int(fields["VmSize"].split()[0]) << 10


@dataclass(slots=True)
class _Tally:
    ends: Counter[str]
    failures: list[tuple[int, str]]
    peak: int = 0
    slowest: tuple[float, int] = (0.0, 0)


def _drive(
    first: int, step: int, count: int, seed: int, corpus: Path | None, tally: _Tally
) -> Iterator[None]:
    """Run one worker to the end of its inputs, a new one after each that dies."""
    while first < count:
        command = [sys.executable, str(Path(__file__).resolve()), "--worker", str(first)]
        command += ["--step", str(step), "--count", str(count), "--seed", str(seed)]
        command += ["--corpus", str(corpus or "")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        current, since, rest = -1, time.monotonic(), b""
        try:
            while True:
                data = process.stdout.read(65536)
                if data:
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        said = json.loads(line)
                        since = time.monotonic()
                        if "begin" in said:
                            current = said["begin"]
                            continue
                        first = said["number"] + step
                        tally.ends[said["end"]] += 1
                        tally.peak = max(tally.peak, said["peak"])
                        tally.slowest = max(tally.slowest, (said["s"], said["number"]))
                        if said["error"]:
                            tally.failures.append((said["number"], said["error"]))
                elif data == b"":
                    break
                elif time.monotonic() - since > (_INPUT_LIMIT_S if current >= 0 else 300.0):
                    process.kill()
                    tally.failures.append((current, "no end"))
                    break
                yield
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        if first < count:
            if not tally.failures or tally.failures[-1] != (current, "no end"):
                tally.failures.append((current, f"the process ended with {process.returncode}"))
            if current < first - step or current < 0:
                return  # it does not even begin
            first = current + step


def main() -> int:
    """Run as the script of the first lines; returns the number of failures, at most 100."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--corpus", default=None)
    parser.add_argument("--failures", type=Path, default=None, help="folder, outside the tree")
    parser.add_argument("--worker", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--step", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[2]
    named = os.environ.get("OVERREAD_CORPUS", str(root.parent / "shared" / "corpus"))
    corpus = Path(named if options.corpus is None else options.corpus or "/nowhere")
    if options.worker is not None:
        _work(options.worker, options.step, options.count, options.seed, corpus)
        return 0
    tally, began = _Tally(Counter(), []), time.monotonic()
    running = [
        _drive(n, options.processes, options.count, options.seed, corpus, tally)
        for n in range(options.processes)
    ]
    while running:
        for each in list(running):
            try:
                next(each)
            except StopIteration:
                running.remove(each)
        time.sleep(0.01)
    took = time.monotonic() - began
    folder = options.failures or Path(tempfile.gettempdir()) / f"overread-fuzz-{options.seed}"
    if tally.failures:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        whole = seeds(corpus)
        for number, error in tally.failures:
            (folder / f"{number}.dcm").write_bytes(damaged(max(number, 0), options.seed, whole))
            (folder / f"{number}.txt").write_text(error)
    done = sum(tally.ends.values())
    ends = ", ".join(f"{count} {end}" for end, count in sorted(tally.ends.items()))
    print(
        f"{done} damaged files in {took:.0f} s: {len(tally.failures)} failures ({ends}); "
        f"slowest {tally.slowest[0]:.1f} s (number {tally.slowest[1]}), "
        f"peak {tally.peak >> 20} MiB" + (f"; failing inputs in {folder}" if tally.failures else "")
    )
    return min(len(tally.failures), 100)


if __name__ == "__main__":
    with contextlib.redirect_stderr(sys.stderr), contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
