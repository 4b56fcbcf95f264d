"""The files of one case in a training set, each read again, and what is told of them.

Slow to import and to run: a window has it done by another process, ``viewer.export.apart``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from viewer.export import program
from viewer.export.documents import readers_of
from viewer.export.report import FileCheck
from viewer.export.sets import coco, crops, hard, pairs
from viewer.export.sets.files import insist, link, seal, write_json
from viewer.export.sets.table import row_of
from viewer.export.sets.task import Task
from viewer.export.sets.truth import Finding, findings, label_array, open_reasons
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import CancelCheck, stop_if

FORMAT, FORMAT_VERSION = "overread-set-item", 1
ITEMS = "items"
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Made:
    checks: list[FileCheck] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def write_case(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> dict[str, Any]:
    """Write the files of a case and read each again.

    Parameters
    ----------
    snapshot
        Without identity.
    folder
        Of the version that is being put together.
    task
        What, and by which name.
    progress, cancelled
        As for ``viewer.export.bundle.export_case``.

    Returns
    -------
    dict
        What stands in ``items/ITEM.json`` too: findings, files with their SHA-256, checks.

    Raises
    ------
    Problem, OSError, MemoryError, Cancelled
        What was written until then lies in ``folder``.
    """
    found = findings(snapshot, task.classes)
    volume = snapshot.volume
    labels = label_array(found, task.classes, volume.shape_kji, volume.affine)
    steps = [one for one in _WRITERS if one in task.formats]
    made = _Made()
    for done, one in enumerate(steps):
        stop_if(cancelled)
        _WRITERS[one](snapshot, folder, task, found, labels, made)
        if progress is not None:
            progress(done + 1, len(steps) + 1)
    document = _document(snapshot, task, found, made)
    document["files"] = [
        seal(folder, name) for name in (*(check.name for check in made.checks), *made.names)
    ]
    write_json(folder / ITEMS / f"{task.item}.json", document)
    if progress is not None:
        progress(len(steps) + 1, len(steps) + 1)
    return document


def _document(
    snapshot: CaseSnapshot, task: Task, found: tuple[Finding, ...], made: _Made
) -> dict[str, Any]:
    models = {one.lesion.model for one in found} - {None}
    if snapshot.findings is not None:
        models.add(snapshot.findings.model)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "program": {"name": program.NAME, "version": program.VERSION},
        "item": task.item,
        "patient": task.patient,
        "scan": task.scan,
        "revision": task.revision,
        "digest": task.digest,
        "side": task.side,
        "fold": task.fold,
        "reviewed": snapshot.reviewed,
        "models": sorted(
            ({"id": m.id, "version": m.version, "sha256": m.sha256} for m in models if m),
            key=lambda one: (one["id"], one["version"], one["sha256"]),
        ),
        "readers": readers_of(snapshot),
        "shape_kji": list(snapshot.volume.shape_kji),
        "spacing_kji_mm": list(geometry.spacing_kji_mm(snapshot.volume.affine)),
        "modality": snapshot.volume.modality,
        "counts": {
            "slices": snapshot.volume.shape_kji[0],
            "truth": sum(one.kind == "truth" for one in found),
            "rejected": sum(one.kind == "rejected" for one in found),
            "missed": sum(one.missed for one in found),
            "open": open_reasons(found),
        },
        "findings": [row_of(one, snapshot.volume, _who(task)) for one in found],
        **made.more,
        "checks": [
            {"name": c.name, "reader": c.reader, "compared": list(c.compared), "result": "equal"}
            for c in made.checks
        ],
    }


def _who(task: Task) -> dict[str, Any]:
    fold = "" if task.fold is None else task.fold
    return {"item": task.item, "patient": task.patient, "side": task.side, "fold": fold}


# ----------------------------------------------------------------------- one format after another

Writer = Callable[
    [CaseSnapshot, Path, Task, tuple[Finding, ...], npt.NDArray[np.uint8], _Made], None
]


def _pairs(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    found: tuple[Finding, ...],
    labels: npt.NDArray[np.uint8],
    made: _Made,
) -> None:
    names = f"pairs/images/{task.item}.nii.gz", f"pairs/labels/{task.item}.nii.gz"
    made.checks += _images(snapshot, folder, names, task, found, labels)


def _nnunet(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    found: tuple[Finding, ...],
    labels: npt.NDArray[np.uint8],
    made: _Made,
) -> None:
    end = "Ts" if task.side == "test" else "Tr"
    home = f"nnunet/{task.nnunet}"
    names = (
        f"{home}/images{end}/{task.item}_0000.nii.gz",
        f"{home}/labels{end}/{task.item}.nii.gz",
    )
    if "pairs" not in task.formats:
        made.checks += _images(snapshot, folder, names, task, found, labels)
        return
    for name, check in zip(names, list(made.checks[:2]), strict=True):
        link(folder / check.name, folder / name)
        made.checks.append(FileCheck(name, check.reader, (*check.compared, f"is {check.name}")))


def _images(
    snapshot: CaseSnapshot,
    folder: Path,
    names: tuple[str, str],
    task: Task,
    found: tuple[Finding, ...],
    labels: npt.NDArray[np.uint8],
) -> list[FileCheck]:
    """Write an image and its label map under two names."""
    image, label = names
    affine = snapshot.volume.affine
    one = pairs.write_checked(folder / image, image, snapshot.volume.voxels, affine)
    other = pairs.write_checked(folder / label, label, labels, affine)
    insist(label, pairs.findings_differ(folder / label, found, task.classes))
    return [one, FileCheck(label, other.reader, pairs.LABELS)]


def _coco(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    found: tuple[Finding, ...],
    labels: npt.NDArray[np.uint8],
    made: _Made,
) -> None:
    images, checks = coco.write_images(folder, task.item, snapshot.volume)
    made.more["coco"] = {"images": images, "annotations": coco.marks(found, task.classes, labels)}
    made.checks += checks


def _hard(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    found: tuple[Finding, ...],
    labels: npt.NDArray[np.uint8],
    made: _Made,
) -> None:
    rows, checks = hard.write(folder, found, snapshot.volume, labels, _who(task))
    made.more["hard"] = rows
    made.checks += checks


def _crops(
    snapshot: CaseSnapshot,
    folder: Path,
    task: Task,
    found: tuple[Finding, ...],
    labels: npt.NDArray[np.uint8],
    made: _Made,
) -> None:
    volume = snapshot.volume
    kept: list[crops.Crop] = []
    why = crops.why_no_crops(volume)
    left_out: Counter[str] = Counter()
    for one in found:
        if one.kind == "open":
            continue
        names = {
            "patient": task.patient,
            "nodule": f"{task.scan}-{one.lesion.number}-r{task.revision}",
            "series_uid": snapshot.plan.series.series_uid,
        }
        own = [one.lesion.mask.to_array(volume.shape_kji)] if one.kind == "truth" else []
        cut = why or crops.crop_of(one, found, own, volume, names)
        if isinstance(cut, str):
            left_out[cut] += 1
        else:
            kept.append(cut)
    name = f"{crops.FOLDER}/items/{task.item}.npz"
    crops.save(folder / name, kept)
    made.names.append(name)
    made.more["crops"] = {"rows": [dict(crop.row) for crop in kept], "left_out": dict(left_out)}


_WRITERS: Mapping[str, Writer] = {
    "pairs": _pairs,
    "nnunet": _nnunet,
    "coco": _coco,
    "hard": _hard,
    "crops": _crops,
}
