"""What a DICOM object says of a segment and of itself: labels, codes, colours, who made it."""

from __future__ import annotations

from typing import Any

from viewer.display.cielab import recommended_colour
from viewer.imports.held import Coded, HeldOutline, short

# Morphologic abnormality (PS3.16 CID 7150): what is of it is a finding; all else a structure.
_ABNORMAL = frozenset({"49755003", "M-01000"})


def described(item: Any, number: int) -> HeldOutline:
    """Return a segment of the Segment Sequence (PS3.3 C.8.20.4) without its mask."""
    category = code(item, "SegmentedPropertyCategoryCodeSequence")
    kind = code(item, "SegmentedPropertyTypeCodeSequence")
    return HeldOutline(
        number,
        short(item.get("SegmentLabel")) or (kind[2] if kind else ""),
        category,
        kind,
        code(item, "AnatomicRegionSequence"),
        recommended_colour(item) or "",
        category is not None and category[0] not in _ABNORMAL,
        algorithm_type=short(item.get("SegmentAlgorithmType"), 16),
        algorithm=_algorithm(item),
        tracking_uid=short(item.get("TrackingUID")),
        tracking_id=short(item.get("TrackingID")),
    )


def code(item: Any, keyword: str) -> Coded | None:
    """Return the first coded concept (PS3.3 section 8) of a sequence."""
    found = item.get(keyword)
    if not found:
        return None
    one = found[0]
    value = one.get("CodeValue") or one.get("LongCodeValue") or one.get("URNCodeValue")
    scheme = short(one.get("CodingSchemeDesignator"), 16)
    return (short(value), scheme, short(one.get("CodeMeaning"))) if value else None


def system_of(dataset: Any) -> str:
    """Return who made an object: manufacturer, model, version."""
    parts: list[str] = []
    for keyword in ("Manufacturer", "ManufacturerModelName", "SoftwareVersions"):
        value = dataset.get(keyword)
        several = [value] if isinstance(value, str) or value is None else list(value)
        text = short(several[0] if several else "")
        if "://" in text:  # dcmqi gives the place of its source
            text = text.rstrip("/").rpartition("/")[2].removesuffix(".git")
        if text and text not in parts:
            parts.append(text)
    return " ".join(parts)[:64]


def _algorithm(item: Any) -> str:
    named = short(item.get("SegmentAlgorithmName"))
    told = item.get("SegmentationAlgorithmIdentificationSequence")
    version = short(told[0].get("AlgorithmVersion")) if told else ""
    return f"{named} {version}".strip()[:64] if version not in named.split() else named
