"""Fit the outliner: the outline of one pointed-at nodule, and what its readers said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from monai.losses.dice import MaskedDiceLoss
from torch import Tensor
from torch.nn import functional

from inference.runtime.nets.outliner import NoduleOutliner, Outlined
from inference.runtime.window import CHANNELS
from inference.training.checkpoint import State, average
from inference.training.loop import Report, Tick, train
from inference.training.recipe import Course
from inference.training.samples import Sample
from inference.training.windows import Windows

COURSE = Course(4900, 8, (24, 48, 96, 160), 2e-3, 1e-4, 0.9985)
# Windows are drawn some batches ahead and sorted by their slices, so that little is padded.
_AHEAD = 4
# With two slices the bf16 gradient of torch 2.13 on a CPU is no number (K = 1 and 3 are right).
_FEWEST = 3
# Parts of the net that draw; the others look, and judge what is drawn.
OUTLINES = ("up", "masks")


def new_net(widths: Sequence[int] = COURSE.widths) -> NoduleOutliner:
    """Return the net of the pack, untrained."""
    return NoduleOutliner(CHANNELS, widths)


class Loss:
    """Sum of what the mask and, unless left out, the verdicts are judged by."""

    def __init__(self, *, verdicts: bool = True) -> None:
        self._verdicts = verdicts
        self._dice = MaskedDiceLoss(sigmoid=True, reduction="none", smooth_nr=1.0, smooth_dr=1.0)

    def __call__(self, out: Outlined, batch: Sample) -> Tensor:
        """Return the loss of a batch, as ``collate`` makes it."""
        target = torch.stack((batch.share, batch.half), dim=1)
        entropy = functional.binary_cross_entropy_with_logits(
            out.masks, target, weight=batch.weight, reduction="sum"
        ) / batch.weight.sum().clamp(min=1)
        counts = batch.weight[:, 1:]
        dice = self._dice(out.masks[:, 1:], batch.half[:, None], counts).flatten()
        drawn = (batch.half * batch.weight[:, 1]).sum((1, 2, 3)) > 0
        dice = (dice * drawn).sum() / drawn.sum().clamp(min=1)
        outline: Tensor = 8 * entropy + dice
        if not self._verdicts:
            return outline
        nodule, scores = batch.verdicts[:, 0], batch.verdicts[:, 1:]
        verdict = functional.binary_cross_entropy_with_logits(out.verdicts[:, 0], nodule)
        known = torch.isfinite(scores)
        # Scores run from 1 to 5: the net says their distance from the middle.
        apart = functional.smooth_l1_loss(
            out.verdicts[:, 1:], torch.nan_to_num(scores - 3.0), reduction="none"
        )
        score = (apart * known).sum() / known.sum().clamp(min=1)
        total: Tensor = outline + verdict + 0.15 * score
        return total


def collate(samples: list[Sample]) -> Sample:
    """Stack windows to a batch; where one has fewer slices, none are there and none count."""
    most = max(_FEWEST, *(sample.inputs.shape[1] for sample in samples))

    def padded(tensor: Tensor) -> Tensor:
        return functional.pad(tensor, (0, 0, 0, 0, 0, most - tensor.shape[-3]))

    return Sample(
        torch.stack([padded(s.inputs) for s in samples]),
        torch.stack([padded(s.share) for s in samples]),
        torch.stack([padded(s.half) for s in samples]),
        torch.stack([padded(s.weight) for s in samples]),
        torch.stack([s.verdicts for s in samples]),
    )


class Batches:
    """Batches of windows with a like number of slices.

    Parameters
    ----------
    windows
        What they are drawn from.
    seed
        Of all draws.
    size
        Windows in a batch.
    harder, harder_from
        What they are drawn from instead, and from which step on.
    """

    def __init__(
        self,
        windows: Windows,
        seed: int,
        size: int = COURSE.batch,
        harder: Windows | None = None,
        harder_from: int = 0,
    ) -> None:
        self._windows = windows
        self._seed = seed
        self._size = size
        self._harder = harder
        self._harder_from = harder_from
        self._round, self._groups = -1, [[]]  # type: tuple[int, list[list[Sample]]]

    def draw(self, number: int) -> Sample:
        """Return the batch of one step, the same whatever was drawn before."""
        now, place = divmod(number, _AHEAD)
        if now != self._round:
            rng = np.random.default_rng((self._seed, now))
            late = self._harder is not None and now * _AHEAD >= self._harder_from
            windows = self._harder if late and self._harder else self._windows
            drawn = [windows.draw(rng) for _ in range(self._size * _AHEAD)]
            drawn.sort(key=lambda sample: sample.inputs.shape[1])
            groups = [drawn[n : n + self._size] for n in range(0, len(drawn), self._size)]
            self._round, self._groups = now, [groups[n] for n in rng.permutation(len(groups))]
        return collate(self._groups[place])


def fit_outliner(
    windows: Windows,
    folder: Path,
    steps: int,
    seed: int,
    device: torch.device,
    report: Report,
    *,
    course: Course = COURSE,
    harder: Windows | None = None,
    harder_from: int = 0,
    stage: str = "outliner",
    after: str = "",
    tick: Tick | None = None,
    outlines_only: bool = False,
    limit_s: float = 0.0,
) -> None:
    """Train for ``steps`` in all, from the last checkpoint if there is one.

    Writes the checkpoint ``stage`` in ``folder``, about once a minute. Of ``course`` all but
    its steps counts; for ``harder`` see ``Batches``. With ``after``, the name of a checkpoint in
    the folder, it begins with the weights averaged there. ``outlines_only`` trains what draws
    (``OUTLINES``) and leaves what judges as it is: the way down, the verdict, and what batch norm
    has counted. ``limit_s`` as in ``loop.train``.
    """
    torch.manual_seed(seed)
    net = new_net(course.widths)
    if after:
        average(net, folder / f"{after}.safetensors")
    if outlines_only:
        for name, part in net.named_children():
            part.requires_grad_(name in OUTLINES)
    state = State(
        net.to(device, memory_format=torch.channels_last_3d),  # type: ignore[call-overload]
        weight_decay=course.weight_decay,
    )
    batches, loss = (
        Batches(windows, seed, course.batch, harder, harder_from),
        Loss(verdicts=not outlines_only),
    )

    def step(number: int) -> Tensor:
        drawn = batches.draw(number)
        batch = Sample(*(getattr(drawn, name).to(device) for name in Sample.__slots__))
        inputs = batch.inputs.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(device.type, torch.bfloat16):
            out = state.net(inputs)
        return loss(Outlined(out.masks.float(), out.verdicts.float()), batch)

    path = folder / f"{stage}.safetensors"
    course = replace(course, steps=steps)
    train(
        state,
        path,
        step,
        course,
        seed=seed,
        report=report,
        tick=tick,
        still=outlines_only,
        limit_s=limit_s,
    )
