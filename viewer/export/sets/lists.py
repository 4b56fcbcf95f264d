"""The files of a version that are about all its cases: lists, tables, joined crops."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from viewer.export import program
from viewer.export.report import FileCheck
from viewer.export.sets import coco, crops, hard, table
from viewer.export.sets.files import insist, write_json
from viewer.export.sets.folder import Design
from viewer.export.sets.formats import CROPS_TEST, CROPS_TRAINING, FOLDS, SIDES

Item = Mapping[str, Any]

README = "README.md"
DATALIST = "datalist.json"


def write_all(folder: Path, design: Design, items: Sequence[Item]) -> list[FileCheck]:
    """Write what is about all the cases of a version, and read each file again.

    Parameters
    ----------
    folder
        Of the version; the files of its items are in it.
    items
        As ``case_files.write_case`` tells of each, in the order of their names.
    """
    checks: list[FileCheck] = []
    if "nnunet" in design.formats:
        checks += _nnunet(folder, design, items)
    if "monai" in design.formats:
        checks.append(_list(folder, DATALIST, datalist(design, items)))
    if "coco" in design.formats:
        for side in SIDES:
            own = [(i["coco"]["images"], i["coco"]["annotations"]) for i in items if _on(i, side)]
            if own:
                document = coco.document(own, design.classes, f"{program.NAME}, {side}")
                checks.append(_list(folder, f"{coco.FOLDER}/{side}.json", document))
    if "table" in design.formats:
        rows = [row for item in items for row in item["findings"]]
        checks.append(table.write(folder, table.NAME, table.COLUMNS, rows))
    if "hard" in design.formats:
        rows = [row for item in items for row in item["hard"]]
        checks.append(table.write(folder, hard.INDEX, hard.COLUMNS, rows))
    if "crops" in design.formats:
        checks += _crops(folder, items)
    (folder / README).write_text(_readme(design), encoding="utf-8", newline="\n")
    return [*checks, FileCheck(README, "utf-8", ("text",))]


def _on(item: Item, side: str) -> bool:
    return bool(item["side"] == side)


def _list(folder: Path, name: str, document: Any) -> FileCheck:
    write_json(folder / name, document)
    insist(name, "" if json.loads((folder / name).read_bytes()) == document else "values differ")
    return FileCheck(name, "json", ("every value",))


# --------------------------------------------------------------------------------- nnU-Net


def _nnunet(folder: Path, design: Design, items: Sequence[Item]) -> list[FileCheck]:
    home = f"nnunet/{design.nnunet}"
    own = [item for item in items if item["fold"] is not None]
    for item in items:
        end = "Ts" if item["fold"] is None else "Tr"
        for name in (
            f"{home}/images{end}/{item['item']}_0000.nii.gz",
            f"{home}/labels{end}/{item['item']}.nii.gz",
        ):
            insist(name, "" if (folder / name).is_file() else "not there")
    names = {name: number for number, name in enumerate(design.classes, start=1)}
    document = {
        "name": design.nnunet.partition("_")[2],
        "description": f"{program.NAME} training set. {program.RESEARCH_USE}",
        "channel_names": {"0": design.modality},
        "labels": {"background": 0, **names, "ignore": len(names) + 1},
        "numTraining": len(own),
        "file_ending": ".nii.gz",
    }
    splits = [
        {
            "train": [item["item"] for item in own if item["fold"] != fold],
            "val": [item["item"] for item in own if item["fold"] == fold],
        }
        for fold in range(FOLDS)
    ]
    return [
        _list(folder, f"{home}/dataset.json", document),
        _list(folder, f"{home}/splits_final.json", splits),
    ]


# ----------------------------------------------------------------------------------- MONAI


def datalist(design: Design, items: Sequence[Item]) -> dict[str, Any]:
    """Return a MONAI data list, as ``monai.data.load_decathlon_datalist`` reads it.

    A side that nobody is on is not in it: MONAI cannot read an empty list.
    """
    lists: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        name = f"{item['item']}.nii.gz"
        entry = {"image": f"pairs/images/{name}", "label": f"pairs/labels/{name}"}
        if item["fold"] is not None:
            entry["fold"] = item["fold"]
        lists.setdefault(item["side"], []).append(entry)
    names = {str(number): name for number, name in enumerate(design.classes, start=1)}
    return {
        "description": f"{program.NAME} training set. {program.RESEARCH_USE}",
        "modality": {"0": design.modality},
        "labels": {"0": "background", **names, str(len(names) + 1): "ignore"},
        **{side: lists[side] for side in SIDES if side in lists},
    }


# ----------------------------------------------------------------------------------- crops


def _crops(folder: Path, items: Iterable[Item]) -> list[FileCheck]:
    """Join the crops of all cases: of test patients apart, to compare models on.

    What is measured there are nodules, so what was rejected is not among them.
    """
    training: list[crops.Crop] = []
    test: list[crops.Crop] = []
    for item in items:
        path = folder / crops.FOLDER / "items" / f"{item['item']}.npz"
        own = crops.load(path, item["crops"]["rows"])
        if item["fold"] is None:
            test += [crop for crop in own if int(crop.row["n_readers"])]
        else:
            training += own
    checks: list[FileCheck] = []
    for name, some in ((CROPS_TRAINING, training), (CROPS_TEST, test)):
        if some:
            checks += crops.write_folder(folder, name, some)
    return checks


def _readme(design: Design) -> str:
    """Return how a version is used, English: it goes to people who may not have the program."""
    ignore = len(design.classes) + 1
    lines = [
        "# Training set",
        "",
        f"Written by {program.NAME} {program.VERSION}. {program.RESEARCH_USE}",
        "Names, identifiers and dates of patients are not in it. `manifest.json` says what was",
        "written from how many cases, how each file was checked, and its SHA-256.",
        "",
        "Truth are findings that a reader accepted, corrected or drew. What was rejected is",
        f"background. In the label maps {ignore} (`ignore`) marks findings without a verdict, of",
        "which a reader was unsure, or that have no outline: nobody knows, so do not train there.",
        "",
    ]
    if "nnunet" in design.formats:
        number = int(design.nnunet[7:10])
        lines += [
            "- nnU-Net v2: set `nnUNet_raw` to `nnunet/` here, run",
            f"  `nnUNetv2_plan_and_preprocess -d {number} --verify_dataset_integrity`, copy",
            f"  `nnunet/{design.nnunet}/splits_final.json` into `$nnUNet_preprocessed/"
            f"{design.nnunet}/`,",
            f"  then `nnUNetv2_train {number} 3d_fullres 0`. A fold whose `val` is empty cannot be",
            "  trained. `imagesTs` and `labelsTs` are of patients that are kept for the test.",
        ]
    if "monai" in design.formats:
        lines += [
            f"- MONAI: `load_decathlon_datalist('{DATALIST}', True, 'training')`, also",
            "  `validation` (fold 0) and `test`.",
        ]
    if "coco" in design.formats:
        lines += ["- COCO: `coco/SIDE.json`; `iscrowd` 1 is what nobody knows."]
    if "hard" in design.formats:
        lines += [f"- False positives and missed lesions with their reasons: `{hard.INDEX}`."]
    if "crops" in design.formats:
        lines += [
            f"- `overread retrain --data {CROPS_TRAINING} --base MODEL --out DIR`; "
            f"`{CROPS_TEST}` for",
            "  `overread compare`. `other_findings.npz` there marks other lesions of the patient.",
        ]
    return "\n".join(lines) + "\n"
