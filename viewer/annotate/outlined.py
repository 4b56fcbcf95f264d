"""Edits that lay a lesion into a case which the model outlined where a reader pointed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from inference.findings import Detection, Impression, Mask, ModelStamp
from viewer.annotate.lesion import Point
from viewer.annotate.mask import Delta
from viewer.annotate.small_edits import triple


@dataclass(frozen=True, slots=True, eq=False)
class AddOutlined:
    """A reader points, the model outlines: a lesion that no run proposed.

    Attributes
    ----------
    lesion_id
        ``"p1"``, ``"p2"`` and so on.
    number
        Shown to the reader.
    point_lps_mm
        Where he pointed, LPS mm.
    model, device
        What outlined it, and where it ran.
    outlined
        What the model drew and said; kept as it is for ever.
    missed_by_ai
        Whether a run had looked at the case before and not listed it.
    """

    kind: ClassVar[str] = "add-outlined"
    lesion_id: str
    number: int
    point_lps_mm: Point
    model: ModelStamp
    device: str
    outlined: Detection
    missed_by_ai: bool

    @property
    def tool(self) -> str:
        """The model's id."""
        return self.model.id

    def inverse(self) -> RemoveOutlined:
        """Return its removal."""
        return RemoveOutlined(self)

    def body(self) -> dict[str, Any]:
        """Return everything but the voxels."""
        drawn, said = self.outlined, self.outlined.impression
        return {
            "lesion": self.lesion_id,
            "number": self.number,
            "label": drawn.label,
            "point_lps_mm": list(self.point_lps_mm),
            "model": [self.model.id, self.model.version, self.model.sha256],
            "device": self.device,
            "missed_by_ai": self.missed_by_ai,
            "score": drawn.score,
            "centre_lps_mm": list(drawn.centre_lps_mm),
            "diameter_mm": drawn.diameter_mm,
            "short_axis_mm": drawn.short_axis_mm,
            "volume_ml": drawn.volume_ml,
            "mean_value": drawn.mean_value,
            "uncertainty": drawn.uncertainty,
            "impression": None if said is None else [said.malignancy, said.texture],
            "origin_kji": list(drawn.mask.origin_kji),
            "shape_kji": list(drawn.mask.voxels.shape),
        }

    def blob(self) -> bytes:
        """Return the bits of the mask, as those of a stroke."""
        delta = Delta.from_array(self.outlined.mask.voxels, self.outlined.mask.origin_kji)
        assert delta is not None, "an outline holds voxels"
        return delta.bits

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> AddOutlined:
        """Read its journal form."""
        if blob is None:
            raise ValueError("an outline without bytes")
        origin, shape = triple(body["origin_kji"]), triple(body["shape_kji"])
        uncertainty, said = body["uncertainty"], body["impression"]
        outlined = Detection(
            id=str(body["lesion"]),
            label=str(body["label"]),
            score=float(body["score"]),
            centre_lps_mm=_point(body["centre_lps_mm"]),
            diameter_mm=float(body["diameter_mm"]),
            short_axis_mm=float(body["short_axis_mm"]),
            volume_ml=float(body["volume_ml"]),
            mean_value=float(body["mean_value"]),
            mask=Mask(origin, Delta(origin, shape, blob).to_array()),
            uncertainty=None if uncertainty is None else float(uncertainty),
            impression=None if said is None else Impression(*_two(said)),
        )
        model, version, sha256 = (str(text) for text in body["model"])
        return cls(
            outlined.id,
            int(body["number"]),
            _point(body["point_lps_mm"]),
            ModelStamp(model, version, sha256),
            str(body["device"]),
            outlined,
            bool(body["missed_by_ai"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class RemoveOutlined:
    """Takes back an outline before anything was done to it, as if nobody had pointed."""

    kind: ClassVar[str] = "remove-outlined"
    added: AddOutlined

    @property
    def tool(self) -> str:
        """The model's id."""
        return self.added.tool

    def inverse(self) -> AddOutlined:
        """Return the outline that was taken back."""
        return self.added

    def body(self) -> dict[str, Any]:
        """Return the outline's own."""
        return self.added.body()

    def blob(self) -> bytes:
        """Return the outline's own."""
        return self.added.blob()

    @classmethod
    def read(cls, body: Mapping[str, Any], blob: bytes | None) -> RemoveOutlined:
        """Read its journal form."""
        return cls(AddOutlined.read(body, blob))


def _point(values: Any) -> Point:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _two(values: Any) -> tuple[float, float]:
    first, second = (float(v) for v in values)
    return first, second
