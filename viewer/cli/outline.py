"""``overread outline``: open, outline the nodule at a point, export it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inference import registry
from inference.findings import ModelStamp, Outline
from resources import table
from resources.problem import Problem
from resources.text import translate
from viewer.cli import result, running, terminal
from viewer.display.planes import make_planes
from viewer.export import export_case
from viewer.export.place import check as check_place
from viewer.export.snapshot import CaseSnapshot, snapshot_of_outline

# As grep does it: 0 found, 1 nothing there, 2 trouble.
FOUND, NOTHING = 0, 1

Point = tuple[float, float, float]


def outline_command(
    paths: Sequence[Path],
    out: Path,
    point_lps_mm: Point,
    model: str | None,
    device: str,
    *,
    as_json: bool,
) -> int:
    """Outline the nodule at a point of the series that ``analyze`` would take, and export it.

    Parameters
    ----------
    paths
        Files and folders of one study.
    out
        Folder of the export; an earlier export there is replaced once the new one is whole.
    point_lps_mm
        Where to outline, LPS mm.
    model
        Id of a pack; None takes the first.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    int
        ``FOUND``, or ``NOTHING`` when the outline is empty: the reason is said, and nothing is
        written.

    Raises
    ------
    Problem
        At every bad input; nothing is written then.
    """
    pack = registry.find(model)
    registry.check_outlines(pack)
    registry.check(pack)
    check_place(out.resolve(), replace=True)
    with terminal.stages() as stages:
        opened = running.open_study(pack, paths, stages)
        with running.model_process() as process:
            outline = process.outline(
                opened.volume,
                pack,
                device,
                point_lps_mm,
                progress=lambda step: running.show_progress(stages, step),
            )
        if not outline.mask.count:
            folder = None
        else:
            snapshot = snapshot_of_outline(
                opened.plan,
                opened.volume,
                outline,
                ModelStamp(pack.id, pack.version, pack.weights.sha256),
                point_lps_mm,
                seconds=opened.seconds,
            )
            step = stages.step(translate("cli", "Exporting"))
            folder = export_case(snapshot, out, replace=True, progress=step).folder
    running.note_choice(opened)
    if folder is None:
        if as_json:
            terminal.print_json(
                {"folder": None, "reason": outline.reason, "score": outline.score, "lesions": []}
            )
        terminal.note(str(_why_nothing(outline, point_lps_mm)))
        return NOTHING
    if as_json:
        result.print_document(folder)
    else:
        _print(snapshot, outline, folder)
    return FOUND


def _why_nothing(outline: Outline, point_lps_mm: Point) -> Problem:
    at = _millimetres(point_lps_mm)
    if outline.reason == "outside":
        return Problem(
            translate("cli", "The point {point} lies outside the images.").format(point=at),
            translate("cli", "Give it in mm: to the patient's left, to posterior, to the head."),
        )
    return Problem(
        translate(
            "cli", "At the point {point} there is nothing that the model would outline."
        ).format(point=at),
        translate("cli", "Point at the middle of the nodule."),
    )


def _print(snapshot: CaseSnapshot, outline: Outline, folder: Path) -> None:
    (lesion,) = snapshot.lesions
    size, model = lesion.measurement, lesion.model
    assert size is not None and model is not None, "an outline that is exported has voxels"
    volume, slices = snapshot.volume, outline.mask.box[0]
    planes = make_planes(volume.shape_kji, volume.affine).values()
    acquired = next(plane for plane in planes if plane.axis == 0)
    # As the window counts them.
    first, last = sorted(acquired.number(k) for k in (slices.start, slices.stop - 1))
    said = outline.impression
    lines = [
        f"{table('labels')[lesion.label]['name']} {lesion.number}",
        translate("cli", "Size: {long} x {short} mm").format(
            long=f"{size.diameter_mm:.1f}", short=f"{size.short_axis_mm:.1f}"
        ),
        translate("cli", "Volume: {volume} mL").format(volume=f"{size.volume_ml:.2f}"),
        translate("cli", "Centre (left, posterior, head): {centre} mm").format(
            centre=_millimetres(size.centre_lps_mm)
        ),
        translate("cli", "Slices: {first} to {last} of {count}").format(
            first=first, last=last, count=acquired.count
        ),
        translate("cli", "Score: {score}").format(score=f"{outline.score:.2f}"),
    ]
    if said is not None:
        lines.append(
            translate("cli", "Malignancy, texture*: {said}").format(said=result.impression(said))
        )
    lines.append(
        translate("cli", "Outlines agree: {percent}").format(
            percent=result.agreement(outline.uncertainty)
        )
    )
    for line in lines:
        terminal.print_line(line)
    terminal.print_line(
        translate(
            "cli", "Outlined by {model} {version} on {device} at a given point, not reviewed."
        ).format(model=model.id, version=model.version, device=outline.device)
    )
    for line in result.footnotes(said is not None, folder):
        terminal.print_line(line)


def _millimetres(point: Point) -> str:
    return ", ".join(f"{value:.1f}" for value in point)
