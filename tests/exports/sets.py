"""A training set as nnU-Net, MONAI and two image libraries see it.

nnU-Net's own check lets a label pass that is flipped from left to right; the check of the grids
here does not, and compares every label with the findings in patient space.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from inference import geometry
from tests.export_cases import whole_case
from tests.exports import tools
from tests.exports.dicom import checked
from tests.exports.grids import affine_of, wrong_grids
from tests.outcomes import Outcome
from tests.set_cases import named
from viewer.deid.keyed import Keys
from viewer.export.leaving import Leave
from viewer.export.sets.formats import SET_FORMATS
from viewer.export.sets.grow import Wish, grow
from viewer.export.snapshot import CaseSnapshot

PATIENTS = 8
_CHILD = Path(__file__).with_name("nnunet_child.py")
_RAS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class TrainingSet:
    """A version of a set, and the case of each of its items."""

    version: Path
    cases: dict[str, CaseSnapshot]

    @property
    def nnunet(self) -> Path:
        """Its nnU-Net folder."""
        (found,) = (self.version / "nnunet").iterdir()
        return found

    @property
    def datalist(self) -> Path:
        """Its MONAI data list."""
        return next(path for path in self.version.rglob("*.json") if "datalist" in path.name)


def phantoms(home: Path, patients: int = PATIENTS) -> TrainingSet:
    """Return a set of several patients, each turned another way."""
    keys = Keys(bytes(range(32)))
    people = [f"PATIENT-{n}" for n in range(patients)]
    made = []
    for number, patient in enumerate(people):
        turned = (3.0 * number, -2.0 * number, 4.0 * number)
        case = whole_case(home / patient, turned)
        named(home / patient, patient)
        made.append(case)
    wish = Wish(SET_FORMATS, 0, Leave(keys, lambda _: None))
    report = grow(home / "set", made, wish)
    version = home / "set" / f"v{report.version:04d}"
    items = [item["item"] for item in json.loads((version / "manifest.json").read_text())["items"]]
    cases = {}
    for patient, case in zip(people, made, strict=True):
        pseudonym = keys.patient(patient).replace("-", "")
        (item,) = (item for item in items if item.startswith(pseudonym))
        cases[item] = case
    return TrainingSet(version, cases)


def _files(made: TrainingSet, item: str) -> Iterator[tuple[Path, Path]]:
    """Yield image and label of an item, in each format that has them."""
    pairs = made.version / "pairs"
    yield pairs / "images" / f"{item}.nii.gz", pairs / "labels" / f"{item}.nii.gz"
    name = made.nnunet
    yield name / "imagesTr" / f"{item}_0000.nii.gz", name / "labelsTr" / f"{item}.nii.gz"


def set_grids(made: TrainingSet, _: Path | None = None) -> Outcome:
    """Each image has the source's values at the source's places, each label the findings'."""

    def look() -> dict:
        wrong, count = [], 0
        for item, case in made.cases.items():
            for image, label in _files(made, item):
                count += 2
                found = wrong_grids([image, label], case.volume.affine)
                wrong += found or _contents(image, label, case)
        return {"times": count, "cases": len(made.cases), "wrong": wrong}

    what = "affines in 0.001 mm, values of the source, labels where the findings are"
    return checked("training set", "nibabel, SimpleITK", what, look)


def _contents(image: Path, label: Path, case: CaseSnapshot) -> list[str]:
    wrong = []
    if not np.array_equal(np.asanyarray(nibabel.load(image).dataobj).T, case.volume.voxels):
        wrong.append(f"{image.name}: other values")
    truth = np.zeros(case.volume.shape_kji, dtype=bool)
    for lesion in case.lesions:
        if lesion.verdict == "accepted" and lesion.mask.count:
            truth |= lesion.mask.to_array(truth.shape)
    ijk = np.argwhere(np.asanyarray(nibabel.load(label).dataobj) == 1)
    places = (affine_of(label) @ np.c_[ijk, np.ones(len(ijk))].T).T[:, :3]
    kji = np.rint(geometry.lps_mm_to_kji(case.volume.affine, places)).astype(int)
    seen = np.zeros_like(truth)
    seen[tuple(kji.T)] = True
    if not np.array_equal(seen, truth):
        wrong.append(f"{label.name}: labels lie elsewhere")
    return wrong


