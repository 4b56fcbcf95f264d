"""Backends: torch and OpenVINO answer alike, and each has a way down when memory runs out.

torch's device "meta" stands for a GPU: nets and inputs are moved there by the same calls, and
whatever ran there must be run again elsewhere.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from inference.manifest import ModelPack
from inference.runtime import backend as backend_module
from inference.runtime import engine, openvino_backend
from inference.runtime.backend import TorchBackend, backend_for, short_of_memory
from inference.runtime.engine import Engine
from inference.runtime.load import load_nets
from inference.runtime.nets import NoduleUNet
from inference.runtime.nets.outliner import NoduleOutliner
from inference.runtime.openvino_backend import OpenVinoBackend
from inference.runtime.pipeline import analyze

SHAPES = {
    "heatmap": [(1, 5, 64, 48), (3, 5, 120, 88), (1, 5, 64, 48)],
    "outliner": [(1, 5, 1, 64, 64), (6, 5, 19, 64, 64), (2, 5, 4, 64, 64)],
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait by spinning starve each other where tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _random_nets() -> dict[str, nn.Module]:
    """All nets with random weights, the statistics of their batch norms random too."""
    torch.manual_seed(5)
    nets: dict[str, nn.Module] = {
        "heatmap": NoduleUNet(5, (16, 32, 64, 128)),
        "outliner": NoduleOutliner(5, (8, 16, 24, 32)),
    }
    for net in nets.values():
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d | nn.BatchNorm3d):
                part.running_mean.normal_(0, 0.3)
                part.running_var.uniform_(0.5, 2)
        net.eval().requires_grad_(False)
    return nets


class _Greedy(nn.Module):
    """Answers the mean of its input; runs out of memory above a batch size, by device.

    Parameters
    ----------
    most
        By type of device; any number where it is not named.
    sizes
        Is told device type and batch size of every call.
    """

    def __init__(self, most: dict[str, int], sizes: list[tuple[str, int]] | None = None) -> None:
        super().__init__()
        self.most = most
        self.sizes = [] if sizes is None else sizes

    def __deepcopy__(self, memo):
        return _Greedy(self.most, self.sizes)

    def forward(self, x):
        self.sizes.append((x.device.type, len(x)))
        if len(x) > self.most.get(x.device.type, 99):
            raise torch.OutOfMemoryError
        return x.mean(dim=1, keepdim=True) if x.ndim == 4 else x.mean(dim=(1, 2, 3, 4))


class _TooLarge(_Greedy):
    """Fits no device but the CPU."""

    def __deepcopy__(self, memo):
        return _TooLarge(self.most, self.sizes)

    def _apply(self, fn, recurse=True):
        if fn(torch.zeros(1)).device.type != "cpu":
            raise torch.OutOfMemoryError
        return super()._apply(fn, recurse)


@pytest.fixture(scope="module")
def random_nets() -> dict[str, nn.Module]:
    return _random_nets()


@pytest.fixture(scope="module")
def bundled_nets(bundled: ModelPack) -> dict[str, nn.Module]:
    return load_nets(bundled)


def _running(nets: dict[str, nn.Module]) -> dict[str, nn.Module]:
    return {name: net for name, net in nets.items() if name != "calibration"}


def _inputs(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7))


def _apart(nets: dict[str, nn.Module], net: str, shape: tuple[int, ...]) -> float:
    inputs = _inputs(shape)
    theirs = OpenVinoBackend(nets).run(net, inputs)
    ours = TorchBackend(nets, "cpu").run(net, inputs)
    assert [one.shape for one in ours] == [one.shape for one in theirs]
    assert {one.dtype for one in (*ours, *theirs)} == {torch.float32}
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("net", "shape"), [(n, s) for n, all in SHAPES.items() for s in all])
def test_both_engines_give_the_same_logits_with_random_weights(random_nets, net, shape):
    assert _apart(random_nets, net, shape) < 2e-5


def test_both_engines_give_the_same_logits_with_the_bundled_weights(bundled_nets):
    nets = _running(bundled_nets)
    assert set(nets) == set(SHAPES)
    for net in nets:
        for shape in SHAPES[net]:
            assert _apart(nets, net, shape) < 1e-3, net


@pytest.mark.parametrize("make", [OpenVinoBackend, lambda nets: TorchBackend(nets, "cpu")])
def test_the_same_input_gives_the_same_answer_bit_for_bit(random_nets, make):
    for net, shapes in SHAPES.items():
        inputs = _inputs(shapes[-1])
        first = make(random_nets).run(net, inputs)
        other = make(random_nets)
        # Another shape in between leaves no trace.
        other.run(net, _inputs(shapes[0]))
        again = other.run(net, inputs)
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True)), net


def test_an_answer_is_not_overwritten_by_the_next(random_nets):
    backend = OpenVinoBackend(random_nets)
    (first,) = backend.run("heatmap", _inputs((1, 5, 32, 32)))
    kept = first.clone()
    backend.run("heatmap", torch.zeros(1, 5, 32, 32))
    assert torch.equal(first, kept)


def test_findings_of_both_engines_are_the_same(chest, bundled, bundled_nets, monkeypatch):
    made = partial(Engine.of, bundled_nets, "cpu")
    fast = analyze(chest.volume, bundled, made, lambda _: None)
    monkeypatch.setattr(engine, "backend_for", lambda nets, id, tell: TorchBackend(nets, id))
    slow = analyze(chest.volume, bundled, made, lambda _: None)
    assert fast.device == "CPU (OpenVINO)" and slow.device == "CPU (PyTorch)"
    assert len(fast.detections) == len(slow.detections) > 0
    for one, other in zip(fast.detections, slow.detections, strict=True):
        assert one.score == pytest.approx(other.score, abs=2e-4)
        a, b = (each.mask.to_array(chest.volume.shape_kji) for each in (one, other))
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) >= 0.999
    apart = fast.heatmap.values.astype(int) - slow.heatmap.values
    assert np.abs(apart).max() <= 1


def test_nets_are_converted_once_and_again_when_they_can_have_changed(random_nets, monkeypatch):
    converted: list[str] = []
    convert = openvino_backend._convert

    def counted(name, net):
        converted.append(name)
        return convert(name, net)

    monkeypatch.setattr(openvino_backend, "_convert", counted)
    nets = {"heatmap": NoduleUNet(5, (4, 8)).eval().requires_grad_(False)}
    OpenVinoBackend(nets)
    OpenVinoBackend(nets)
    assert converted == ["heatmap"]
    nets["heatmap"].requires_grad_(True)
    inputs = _inputs((1, 5, 16, 16))
    old = OpenVinoBackend(nets)
    (before,) = old.run("heatmap", inputs)
    with torch.no_grad():
        nets["heatmap"].head.bias += 1
    assert torch.equal(old.run("heatmap", inputs)[0], before)
    (after,) = OpenVinoBackend(nets).run("heatmap", inputs)
    assert torch.allclose(after - before, torch.ones_like(after), atol=1e-4)


def test_without_openvino_torch_runs_the_nets_and_says_so(random_nets, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "inference.runtime.openvino_backend", None)
    with caplog.at_level(logging.WARNING):
        backend = backend_for(random_nets, "cpu")
    assert (backend.device, backend.name) == ("cpu", "CPU (PyTorch)")
    assert "OpenVINO cannot run these nets" in caplog.text and "ModuleNotFoundError" in caplog.text


def test_an_openvino_that_answers_otherwise_is_not_used(random_nets, monkeypatch, caplog):
    answer = openvino_backend._answer
    monkeypatch.setattr(openvino_backend, "_compiled", {})
    monkeypatch.setattr(
        openvino_backend, "_answer", lambda *given: tuple(one + 0.01 for one in answer(*given))
    )
    assert backend_for(random_nets, "cpu").name == "CPU (PyTorch)"
    assert "Disagreement" in caplog.text


def test_an_openvino_that_answers_no_number_is_not_used(random_nets, monkeypatch):
    answer = openvino_backend._answer
    monkeypatch.setattr(openvino_backend, "_compiled", {})
    monkeypatch.setattr(
        openvino_backend, "_answer", lambda *given: tuple(one * np.nan for one in answer(*given))
    )
    assert backend_for(random_nets, "cpu").name == "CPU (PyTorch)"


def test_openvino_is_the_engine_of_the_cpu(random_nets):
    backend = backend_for(random_nets, "cpu")
    assert (backend.device, backend.name) == ("cpu", "CPU (OpenVINO)")


def test_the_model_process_never_loads_what_calls_home():
    code = (
        "import inference.runtime.openvino_backend, sys\n"
        "stub = 'openvino.tools.ovc.telemetry_stub'\n"
        "print(sys.modules['openvino_telemetry'], stub in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout.split() == ["None", "True"], done.stderr


def test_short_memory_means_smaller_steps_each_told_and_the_same_answer():
    told: list[str] = []
    inputs = _inputs((20, 2, 3, 4, 4))
    net = _Greedy({"cpu": 1})
    (found,) = TorchBackend({"outliner": net}, "cpu", told.append).run("outliner", inputs)
    assert torch.allclose(found, inputs.mean(dim=(1, 2, 3, 4)), atol=1e-6)
    assert net.sizes[:3] == [("cpu", 4), ("cpu", 1), ("cpu", 1)]
    assert told == ["smaller"]


def test_a_gpu_whose_memory_runs_out_hands_over_to_the_cpu():
    told: list[str] = []
    inputs = _inputs((9, 5, 16, 16))
    net = _Greedy({"meta": 0})
    backend = TorchBackend({"heatmap": net}, "meta", told.append)
    assert backend.device == "meta" and not told
    (found,) = backend.run("heatmap", inputs)
    assert torch.allclose(found, inputs.mean(dim=1, keepdim=True), atol=1e-6)
    assert told == ["smaller", "smaller", "cpu"]
    assert [size for size in net.sizes if size[0] == "meta"] == [
        ("meta", 8),
        ("meta", 2),
        ("meta", 1),
    ]
    assert backend.device == "cpu" and backend.name.startswith("CPU")
    # And it stays there.
    backend.run("heatmap", inputs)
    assert told == ["smaller", "smaller", "cpu"]


@pytest.mark.parametrize("engine", ["CPU (OpenVINO)", "CPU (PyTorch)"])
def test_a_gpu_that_is_full_before_the_nets_are_there_hands_over_to_the_cpu(
    random_nets, engine, monkeypatch
):
    if engine == "CPU (PyTorch)":
        monkeypatch.setitem(sys.modules, "inference.runtime.openvino_backend", None)
    told: list[str] = []

    def full(net: nn.Module) -> nn.Module:
        raise torch.OutOfMemoryError

    channels_last = backend_module._channels_last
    monkeypatch.setattr(
        backend_module,
        "_channels_last",
        lambda net: full(net) if next(net.parameters()).is_meta else channels_last(net),
    )
    backend = backend_for(random_nets, "meta", told.append)
    assert told == ["cpu"] and backend.device == "cpu" and backend.name == engine
    inputs = _inputs((2, 5, 32, 32))
    (found,) = backend.run("heatmap", inputs)
    (expected,) = TorchBackend(random_nets, "cpu").run("heatmap", inputs)
    assert torch.allclose(found, expected, atol=2e-5)


def test_findings_are_the_same_when_the_gpu_runs_out_of_memory(
    chest, bundled, bundled_nets, monkeypatch
):
    def run_out(self, net, inputs):
        if self._device.type == "meta":
            raise torch.OutOfMemoryError
        return infer(self, net, inputs)

    infer = TorchBackend._infer
    expected = analyze(
        chest.volume, bundled, partial(Engine.of, bundled_nets, "cpu"), lambda _: None
    )
    monkeypatch.setattr(TorchBackend, "_infer", run_out)
    notes: list[str] = []
    found = analyze(
        chest.volume,
        bundled,
        partial(Engine.of, bundled_nets, "meta"),
        lambda step: notes.append(step.note),
    )
    assert [note for note in notes if note] == ["smaller", "smaller", "cpu"]
    assert found.device == expected.device
    assert np.array_equal(found.heatmap.values, expected.heatmap.values)
    assert [one.score for one in found.detections] == [one.score for one in expected.detections]


@pytest.mark.parametrize("make", [lambda nets: TorchBackend(nets, "cpu"), OpenVinoBackend])
def test_memory_that_never_suffices_is_a_memory_error(random_nets, make, monkeypatch):
    backend = make(random_nets)

    def never(net, inputs):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(backend, "_infer", never)
    with pytest.raises(MemoryError):
        backend.run("heatmap", _inputs((2, 5, 32, 32)))


def test_other_errors_of_a_net_are_not_taken_for_short_memory():
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("defect")

    with pytest.raises(RuntimeError, match="defect"):
        TorchBackend({"heatmap": Broken()}, "cpu").run("heatmap", _inputs((1, 5, 8, 8)))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_what_libraries_raise_for_want_of_memory_is_known(error):
    assert short_of_memory(error)


def test_findings_name_the_very_gpu_that_they_were_made_on(monkeypatch):
    monkeypatch.setattr(TorchBackend, "_place", lambda self: True)
    monkeypatch.setattr(
        torch.cuda, "get_device_name", lambda device: ["first", "second"][device.index]
    )
    names = [TorchBackend({}, device).name for device in ("cuda:0", "cuda:1", "cpu")]
    assert names == ["first", "second", "CPU (PyTorch)"]
