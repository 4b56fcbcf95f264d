from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from inference import child, packing, registry
from inference.client import Cancelled, ModelProcess
from inference.manifest import ModelPack, read_manifest
from inference.protocol import STAGES
from inference.volume import Volume
from resources.problem import Problem


def _python(code: str) -> list[str]:
    """A worker whose inside is replaced."""
    return [sys.executable, "-c", f"import os, sys, time\nimport inference.worker as w\n{code}"]


def _quick(answer: str) -> list[str]:
    """A real worker that answers ``devices`` by an expression, without torch."""
    return _python(f"w._Server._devices = lambda self: {answer}\nw.main()")


CPU = '[["cpu", "CPU"]]'


@pytest.fixture(scope="module")
def process():
    with ModelProcess() as one:
        one.start()
        yield one


@pytest.fixture(scope="module")
def small(make_chest) -> Volume:
    return make_chest(spacing_kji_mm=(5.0, 1.5, 1.5), shape_kji=(42, 150, 204)).volume


def test_a_run_tells_its_stages_and_is_the_same_twice(process, small, bundled: ModelPack):
    told = []
    first = process.analyze(small, bundled, "cpu", told.append)
    second = process.analyze(small, bundled, "auto")
    stages = list(dict.fromkeys(one.stage for one in told))
    assert stages == list(STAGES)
    assert all(0 <= one.done <= one.total or one.total == 0 for one in told)
    parts = [packing.findings_parts(one) for one in (first, second)]
    for value, _ in parts:
        value.pop("seconds")
    assert parts[0][0] == parts[1][0]
    for name, array in parts[0][1].items():
        assert np.array_equal(array, parts[1][1][name])
    assert first.model.sha256 == bundled.weights.sha256
    assert first.device.startswith("CPU")
    assert set(first.seconds) == {"prepare", "lungs", "load", "detect", "reduce", "measure"}


def test_a_volume_without_lungs_is_told(process, small, bundled: ModelPack):
    empty = Volume(np.zeros(small.shape_kji, dtype=np.int16), small.affine, "CT", "HU")
    with pytest.raises(Problem, match="No lungs were found"):
        process.analyze(empty, bundled, "cpu")


def test_a_device_that_is_not_there_is_told(process, small, bundled: ModelPack):
    with pytest.raises(Problem, match="no device named cuda:99"):
        process.analyze(small, bundled, "cuda:99")


def test_cancel_stops_at_once_and_the_next_run_works(small, bundled: ModelPack):
    with ModelProcess() as process:
        cancelled_at = []

        def cancel(progress):
            if progress.stage == "detect" and not cancelled_at:
                cancelled_at.append(time.monotonic())
                thread = threading.Thread(target=process.cancel)
                thread.start()
                thread.join()

        with pytest.raises(Cancelled):
            process.analyze(small, bundled, "cpu", cancel)
        assert time.monotonic() - cancelled_at[0] < 2
        found = process.analyze(small, bundled, "cpu")
        assert len(found.segments) == 2


def test_a_killed_process_is_told_in_a_sentence_and_started_again():
    with ModelProcess(_quick(CPU)) as process:
        assert [one.id for one in process.devices()] == ["cpu"]
        before = process._child
        assert before is not None
        before.process.kill()
        before.process.wait()
        assert [one.id for one in process.devices()] == ["cpu"]
        assert process._child is not before


def test_a_process_that_dies_in_a_run_says_its_last_words():
    code = "print('disk on fire', file=sys.stderr); sys.stderr.flush(); os._exit(3)"
    with ModelProcess(_python(f"w._Server._devices = lambda self: exec({code!r})\nw.main()")) as p:
        for _ in range(2):
            with pytest.raises(Problem) as caught:
                p.devices()
            assert caught.value.sentence == "The model process stopped unexpectedly."
            assert caught.value.remedy
            assert "exit code 3" in caught.value.detail
            assert "disk on fire" in caught.value.detail


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal 9")
def test_a_process_that_the_kernel_kills_is_told_as_short_of_memory():
    with ModelProcess(_quick("os.kill(os.getpid(), 9)")) as process:
        with pytest.raises(Problem) as caught:
            process.devices()
        assert "memory ran out" in caught.value.sentence
        assert "Close other programs" in caught.value.remedy


