"""The decoding processes: shared by all files, ended by any of them, never more than two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless

from resources.problem import Problem
from tests.dicom_files import write_slice
from viewer.study import decode, pixels
from viewer.study.cancel import Cancelled
from viewer.study.header import read_header
from viewer.study.series import InstanceHeader

ROOT = Path(__file__).resolve().parents[3]
NOISE = np.random.default_rng(3).integers(0, 4096, (3, 64, 64), dtype=np.uint16)
READY = (
    "import sys,os,time;o=sys.stdout.buffer;m=b'{\"ready\":true}';"
    "o.write(len(m).to_bytes(4,'little')+m);o.flush();sys.stdin.readline();"
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")


@pytest.fixture
def packed(tmp_path: Path) -> InstanceHeader:
    path = write_slice(tmp_path / "packed.dcm", NOISE)
    data = pydicom.dcmread(path)
    data.compress(JPEG2000Lossless, generate_instance_uid=False)
    data.save_as(path)
    return read_header(path)[0]


def test_one_process_serves_one_asker_again_and_again(packed: InstanceHeader) -> None:
    seen = set()
    for _ in range(3):
        assert np.array_equal(np.stack(pixels.frames(packed, range(3))), NOISE)
        seen.add(decode.pids())
    assert len(seen) == 1 and len(seen.pop()) == 1


def test_many_askers_share_two_processes(packed: InstanceHeader) -> None:
    wrong = []

    def ask() -> None:
        for n in (2, 0, 1):
            if not np.array_equal(pixels.frames(packed, [n])[0], NOISE[n]):
                wrong.append(n)

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert not wrong
    assert 1 <= len(decode.pids()) <= 2


@linux
def test_a_process_that_was_killed_is_started_anew(packed: InstanceHeader) -> None:
    """A process that dies after it served another frame is not held against the next one."""
    pixels.frames(packed, [0])
    (first,) = decode.pids()
    os.kill(first, signal.SIGKILL)
    assert np.array_equal(pixels.frames(packed, [1])[0], NOISE[1])
    assert decode.pids() != (first,)


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("os._exit(11)", "the decoder failed"),
        ("time.sleep(60)", "it takes too long"),
        ("o.write(b'\\xff'*4096);o.flush();time.sleep(60)", "the decoder failed"),
        ("o.write((2).to_bytes(4,'little')+b'[]');o.flush();time.sleep(60)", "the decoder failed"),
        (
            'm=b\'{"shape":[9,9],"dtype":"<u2","bytes":162}\';'
            "o.write(len(m).to_bytes(4,'little')+m+bytes(162));o.flush();sys.stdin.readline()",
            "damaged",
        ),
        (
            'm=b\'{"shape":[99999,99999],"dtype":"<u2","bytes":1}\';'
            "o.write(len(m).to_bytes(4,'little')+m);o.flush();sys.stdin.readline()",
            "the decoder failed",
        ),
    ],
)
def test_a_process_that_fails_costs_its_frame_alone(
    packed: InstanceHeader, monkeypatch: pytest.MonkeyPatch, does: str, reason: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(decode, "_FRAME_S", 1.0)
        patch.setattr(decode, "command", lambda: [sys.executable, "-c", READY + does])
        with pytest.raises(Problem) as caught:
            pixels.frames(packed, [0])
    assert reason in caught.value.sentence and "packed.dcm" in caught.value.sentence
    assert "packed.dcm" not in (caught.value.detail or "")
    decode.close()
    assert np.array_equal(pixels.frames(packed, [0])[0], NOISE[0])


def test_what_is_left_of_an_answer_is_not_taken_for_the_next_one(
    packed: InstanceHeader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(decode._Process, "_array", full)
        with pytest.raises(MemoryError):
            pixels.frames(packed, [0])
    assert np.array_equal(pixels.frames(packed, [1])[0], NOISE[1])


def test_cancelling_leaves_the_process_for_the_next_frame(packed: InstanceHeader) -> None:
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        pixels.frames(packed, [0, 1, 2], cancelled=lambda: next(asked))
    before = decode.pids()
    assert np.array_equal(pixels.frames(packed, [2])[0], NOISE[2])
    assert decode.pids() == before


def test_a_file_that_is_gone_is_told(packed: InstanceHeader) -> None:
    packed.path.unlink()
    with pytest.raises(Problem, match=r"packed\.dcm cannot be read"):
        pixels.frames(packed, [0])


def test_a_process_that_cannot_be_started_is_told(
    packed: InstanceHeader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decode, "command", lambda: [str(tmp_path / "nothing")])
    with pytest.raises(Problem, match="cannot be started"):
        pixels.frames(packed, [0])


@linux
def test_the_process_ends_when_its_parent_is_killed(packed: InstanceHeader) -> None:
    script = (
        "import sys,time\nfrom pathlib import Path\nfrom viewer.study import decode,pixels\n"
        "from viewer.study.header import read_header\n"
        "pixels.frames(read_header(Path(sys.argv[1]))[0],[0])\n"
        "print(decode.pids()[0],flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(packed.path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    end = time.monotonic() + 30
    while _lives(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@linux
def test_the_memory_of_the_process_is_capped(packed: InstanceHeader) -> None:
    pixels.frames(packed, [0])
    limits = Path(f"/proc/{decode.pids()[0]}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert line.split()[3:5] == [str(2 << 30)] * 2


def test_the_process_knows_no_window_and_no_nets() -> None:
    script = (
        "import sys, viewer.__main__, viewer.study.decode_child, viewer.study.decode_frame\n"
        "print([m for m in ('PySide6', 'torch', 'openvino') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_program_is_its_own_decoding_process_in_the_bundle(
    monkeypatch: pytest.MonkeyPatch, packed: InstanceHeader
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert decode.command() == [sys.executable, "--decode-child"]
    monkeypatch.setattr(
        decode, "command", lambda: [sys.executable, "-m", "viewer", "--decode-child"]
    )
    assert np.array_equal(pixels.frames(packed, [0])[0], NOISE[0])


def test_the_process_ends_when_nobody_asks() -> None:
    script = (
        "from viewer.study import decode_child as c; c.IDLE_S = 0.2; raise SystemExit(c.main())"
    )
    done = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    with done:
        assert done.stdout is not None
        size = int.from_bytes(done.stdout.read(4), "little")
        assert json.loads(done.stdout.read(size)) == {"ready": True}
        assert done.wait(60) == 0
