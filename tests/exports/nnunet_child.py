"""Run by the Python that has nnunetv2 (``OVERREAD_NNUNET``): ``verify FOLDER`` or ``train FOLDER``.

``train`` takes a raw data set as it is: plans, preprocesses, and trains a few steps on the first
fold of its own splits that has somebody on both sides; prints the losses as JSON.
"""

import json
import shutil
import sys
from pathlib import Path


def verify(folder: Path) -> None:
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    verify_dataset_integrity(str(folder), 1)


def train(folder: Path) -> None:
    import torch
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
        preprocess,
    )
    from nnunetv2.paths import nnUNet_preprocessed
    from nnunetv2.run.run_training import get_trainer_from_args

    number = int(folder.name[7:10])
    extract_fingerprints([number], num_processes=1, check_dataset_integrity=True)
    plan_experiments([number])
    preprocess([number], configurations=("2d",), num_processes=(1,))
    made = Path(str(nnUNet_preprocessed)) / folder.name
    shutil.copy(folder / "splits_final.json", made / "splits_final.json")
    # Of few patients nobody may be in a fold, and nnU-Net cannot train that one.
    splits = json.loads((folder / "splits_final.json").read_text())
    fold = next(n for n, split in enumerate(splits) if split["train"] and split["val"])
    trainer = get_trainer_from_args(folder.name, "2d", fold, device=torch.device("cpu"))
    trainer.num_epochs, trainer.num_iterations_per_epoch = 2, 4
    trainer.num_val_iterations_per_epoch = 1
    trainer.run_training()
    losses = [float(x) for x in trainer.logger.get_value("train_losses", step=None)]
    keys = [sorted(names) for names in trainer.do_split()]
    print(
        "RESULT " + json.dumps({"losses": losses, "fold": fold, "train": keys[0], "val": keys[1]})
    )


if __name__ == "__main__":
    {"verify": verify, "train": train}[sys.argv[1]](Path(sys.argv[2]))