@pytest.mark.parametrize(
    "error",
    [
        "MemoryError()",
        "OSError(12, 'Cannot allocate memory')",
        "ImportError('libtorch_cpu.so: failed to map segment from shared object')",
        "RuntimeError('DefaultCPUAllocator: not enough memory')",
    ],
)
def test_memory_that_runs_out_inside_is_told_and_the_process_lives_on(error: str):
    raising = f"(_ for _ in ()).throw({error})"
    with ModelProcess(_quick(raising)) as process:
        with pytest.raises(Problem, match="memory ran out"):
            process.devices()
        assert process._child is not None and process._child.process.poll() is None


def test_a_defect_inside_is_one_sentence_with_the_trace_in_the_detail():
    with ModelProcess(_quick("1 / 0")) as process:
        with pytest.raises(Problem) as caught:
            process.devices()
        assert "Traceback" not in str(caught.value)
        assert "ZeroDivisionError" in caught.value.detail


def test_what_a_library_prints_does_not_disturb_the_answers():
    noise = f"(print('noise'), os.write(1, b'more noise'), {CPU})[2]"
    with ModelProcess(_quick(noise)) as process:
        assert [one.id for one in process.devices()] == ["cpu"]
        assert [one.name for one in process.devices()] == ["CPU"]


@pytest.mark.parametrize("code", ["os.write(1, b'noise' * 99)", "os.write(1, b'no')", "pass"])
def test_a_process_that_answers_nonsense_is_a_problem(code: str):
    with ModelProcess(_python(code)) as process, pytest.raises(Problem, match="unexpectedly"):
        process.devices()


def test_cancel_in_start_up_and_without_a_run():
    with ModelProcess(_python("time.sleep(60)")) as process:
        process.cancel()
        timer = threading.Timer(0.3, process.cancel)
        timer.start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            process.devices()
        timer.join()
        assert time.monotonic() - began < 10


def test_cancel_as_late_as_the_last_progress_still_cancels(small, bundled):
    code = f"""
def analyze(self, n, request, arrays):
    self._send(n, {{"kind": "progress", "progress": ["measure", 1, 1, ""]}})
    self._send(n, {{"kind": "findings", "findings": {{}}}})
w._Server._analyze = analyze
w._Server._devices = lambda self: {CPU}
w.main()
"""
    with ModelProcess(_python(code)) as process:

        def cancel(progress):
            time.sleep(0.2)  # the answer lies in the pipe by now
            process.cancel()

        with pytest.raises(Cancelled):
            process.analyze(small, bundled, "cpu", cancel)
        assert process.devices()


def test_close_from_another_thread_ends_a_run():
    process = ModelProcess(_python("time.sleep(60)"))
    timer = threading.Timer(0.3, process.close)
    timer.start()
    with pytest.raises(Cancelled):
        process.devices()
    timer.join()
    process.close()
    with pytest.raises(RuntimeError, match="closed"):
        process.devices()


def test_an_error_in_the_callers_progress_leaves_a_usable_process(small, bundled):
    code = """
w._Server._analyze = lambda self, n, request, arrays: self._send(
    n, {"kind": "progress", "progress": ["start", 0, 1, ""]}
)
w._Server._devices = lambda self: [["cpu", "CPU"]]
w.main()
"""

    def fail(progress):
        raise KeyError(progress.stage)

    with ModelProcess(_python(code)) as process:
        with pytest.raises(KeyError, match="start"):
            process.analyze(small, bundled, "cpu", fail)
        assert process.devices()


def test_the_process_ends_when_the_window_has_gone():
    process = subprocess.Popen(
        child.default_command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child.environment(),
    )
    out, _ = process.communicate(b"", timeout=60)
    assert process.returncode == 0
    assert out == b""


def test_a_program_that_cannot_be_started_is_a_problem(tmp_path: Path):
    process = ModelProcess([str(tmp_path / "overread-model")])
    with pytest.raises(Problem, match="could not be started"):
        process.devices()
    with pytest.raises(Problem, match="could not be started"):
        process.start()
    process.close()


