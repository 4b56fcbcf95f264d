"""The manifest of a version of a training set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from viewer.annotate import schema
from viewer.export import program
from viewer.export.sets.folder import FORMAT_VERSION, MANIFEST_FORMAT, Design
from viewer.export.sets.formats import SIDES

_ITEM = ("item", "patient", "scan", "revision", "digest", "side", "fold", "reviewed", "counts")
_FINDINGS = ("truth", "rejected", "missed")


def manifest_document(
    design: Design,
    version: int,
    parent: Mapping[str, Any] | None,
    items: Sequence[Mapping[str, Any]],
    added: Sequence[Mapping[str, Any]],
    left_out: Mapping[Any, int],
    files: Sequence[Mapping[str, Any]],
    checks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the contents of ``manifest.json``.

    Parameters
    ----------
    parent
        Number of the version before and the SHA-256 of its manifest; None of the first.
    items, added
        All cases of the version, and those of them that are new or were corrected.
    left_out
        Cases that were offered and added nothing, by the reason.
    files
        Name, size and SHA-256 of every other file.
    checks
        How each was read again before the version got its name.

    Notes
    -----
    There is no time in it: it would tell when a case was read.
    """
    models = {tuple(sorted(one.items())) for item in items for one in item["models"]}
    return {
        "format": MANIFEST_FORMAT,
        "format_version": FORMAT_VERSION,
        "program": {"name": program.NAME, "version": program.VERSION},
        "schema": {"set": FORMAT_VERSION, "journal": schema.VERSION},
        "use": program.RESEARCH_USE,
        "set": design.document(),
        "version": version,
        "parent": None if parent is None else dict(parent),
        "deidentified": {"profile": "PS3.15 Annex E, Basic Profile", "kept": []},
        "models": [dict(one) for one in sorted(models)],
        "readers": sorted({reader for item in items for reader in item["readers"]}),
        "counts": counts_of(items),
        "added": [str(item["item"]) for item in added],
        "cases_left_out": {str(why): count for why, count in sorted(left_out.items())},
        "items": [{name: item[name] for name in _ITEM} for item in items],
        "files": [dict(file) for file in files],
        "checks": [dict(check) for check in checks],
    }


def counts_of(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return patients, cases, slices, and findings by what they are taken for."""
    still_open: Counter[str] = Counter()
    no_crop: Counter[str] = Counter()
    for item in items:
        still_open.update(item["counts"]["open"])
        no_crop.update(item.get("crops", {}).get("left_out", {}))
    return {
        "patients": len({item["patient"] for item in items}),
        "cases": len(items),
        "cases_by_side": {side: sum(i["side"] == side for i in items) for side in SIDES},
        "patients_by_side": {
            side: len({i["patient"] for i in items if i["side"] == side}) for side in SIDES
        },
        "slices": sum(item["counts"]["slices"] for item in items),
        **{name: sum(item["counts"][name] for item in items) for name in _FINDINGS},
        "open": dict(sorted(still_open.items())),
        "findings_without_crop": dict(sorted(no_crop.items())),
    }