def _nnunet(what: str, made: TrainingSet, home: Path) -> str:
    """Run nnU-Net on the folder as it is; return all that it says."""
    python = tools.nnunet_python()
    folders = {name: home / name for name in ("nnUNet_preprocessed", "nnUNet_results")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "nnUNet_raw": str(made.nnunet.parent),
        **{name: str(folder) for name, folder in folders.items()},
        **dict.fromkeys(("nnUNet_n_proc_DA", "nnUNet_def_n_proc"), "1"),
        "nnUNet_compile": "f",
    }
    done = subprocess.run(
        [python, _CHILD, what, made.nnunet], env=environment, cwd=home,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout + done.stderr


def nnunet_verify(made: TrainingSet, home: Path) -> Outcome:
    """nnunetv2's own check neither fails nor warns."""

    def look() -> dict:
        said = _nnunet("verify", made, home).splitlines()
        wrong = [line for line in said if line.lower().startswith(("error", "warning"))]
        if not any("verify_dataset_integrity Done" in line for line in said):
            wrong.append("it did not come to its end")
        return {"cases": len(made.cases), "words": len(wrong), "wrong": wrong}

    return checked("nnunetv2", "verify_dataset_integrity", "neither error nor warning", look)


def nnunet_train(made: TrainingSet, home: Path) -> Outcome:
    """Plan, preprocess and train some steps, on the folder as it was exported."""

    def look() -> dict:
        said = _nnunet("train", made, home)
        line = next(line for line in said.splitlines() if line.startswith("RESULT "))
        told = json.loads(line.removeprefix("RESULT "))
        splits = json.loads((made.nnunet / "splits_final.json").read_text())[told["fold"]]
        wrong = [] if np.isfinite(told["losses"]).all() else ["the loss is no number"]
        if (told["train"], told["val"]) != (sorted(splits["train"]), sorted(splits["val"])):
            wrong.append("it trained on other cases than the split says")
        losses = " ".join(f"{loss:.3f}" for loss in told["losses"])
        return {
            "fold": told["fold"],
            "loss of each epoch": losses,
            "cases": len(told["train"]),
            "wrong": wrong,
        }

    return checked("nnunetv2", "short training", "trains on the set as it is, by its splits", look)


def monai_train(made: TrainingSet, _: Path | None = None) -> Outcome:
    """Read the data list by MONAI and train some steps on it."""

    def look() -> dict:
        import torch
        from monai.data import CacheDataset, DataLoader, load_decathlon_datalist
        from monai.losses import DiceCELoss
        from monai.networks.nets import UNet
        from monai.transforms import (
            Compose,
            EnsureChannelFirstd,
            LoadImaged,
            Orientationd,
            RandCropByPosNegLabeld,
            ScaleIntensityRanged,
        )

        torch.manual_seed(0)
        entries = load_decathlon_datalist(
            str(made.datalist), True, "training", base_dir=str(made.version)
        )
        keys = ["image", "label"]
        read = Compose(
            [
                LoadImaged(keys),
                EnsureChannelFirstd(keys),
                Orientationd(keys, axcodes="RAS", labels=None),
                ScaleIntensityRanged("image", -1000, 400, 0, 1, clip=True),
                RandCropByPosNegLabeld(keys, "label", (32, 32, 8), num_samples=2),
            ]
        )
        loader = DataLoader(CacheDataset(entries, read, progress=False), batch_size=2)
        net = UNet(3, 1, 2, (8, 16), (2,))
        loss, steps = DiceCELoss(to_onehot_y=True, softmax=True), torch.optim.Adam(net.parameters())
        losses = []
        for _ in range(3):
            for batch in loader:
                steps.zero_grad()
                one = loss(net(batch["image"]), (batch["label"] == 1).float())
                one.backward()
                steps.step()
                losses.append(float(one.detach()))
        wrong = [] if np.isfinite(losses).all() else ["the loss is no number"]
        return {
            "cases": len(entries),
            "steps": len(losses),
            "loss": f"{losses[0]:.3f} to {losses[-1]:.3f}",
            "wrong": wrong,
        }

    return checked("MONAI", "short training", "trains on the data list as it is", look)


CHECKS = (set_grids, nnunet_verify)
TRAININGS = (nnunet_train, monai_train)