def test_a_series_that_the_model_may_not_read_starts_no_process(bundled: ModelPack):
    brain = Volume(np.zeros((30, 8, 8), dtype=np.int16), np.eye(4), "MR")
    process = ModelProcess(["there-is-no-such-program"])
    with pytest.raises(Problem) as caught:
        process.analyze(brain, bundled, "cpu")
    assert caught.value.sentence == "The lung nodule model reads CT; this series is MR."
    process.close()


def test_damaged_weights_start_no_process(pack_folder: Path, small):
    pack = read_manifest(pack_folder)
    path = pack_folder / pack.weights.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 128
    path.write_bytes(data)
    process = ModelProcess(["there-is-no-such-program"])
    with pytest.raises(Problem, match="changed or damaged"):
        process.analyze(small, pack, "cpu")
    process.close()


def test_the_packages_are_found_from_any_folder(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ModelProcess(_quick(CPU)) as process:
        assert process.devices()


def test_a_frozen_program_starts_its_sibling(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "overread"))
    (command,) = child.default_command()
    assert Path(command).parent == tmp_path
    assert Path(command).stem == "overread-model"


def test_asking_the_registry_needs_no_process(bundled: ModelPack):
    assert registry.find(bundled.id).threshold == bundled.threshold


def test_a_process_can_be_started_ahead_after_a_run_was_cancelled():
    with ModelProcess(_python("time.sleep(60)")) as process:
        timer = threading.Timer(0.3, process.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            process.devices()
        timer.join()
        process.start()
        assert process._child is not None and process._child.process.poll() is None


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError])
def test_an_error_of_the_caller_is_not_taken_for_the_death_of_the_process(small, bundled, error):
    code = """
w._Server._analyze = lambda self, n, request, arrays: self._send(
    n, {"kind": "progress", "progress": ["start", 0, 1, ""]}
)
w.main()
"""

    def fail(progress):
        raise error("of the caller")

    with ModelProcess(_python(code)) as process, pytest.raises(error, match="of the caller"):
        process.analyze(small, bundled, "cpu", fail)


def test_a_process_that_talks_nonsense_and_lives_on_is_not_called_short_of_memory(monkeypatch):
    monkeypatch.setattr(child, "END_S", 0.2)
    code = "os.write(1, b'noise' * 99); time.sleep(60)"
    with ModelProcess(_python(code)) as process:
        with pytest.raises(Problem, match="unexpectedly"):
            process.devices()
        assert process._child is None or process._child.process.poll() is not None


@pytest.mark.parametrize(
    "answer",
    [
        "{}",
        "{'request': n}",
        "{'request': n, 'kind': 'progress', 'progress': 3}",
        "{'request': n, 'kind': 'findings', 'findings': {}}",
        "{'request': n, 'kind': 'failed'}",
        "{'request': n, 'kind': 'devices', 'devices': []}",
    ],
)
def test_a_whole_frame_with_the_wrong_members_is_a_problem(monkeypatch, small, bundled, answer):
    monkeypatch.setattr(child, "END_S", 0.2)
    code = f"""
w._Server._analyze = lambda self, n, request, arrays: w.write_message(self._sink, {answer})
w.main()
"""
    with ModelProcess(_python(code)) as process:
        with pytest.raises(Problem, match="unexpectedly"):
            process.analyze(small, bundled, "cpu")
        assert process._child is None or process._child.process.poll() is not None


def test_why_a_series_is_refused_does_not_reach_the_log(bundled: ModelPack):
    odd = Volume(np.zeros((30, 8, 8), dtype=np.int16), np.eye(4), "DOE^JANE")
    process = ModelProcess(["there-is-no-such-program"])
    with pytest.raises(Problem) as caught:
        process.analyze(odd, bundled, "cpu")
    assert "DOE" not in caught.value.detail


@pytest.mark.parametrize(
    "error",
    [
        'RuntimeError("[enforce fail] DefaultCPUAllocator: can\'t allocate memory")',
        'RuntimeError("CUDA error: out of memory")',
    ],
)
def test_what_torch_says_of_short_memory_is_told_as_such(error):
    raising = f"(_ for _ in ()).throw({error})"
    with (
        ModelProcess(_quick(raising)) as process,
        pytest.raises(Problem, match="memory ran out"),
    ):
        process.devices()
