"""``overread analyze``: open, choose the series, run the model, export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inference import registry
from inference.findings import Detection, Findings
from resources import table
from resources.text import translate
from viewer import site_labels
from viewer.cli import result, running, terminal
from viewer.export import export_case
from viewer.export.place import check as check_place
from viewer.export.snapshot import snapshot_of_findings


def analyze_command(
    paths: Sequence[Path], out: Path, model: str | None, device: str, *, as_json: bool
) -> None:
    """Run a model on the largest series below ``paths`` that it may read, and export.

    Parameters
    ----------
    paths
        Files and folders of one study.
    out
        Folder of the export; an earlier export there is replaced once the new one is whole.
    model
        Id of a pack; None takes the first.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    Problem
        At every bad input; nothing is written then.
    """
    site_labels.check()
    pack = registry.find(model)
    registry.check(pack)
    # Before minutes of work, not after.
    check_place(out.resolve(), replace=True)
    with terminal.stages() as stages:
        opened = running.open_study(pack, paths, stages)
        with running.model_process() as process:
            findings = process.analyze(
                opened.volume,
                pack,
                device,
                progress=lambda step: running.show_progress(stages, step),
            )
        snapshot = snapshot_of_findings(
            opened.plan, opened.volume, findings, seconds=opened.seconds
        )
        report = export_case(
            snapshot, out, replace=True, progress=stages.step(translate("cli", "Exporting"))
        )
    running.note_choice(opened)
    if as_json:
        result.print_document(report.folder)
        return
    _print(findings, report.folder)


def _print(findings: Findings, folder: Path) -> None:
    shown = [d for d in findings.detections if d.score >= findings.threshold]
    impressed = any(d.impression is not None for d in shown)
    columns = _columns(shown, impressed)
    terminal.print_table(list(columns), list(zip(*columns.values(), strict=True)))
    lines = [
        translate("cli", "{count} findings by {model} {version} on {device}, not reviewed.").format(
            count=len(shown),
            model=findings.model.id,
            version=findings.model.version,
            device=findings.device,
        ),
        *([result.directions()] if shown else []),
        *result.footnotes(impressed, folder),
    ]
    for line in lines:
        terminal.print_line(line)


def _columns(shown: Sequence[Detection], impressed: bool) -> dict[str, list[str]]:
    """Return the cells below each title, narrow enough for a terminal of 80 columns."""
    names = table("labels")
    columns = {
        translate("cli", "Finding"): [
            f"{names[d.label]['name']} {n}" for n, d in enumerate(shown, start=1)
        ],
        translate("cli", "Score"): [f"{d.score:.2f}" for d in shown],
        translate("cli", "Size\nmm"): [
            f"{d.diameter_mm:.1f} x {d.short_axis_mm:.1f}" for d in shown
        ],
        translate("cli", "Volume\nmL"): [f"{d.volume_ml:.2f}" for d in shown],
        translate("cli", "Centre\nmm"): [
            ", ".join(f"{v:.0f}" for v in d.centre_lps_mm) for d in shown
        ],
    }
    # A model that says nothing of these gets no empty columns.
    if impressed:
        columns[translate("cli", "Malignancy of 5,\ntexture*")] = [
            "" if d.impression is None else result.brief_impression(d.impression) for d in shown
        ]
    if any(d.uncertainty is not None for d in shown):
        columns[translate("cli", "Outlines\nagree")] = [
            "" if d.uncertainty is None else result.agreement(d.uncertainty) for d in shown
        ]
    return columns
