"""``python -m inference.evaluation``: the process that measures on crops."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from inference import registry
from inference.background import Telling, step_back
from inference.evaluation import compare, options, pictures, report
from inference.evaluation.folder import Folder, load_folder
from inference.evaluation.lungs import measure_lungs
from inference.evaluation.predict import device_of, predict
from inference.evaluation.predictions import Predictions, load, save
from inference.evaluation.seen import Seen, seen_by
from inference.manifest import ModelPack
from resources.problem import Problem
from resources.text import translate

_DONE, _FAILED, _STOPPED = 0, 2, 130
_EVERY_S = 10.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.evaluation")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser(
        "lidc-nodules", help=translate("evaluation", "measure on crops of outlined nodules")
    )
    options.add_crops(one)
    one.set_defaults(run=_measure)
    one = commands.add_parser("compare", help=translate("evaluation", "compare two models"))
    options.add_compare(one)
    one.set_defaults(run=_compare)
    one = commands.add_parser("pictures", help=translate("evaluation", "draw the worst outlines"))
    one.add_argument("folder", type=Path)
    one.add_argument("--predictions", type=Path, required=True)
    one.add_argument("--split", choices=options.CHOICES, default="unseen")
    one.add_argument("--worst", type=int, default=12)
    one.add_argument(
        "--out",
        type=Path,
        help=translate("evaluation", "folder for pictures of the slices, which hold patient data"),
    )
    one.add_argument(
        "--svg", type=Path, help=translate("evaluation", "file for the outlines alone")
    )
    one.set_defaults(run=_draw)
    one = commands.add_parser(
        "lungs-unlabelled", help=translate("evaluation", "count findings in lungs without labels")
    )
    one.add_argument("folder", type=Path)
    one.add_argument("--json", type=Path, required=True)
    one.add_argument("--model")
    one.add_argument("--device", choices=options.DEVICES, default="auto")
    one.set_defaults(run=_lungs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 2 with a sentence on stderr when not."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        print(translate("cli", "Stopped."), file=sys.stderr)
        return _STOPPED
    return _DONE


class _Progress:
    """Says on stderr how far it is and how long it will take, every few seconds."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._said = stage, now, now
        if now - self._said < _EVERY_S or not done:
            return
        self._said = now
        left = (now - self._began) / done * (total - done)
        print(
            translate(
                "evaluation", "{done} of {total} nodules, about {minutes:.1f} min left"
            ).format(done=done, total=total, minutes=left / 60),
            file=sys.stderr,
            flush=True,
        )


def _measure(parsed: argparse.Namespace) -> None:
    folder = load_folder(parsed.folder)
    tell = _Progress()
    if parsed.predictions is None:
        pack = registry.find(parsed.model)
        seen = seen_by(pack)
        split = parsed.split or "unseen"
        numbers = report.choose(folder, split, seen)
        said = predict(folder, pack, numbers, parsed.device, tell)
        if parsed.save is not None:
            _written(parsed.save, lambda path: save(path, said))
    else:
        said = load(parsed.predictions, folder)
        seen, split = _made_by(said, parsed.split)
        numbers = report.choose(folder, split, seen)
    found = report.measure(folder, said, numbers, split, seen, tell)
    _write(parsed.json, found)
    _summary(found)


def _made_by(said: Predictions, split: str | None) -> tuple[Seen, str]:
    """Return whom the maker of predictions was trained on, and what to measure by default."""
    known = {pack.weights.sha256: pack for pack in registry.every()}
    pack = known.get(str(said.model.get("sha256")))
    return seen_by(pack), split or ("unseen" if pack is not None else "all")


