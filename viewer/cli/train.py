"""``overread train``: the training runs in a process of its own, see ``inference.training``."""

from __future__ import annotations

from pathlib import Path

from viewer.cli.child import run_child

# What the extra "train" brings beyond the program.
NEEDS = ("monai", "PIL")


def train_command(
    model: str,
    data: Path,
    out: Path,
    *,
    config: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> int:
    """Train a model and write its pack, resuming what is in ``out``.

    Parameters
    ----------
    model
        ``"lung-nodule"``.
    data
        Folder with ``lidc-nodules`` and ``lungs-unlabelled``.
    out
        Folder of the checkpoints; the pack is written to ``pack`` in it.
    config
        Recipe, as ``resources/training/lung-nodule.json``, which None takes.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    threads
        Of the CPU; None takes one a core.

    Returns
    -------
    int
        The exit code of the training.
    """
    arguments = [model, "--data", str(data), "--out", str(out), "--device", device]
    if config is not None:
        arguments += ["--config", str(config)]
    if threads is not None:
        arguments += ["--threads", str(threads)]
    return run_child("inference.training", arguments, needs=NEEDS)
