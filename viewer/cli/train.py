"""``overread train`` and ``retrain``, each in a process of its own: ``inference.training``."""

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


def retrain_command(
    data: Path,
    base: str,
    out: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    version: str | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> int:
    """Fine-tune a model on corrections and write its pack, resuming what is in ``out``.

    Parameters
    ----------
    data
        Folder of corrected crops, in the format of lidc-nodules.
    base
        Name of a model, or folder of its pack.
    out
        Folder of the checkpoints; the new pack is written to ``pack`` in it.
    steps, minutes, version
        See ``inference.training.retrain.Plan``; None takes what stands there.
    device, threads
        As for ``train_command``.

    Returns
    -------
    int
        The exit code of the training.
    """
    # A name of a model is no path, unless a folder of that name lies here.
    base = str(Path(base).resolve()) if Path(base).is_dir() else base
    arguments = ["retrain", "--data", str(data), "--base", base, "--out", str(out)]
    arguments += ["--device", device]
    given = {"steps": steps, "minutes": minutes, "version": version, "threads": threads}
    for name, value in given.items():
        if value is not None:
            arguments += [f"--{name}", str(value)]
    return run_child("inference.training", arguments, needs=NEEDS)
