"""Coded concepts of the report: standard ones where there are any, else of our own scheme.

UCUM units, SNOMED CT and DICOM concepts are those of PS3.16; ``99OVERREAD`` is private
(PS3.16 8.2) and listed in full here.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from resources import table

SCHEME = "99OVERREAD"


def own(value: str, meaning: str) -> Code:
    """Return a concept of our own scheme; a code has 16 characters (PS3.3 8.8), a meaning 64."""
    assert len(value) <= 16 and len(meaning) <= 64, value
    return Code(value, SCHEME, meaning)


VERDICT = own("verdict", "Verdict of the reader")
VERDICTS: Mapping[str | None, Code] = {
    "accepted": own("accepted", "Accepted"),
    "rejected": own("rejected", "Rejected"),
    "unsure": own("unsure", "Unsure"),
    None: own("not-reviewed", "AI, not reviewed"),
}
DRAWN = own("drawn", "Drawn by a reader")
TAKEN_IN = own("no-verdict", "Of another file, not reviewed")
REASON = own("rejection-reason", "Reason of the rejection")
ORIGIN = own("origin", "Origin of the outline")
ORIGINS: Mapping[str, Code] = {
    "ai": own("ai", "AI, as it is"),
    "ai-pointed": own("ai-pointed", "AI, at a point that a person gave"),
    "ai-edited": own("ai-edited", "AI, corrected by a person"),
    "human": own("human", "Drawn by a person"),
    "imported": own("imported", "Of another file, as it is"),
    "imported-edited": own("imported-edited", "Of another file, corrected by a person"),
}
SCORE = own("score", "Probability that readers call it a lesion")
UNCERTAINTY = own("disagreement", "Disagreement of the model's outlines")
MALIGNANCY = own("malignancy", "Expected mean malignancy rating of LIDC readers, 1 to 5")
TEXTURE_RATING = own("texture-rating", "Expected mean texture rating of LIDC readers, 1 to 5")
TEXTURE = own("texture", "Texture that LIDC readers would name")
TEXTURES: Mapping[str, Code] = {
    "ground-glass": own("ground-glass", "Ground-glass"),
    "part-solid": own("part-solid", "Part-solid"),
    "solid": own("solid", "Solid"),
}
READER_TEXTURE = own("reader-texture", "Texture that the reader named")
READER_RATING = own("reader-rating", "Likelihood of malignancy, rating of the reader, 1 to 5")
VOXEL_VALUE = own("voxel-value", "Voxel value, unit not known")
N_VOXELS = own("voxel-count", "Number of voxels")

NO_UNIT = codes.UCUM.NoUnits
RATING = Code("{score}", "UCUM", "score")
MILLILITRE = Code("mL", "UCUM", "milliliter")
MILLIMETRE = Code("mm", "UCUM", "millimeter")
UNITS: Mapping[str, Code] = {
    "mm": MILLIMETRE,
    "px": Code("{pixels}", "UCUM", "pixels"),
    "deg": Code("deg", "UCUM", "degree"),
    "mm2": Code("mm2", "UCUM", "square millimeter"),
    "px2": Code("{pixels}2", "UCUM", "square pixels"),
    "voxels": Code("{voxels}", "UCUM", "voxels"),
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "SUVbw": Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight"),
    "Bq/mL": Code("Bq/ml", "UCUM", "Becquerels/milliliter"),
    "": NO_UNIT,
}
"""By the units of ``viewer.annotate.measurements``."""

NAMES: Mapping[str, Code] = {
    "length": codes.SCT.Length,
    "long_axis": codes.SCT.LongAxis,
    "short_axis": codes.SCT.ShortAxis,
    "angle": codes.SCT.Angle,
    "area": codes.SCT.Area,
    "n_voxels": N_VOXELS,
}
DERIVATIONS: Mapping[str, Code] = {
    "mean": codes.SCT.Mean,
    "sd": codes.SCT.StandardDeviation,
    "min": codes.SCT.Minimum,
    "max": codes.SCT.Maximum,
}
"""Statistics of what ``QUANTITIES`` says, by the unit of the voxels (PS3.16 CID 7464)."""

QUANTITIES: Mapping[str, Code] = {
    "HU": codes.DCM.AttenuationCoefficient,
    "SUVbw": Code("126401", "DCM", "SUVbw"),
    "Bq/mL": Code("110821", "DCM", "Nuclear Medicine Tomographic Activity"),
}

SIDES: Mapping[str, tuple[Code, Code]] = {
    "right": (Code(*table("labels")["lung_right"]["type"]), codes.SCT.Right),
    "left": (Code(*table("labels")["lung_left"]["type"]), codes.SCT.Left),
}
"""Lung and laterality (PS3.16 CID 244)."""

# Thirds of the lung's height, by PS3.16 CID 2; no lobe is meant.
LEVELS: Mapping[str, Code] = {
    "upper": Code("264217000", "SCT", "Superior"),
    "middle": Code("11896004", "SCT", "Intermediate"),
    "lower": Code("261089000", "SCT", "Inferior"),
}

PROCEDURES: Mapping[str, Code] = {
    "CT": codes.cid100.CTUnspecifiedBodyRegion,
    "MR": codes.cid100.MRIUnspecifiedBodyRegion,
    "PT": codes.cid100.PETUnspecifiedBodyRegion,
    "NM": codes.cid100.NMUnspecifiedBodyRegion,
}
"""By modality (PS3.16 CID 100); any other is an imaging procedure."""


def verdict(said: str | None, origin: str) -> Code:
    """Return what stands as the verdict on a finding; without one, whose it is."""
    if said is None and origin in ("human", "imported", "imported-edited"):
        return DRAWN if origin == "human" else TAKEN_IN
    return VERDICTS[said]


def reason(key: str) -> Code:
    """Return why a finding was rejected, by the key of ``tables/rejection_reasons.json``."""
    return own(f"reason-{key}", table("rejection_reasons")[key]["name"])