def _written(path: Path, write: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    except OSError as error:
        raise Problem(
            translate("evaluation", "The file {path} cannot be written: {fault}.").format(
                path=path, fault=error.strerror or type(error).__name__
            ),
            translate("evaluation", "Choose another place."),
        ) from error


def _write(path: Path, found: dict[str, Any]) -> None:
    text = json.dumps(found, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    _written(path, lambda path: path.write_text(text, encoding="utf-8"))


def _lungs(parsed: argparse.Namespace) -> None:
    found = measure_lungs(parsed.folder, registry.find(parsed.model), device_of(parsed.device))
    _write(parsed.json, found)
    for name, one in found.items():
        print(f"{name}  {one.get('shown', ' '.join(one.get('refused', ())))}")


def _summary(found: dict[str, Any]) -> None:
    """Print the figures that decide."""
    measured, outline = found["measured"], found["outline"]
    size, crops = found["size"], found["detection"]["nodules_of_3_or_more_readers"]
    heat = found["calibration"]["heatmap"]
    dice, readers = outline["dice"], found["readers"]["dice"]
    small = outline["by_size"].get("6 to 10 mm")
    rows: list[tuple[str, Any]] = [
        (translate("evaluation", "patients"), measured["patients"]),
        (translate("evaluation", "of them trained on"), measured["patients_trained_on"]),
        (translate("evaluation", "nodules of 3 or more readers"), dice["count"]),
        (translate("evaluation", "Dice, mean"), dice["mean"]),
        (translate("evaluation", "Dice, mean, 95 % interval"), dice["mean_ci95"]),
        (translate("evaluation", "Dice, 10th percentile"), dice["percentile_10"]),
        (translate("evaluation", "Dice, 6 to 10 mm, mean"), small and small["mean"]),
        (translate("evaluation", "one reader against the others, mean"), readers["mean"]),
        (
            translate("evaluation", "two points in one nodule, mean Dice"),
            outline.get("two_points", {}).get("mean"),
        ),
        (
            translate("evaluation", "found at 0.25 false blobs a crop"),
            crops["froc"]["false_blobs_a_crop"]["0.25"]["share"],
        ),
        (
            translate("evaluation", "long axis, median absolute error, mm"),
            size["long_axis_mm"].get("median_absolute"),
        ),
        (
            translate("evaluation", "volume bias, % of the mean of both"),
            size["volume"]["percent_of_the_mean_of_both"].get("bias"),
        ),
        (
            translate("evaluation", "calibration error of the heatmap"),
            heat and heat["expected_calibration_error"]["voxels_from_heat_0.1"],
        ),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        if value is not None:
            print(f"{name:<{width}}  {value}")


def _compare(parsed: argparse.Namespace) -> None:
    if parsed.behind:
        step_back()
    tell: compare.Tell = Telling() if parsed.behind else _Progress()
    folder = load_folder(parsed.data)
    old, new = (_model(text, folder) for text in (parsed.old, parsed.new))
    unseen = [
        n
        for n in report.choose(folder, parsed.split, old.seen)
        if not old.seen.use(folder.lesions[n].patient)
        and not new.seen.use(folder.lesions[n].patient)
    ]
    least = compare.least_readers(folder, unseen)
    numbers = [n for n in unseen if folder.lesions[n].n_readers >= least]
    before, after = (
        one.said(folder, numbers, parsed.device, partial(_renamed, tell, name))
        for name, one in (("old", old), ("new", new))
    )
    found = compare.compare(folder, before, after, numbers, tell)
    most = pictures.changed(found["nodules"])
    if parsed.svg is not None:
        text = pictures.montage(folder, after, most, before)
        _written(parsed.svg, lambda path: path.write_text(text, encoding="utf-8"))
    if parsed.pictures is not None:
        _written(
            parsed.pictures / "_",
            lambda path: pictures.draw_changed(path.parent, folder, before, after, most),
        )
    # Last: whoever finds it finds the pictures too.
    _write(parsed.json, found)
    if not parsed.behind:
        _say_difference(found)


def _renamed(tell: compare.Tell, name: str, _stage: str, done: int, total: int) -> None:
    tell(name, done, total)


@dataclass(frozen=True, slots=True)
class _Model:
    """A pack to be run, or what a model has said; and whom it has seen."""

    made: ModelPack | Predictions
    seen: Seen

    def said(self, folder: Folder, numbers: Sequence[int], device: str, tell: Any) -> Predictions:
        if isinstance(self.made, Predictions):
            return self.made
        return predict(folder, self.made, numbers, device, tell)


def _model(text: str, folder: Folder) -> _Model:
    """Return the model of a name, of a pack's folder, or of a file of predictions."""
    path = Path(text)
    if path.suffix.lower() == ".npz":
        said = load(path, folder)
        return _Model(said, _made_by(said, None)[0])
    pack = registry.pack_of(text)
    return _Model(pack, seen_by(pack))


_NAMES = {
    "dice": lambda: translate("evaluation", "Dice, mean"),
    "sensitivity": lambda: translate("evaluation", "found without a point"),
    "false_blobs_a_crop": lambda: translate("evaluation", "false blobs a crop"),
    "long_axis_error_mm": lambda: translate("evaluation", "long axis, mean absolute error, mm"),
    "heat_calibration_error": lambda: translate("evaluation", "calibration error of the heatmap"),
    "auc": lambda: translate("evaluation", "area under the ROC curve"),
}


_HEADS = (
    lambda: translate("evaluation", "old"),
    lambda: translate("evaluation", "new"),
    lambda: translate("evaluation", "difference"),
    lambda: translate("evaluation", "95 % interval"),
    lambda: "",
)


def _say_difference(found: dict[str, Any]) -> None:
    """Print each figure of both models, the difference, and what follows."""
    rows = [["", *(head() for head in _HEADS)]]
    for check in found["promotion"]["checks"]:
        key, apart = check["figure"], found["new_minus_old"][check["figure"]]
        low, high = ("?" if end is None else f"{end:+.4f}" for end in apart["ci95"])
        rows.append(
            [
                _NAMES[key](),
                *(_written_out(_value(found[side], key), ".4f") for side in ("old", "new")),
                _written_out(apart["mean"], "+.4f"),
                translate("evaluation", "{low} to {high}").format(low=low, high=high),
                translate("evaluation", "kept")
                if check["kept"]
                else translate("evaluation", "may be worse than {limit:+g}").format(**check),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
        print(line.rstrip())
    if found["promotion"]["patients"] < found["promotion"]["least_patients"]:
        print(
            translate(
                "evaluation",
                "Patients: {patients}. Fewer than {least_patients} cannot show that a model is no "
                "worse.",
            ).format(**found["promotion"])
        )
    print(
        translate("evaluation", "The new model may take the place of the old one.")
        if found["promotion"]["may_lead"]
        else translate("evaluation", "The new model may not take the place of the old one.")
    )


def _written_out(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _value(side: dict[str, Any], key: str) -> Any:
    if key == "auc":
        return side["decision"]["auc"]
    return side[key] and side[key]["mean"]


def _draw(parsed: argparse.Namespace) -> None:
    folder = load_folder(parsed.folder)
    said = load(parsed.predictions, folder)
    seen, split = _made_by(said, parsed.split)
    numbers = [n for n in report.choose(folder, split, seen) if said.measured[n]]
    worst = pictures.worst(folder, said, numbers, parsed.worst)
    if parsed.out is not None:
        _written(parsed.out / "_", lambda path: _pictures(path.parent, folder, said, worst))
    if parsed.svg is not None:
        text = pictures.montage(folder, said, worst)
        _written(parsed.svg, lambda path: path.write_text(text, encoding="utf-8"))


def _pictures(out: Path, folder: Folder, said: Predictions, worst: Sequence[Any]) -> None:
    for path in pictures.draw(out, folder, said, worst):
        print(path)
