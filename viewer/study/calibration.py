"""What the size of a pixel is the size of: of the patient, or of a shadow (PS3.3 10.7)."""

from __future__ import annotations

from typing import Literal

from viewer.study.order import StackPlan
from viewer.study.quiet import hush
from viewer.study.series import InstanceHeader

Calibration = Literal[
    "", "detector", "geometry", "fiducial", "calibrated", "projection", "film", "ultrasound"
]

CALIBRATIONS: tuple[Calibration, ...] = (
    "", "detector", "geometry", "fiducial", "calibrated", "projection", "film", "ultrasound",
)  # fmt: skip
"""Empty: the patient's own, as in CT and MR. The others, in turn: at the detector (Imager Pixel
Spacing (0018,1164), or a Pixel Spacing that is the same); Pixel Spacing (0028,0030) corrected for
the usual magnification, or by an object of known size ((0028,0A02) GEOMETRY, FIDUCIAL), or in a way
that is not said; of a projection of which nothing more is known; of a scanned film; of an
ultrasound region."""

_PROJECTIONS = frozenset({"CR", "DX", "MG", "PX", "IO", "XA", "RF", "RG"})
_BY_SOURCE: dict[str, Calibration] = {
    "Imager Pixel Spacing": "detector",
    "Nominal Scanned Pixel Spacing": "film",
    "Ultrasound region": "ultrasound",
}


def is_asked_of_file(plan: StackPlan) -> bool:
    """Return whether ``calibration`` has to open a file to know."""
    plane = plan.planes[0].plane
    projected = plan.series.modality in _PROJECTIONS
    return projected and plane.spacing_source == "Pixel Spacing"


def calibration(plan: StackPlan) -> Calibration:
    """Return what the spacing of a volume's pixels is calibrated to."""
    if is_asked_of_file(plan):
        return _of_projection(plan.planes[0].instance)
    return _BY_SOURCE.get(plan.planes[0].plane.spacing_source, "")


def _of_projection(instance: InstanceHeader) -> Calibration:
    """Return what makes the spacing of a projection image one of the patient, if anything."""
    import pydicom

    hush()
    try:
        data = pydicom.dcmread(
            instance.path,
            stop_before_pixels=True,
            force=True,
            specific_tags=["PixelSpacing", "ImagerPixelSpacing", "PixelSpacingCalibrationType"],
        )
        kind = str(data.get("PixelSpacingCalibrationType", ""))
        known = data.get("ImagerPixelSpacing")
        same = known is not None and list(known) == list(data.PixelSpacing)
    except Exception:
        # Read once before; a file that is gone by now changes nothing of what is said.
        kind, known, same = "", None, False
    if kind == "GEOMETRY":
        return "geometry"
    if kind == "FIDUCIAL":
        return "fiducial"
    if same:
        return "detector"
    return "projection" if known is None else "calibrated"
