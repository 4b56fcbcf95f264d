"""What an export writes: one case, frozen, so that a pool thread may read it while work goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from inference.findings import Findings, Impression, Mask, ModelStamp, Outline
from inference.measure import Measurement as Size
from inference.measure import measure
from inference.volume import Volume
from viewer.annotate.key_images import KeyImage
from viewer.annotate.measurements import Measurement
from viewer.study.order import StackPlan

Origin = Literal["ai", "ai-pointed", "ai-edited", "human", "imported", "imported-edited"]
Verdict = Literal["accepted", "rejected", "unsure"]
Absence = Literal["deleted", "superseded", "below-threshold"]


@dataclass(frozen=True, slots=True)
class ImportedSnapshot:
    """Of what came from another file: whose it was, and what it was called there.

    Attributes
    ----------
    said
        System and series description of that file.
    tracking_uid, tracking_id
        (0062,0021), (0062,0020) there; or empty.
    algorithm_type, algorithm
        Segment Algorithm Type (0062,0008) and Name (0062,0009) there; or empty.
    """

    said: str
    tracking_uid: str = ""
    tracking_id: str = ""
    algorithm_type: str = ""
    algorithm: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LesionSnapshot:
    """One lesion as it stood when the export began.

    Attributes
    ----------
    id
        Unique in the case and stable over its life, such as ``"d1"`` or a UUID.
    number
        What the reader sees beside it: 1, 2, 3 and so on, unique in the case.
    label
        Key of ``resources/tables/labels.json``.
    origin
        ``"ai"`` untouched result of the model, ``"ai-pointed"`` the same at a point that a
        person gave, ``"ai-edited"`` corrected by a person, ``"human"`` drawn by a person,
        ``"imported"`` of another file as it came, ``"imported-edited"`` corrected by a person.
    verdict
        What the reader said of it; None before a verdict.
    mask
        Its voxels; empty for a lesion that has a place but no outline yet.
    measurement
        Of ``mask``; None when the mask is empty.
    score
        Probability of the model, 0 to 1; None for a lesion drawn by a person.
    detection_id
        ``Detection.id`` it came from; None for a lesion drawn by a person.
    reader
        Who gave the verdict or changed it last; empty when nobody did.
    verdict_utc, changed_utc
        When the verdict was given and the lesion last changed, UTC, ISO 8601 such as
        ``"2026-11-21T07:31:05.123Z"``; None when never.
    centre_lps_mm
        Where a lesion without an outline was marked; with one, its measurement says it.
    model
        Which model proposed it, maybe an earlier one than that of the case's findings; None
        for a lesion drawn by a person.
    uncertainty, impression
        Of the model, of what it proposed, as in ``Detection``; None when there are none.
    pointed_lps_mm
        The point that a person gave, LPS mm; None where none did.
    comment
        What the reader wrote beside it; free text, so it stays out of the exported files.
    reason
        Why it was rejected: key of ``resources/tables/rejection_reasons.json``, or empty.
    adjudicated
        In an adjudicated reading, whose it is: ``"first"``, ``"second"``, ``"both"`` of two
        readings, or the adjudicator's ``"own"``; else empty.
    texture, malignancy
        What the reader says of it, as in ``viewer.annotate.attributes``; None where nothing.
    imported
        Which file it came from; None when it was made here.
    missed_by_ai
        Added by a reader after a run of the model that had not proposed it.
    """

    id: str
    number: int
    label: str
    origin: Origin
    verdict: Verdict | None
    mask: Mask
    measurement: Size | None
    score: float | None = None
    detection_id: str | None = None
    reader: str = ""
    verdict_utc: str | None = None
    changed_utc: str | None = None
    centre_lps_mm: tuple[float, float, float] | None = None
    model: ModelStamp | None = None
    uncertainty: float | None = None
    impression: Impression | None = None
    pointed_lps_mm: tuple[float, float, float] | None = None
    comment: str = field(default="", repr=False)
    reason: str = ""
    adjudicated: str = ""
    texture: str | None = None
    malignancy: int | None = None
    imported: ImportedSnapshot | None = None
    missed_by_ai: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSnapshot:
    """One anatomical structure; attributes as in ``LesionSnapshot``."""

    id: str
    label: str
    origin: Origin
    volume_ml: float
    mask: Mask
    model: ModelStamp | None = None
    imported: ImportedSnapshot | None = None


@dataclass(frozen=True, slots=True)
class FirstImpression:
    """What one reader said before he saw the AI, but for his own words: these stay in the case.

    Attributes
    ----------
    judgement
        ``"suspicious"``, ``"not-suspicious"``, ``"unsure"``, or ``"skipped"`` for a reader who
        had the AI shown without having said anything.
    lesions_seen
        How many he saw; None when he did not say.
    lesion_ids
        Lesions that readers had marked by then.
    ai_had_run
        Whether a result of a model lay hidden in the case by then.
    """

    reader: str
    utc: str
    judgement: str
    lesions_seen: int | None
    lesion_ids: tuple[str, ...]
    ai_had_run: bool


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """How identity is taken out of what is written: by ``viewer.export.leaving``.

    Attributes
    ----------
    secret
        Of ``viewer.deid.keyed.Keys``, hexadecimal. Never written to a file.
    keep
        Of ``viewer.deid.options.KEEP``.
    pixels_seen
        Whether a person vouches for the pixels.
    report
        What was removed, kept and why, as JSON: it names nobody.
    """

    secret: str = field(repr=False)
    keep: tuple[str, ...] = ()
    pixels_seen: bool = False
    report: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class CaseSnapshot:
    """Everything that an export of one case needs.

    Attributes
    ----------
    plan
        The series, its instances in the order of the volume's slices.
    volume
        The voxels, read from ``plan``; never changed.
    findings
        What the model said, or None when it never ran.
    lesions
        Current lesions, rejected ones too, in the order of their numbers.
    segments
        Current anatomy.
    unlisted
        Lesions of the record that are not among ``lesions``, each with the reason. They are
        in no mask.
    reader
        Who exports; empty when nobody signed in (a headless run).
    readers
        Who has worked on the case, in the order of their names.
    taken_utc
        When the snapshot was taken.
    edits
        Number of edits by kind, such as ``{"paint": 12}``.
    seconds
        Wall time per stage beyond those of ``findings``, such as ``{"read": 1.2}``.
    measurements
        What readers measured, with the id of each.
    measurements_left_out
        Number of those that could not be read from the journal.
    key_images
        Slices that readers marked.
    first_impressions
        Of each reader who told one, the earliest first.
    terms
        Of the labels that did not come with Overread, for a process that knows no site's file.
    pseudonyms
        How identity goes from the headers of the images; None when it stays.
    """

    plan: StackPlan
    volume: Volume
    findings: Findings | None
    lesions: tuple[LesionSnapshot, ...]
    segments: tuple[SegmentSnapshot, ...]
    unlisted: tuple[tuple[Absence, LesionSnapshot], ...] = ()
    reader: str = ""
    taken_utc: datetime = field(default_factory=lambda: datetime.now(UTC))
    edits: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    measurements: tuple[tuple[str, Measurement], ...] = ()
    measurements_left_out: int = 0
    key_images: tuple[KeyImage, ...] = ()
    first_impressions: tuple[FirstImpression, ...] = ()
    readers: tuple[str, ...] = ()
    terms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pseudonyms: Pseudonyms | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "edits", MappingProxyType(dict(self.edits)))
        object.__setattr__(self, "seconds", MappingProxyType(dict(self.seconds)))

    @property
    def imported_by_id(self) -> Mapping[str, ImportedSnapshot]:
        """What came from other files, by the id of the lesion or segment."""
        all_of_them: tuple[LesionSnapshot | SegmentSnapshot, ...] = (*self.lesions, *self.segments)
        return {one.id: one.imported for one in all_of_them if one.imported is not None}

    @property
    def shown_lesions(self) -> tuple[LesionSnapshot, ...]:
        """Lesions that go into the SEG and the label map: not rejected, and with an outline."""
        return tuple(
            lesion for lesion in self.lesions if lesion.verdict != "rejected" and lesion.mask.count
        )

    @property
    def reviewed(self) -> bool:
        """Whether a person gave a verdict on every lesion, or there is no AI result to review.

        A lesion that a person drew needs none.
        """
        if self.findings is not None and not self.lesions:
            # Nothing found is a result too, and nobody has confirmed it.
            return False
        threshold = 0.0 if self.findings is None else self.findings.threshold
        if any(
            why == "below-threshold" and lesion.score is not None and lesion.score >= threshold
            for why, lesion in self.unlisted
        ):
            # A reader who hides what the model found has not reviewed it.
            return False
        return all(
            lesion.origin == "human" or lesion.verdict is not None for lesion in self.lesions
        )


def snapshot_of_findings(
    plan: StackPlan,
    volume: Volume,
    findings: Findings,
    *,
    seconds: Mapping[str, float] | None = None,
) -> CaseSnapshot:
    """Return a case that nobody has reviewed: the model's result as it is.

    Detections below the pack's threshold stay in ``findings`` and are no lesions.
    """
    found = [d for d in findings.detections if d.score >= findings.threshold]
    return CaseSnapshot(
        plan=plan,
        volume=volume,
        findings=findings,
        lesions=tuple(
            LesionSnapshot(
                id=d.id,
                number=number,
                label=d.label,
                origin="ai",
                verdict=None,
                mask=d.mask,
                measurement=measure(d.mask, volume.affine, volume.voxels) if d.mask.count else None,
                score=d.score,
                detection_id=d.id,
                model=findings.model,
                uncertainty=d.uncertainty,
                impression=d.impression,
            )
            for number, d in enumerate(found, start=1)
        ),
        segments=tuple(
            SegmentSnapshot(s.id, s.label, "ai", s.volume_ml, s.mask, findings.model)
            for s in findings.segments
        ),
        seconds=seconds or {},
    )


def snapshot_of_outline(
    plan: StackPlan,
    volume: Volume,
    outline: Outline,
    model: ModelStamp,
    point_lps_mm: tuple[float, float, float],
    *,
    seconds: Mapping[str, float] | None = None,
) -> CaseSnapshot:
    """Return a case with the one lesion that a person pointed at, which nobody has reviewed.

    Parameters
    ----------
    outline
        Its mask holds at least one voxel.
    point_lps_mm
        Where the person pointed, LPS mm.

    Notes
    -----
    It is a lesion and no detection: the model did not find it, and no score was asked of it.
    """
    findings = Findings(
        model=model,
        device=outline.device,
        detections=(),
        segments=(),
        heatmap=outline.share,
        threshold=0.0,
        uncertainty=outline.spread,
    )
    lesion = LesionSnapshot(
        id="p1",
        number=1,
        label="nodule",
        origin="ai-pointed",
        verdict=None,
        mask=outline.mask,
        measurement=measure(outline.mask, volume.affine, volume.voxels),
        score=outline.score,
        model=model,
        uncertainty=outline.uncertainty,
        impression=outline.impression,
        pointed_lps_mm=point_lps_mm,
    )
    return CaseSnapshot(
        plan=plan,
        volume=volume,
        findings=findings,
        lesions=(lesion,),
        segments=(),
        seconds=seconds or {},
    )
