"""A case on its way to those who must not know of whom it is: identity goes before writing begins.

What every format is written from, the frozen case and the headers of its images, is changed, so
no format needs to know. The same secret as in ``viewer.deid`` makes the same UIDs: what refers to
an image fits the copy that ``overread deidentify`` makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from resources.problem import Problem
from resources.text import translate
from viewer.deid.keyed import Keys
from viewer.deid.options import Box, Options, options
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot, Pseudonyms
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.case_key import case_key
from viewer.study.order import StackPlan
from viewer.study.series import FrameRef, InstanceHeader, PatientText

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from viewer.deid.pixels import Doubt
    from viewer.deid.report import Report

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Leave:
    """How identity is taken out of exports.

    Attributes
    ----------
    keys
        What makes the pseudonyms.
    remember
        Called with patients by their pseudonyms before anything has its name.
    options
        What stays, what a person says of the pixels, what is made black.
    """

    keys: Keys = field(repr=False)
    remember: Callable[[Mapping[str, str]], None] = field(repr=False)
    options: Options = field(default_factory=Options)

    def key_of(self, plan: StackPlan) -> str:
        """Return under which key a case leaves: that of its copies, not the one it has here."""
        left = plan_of(plan, self.keys, self.options.keep)
        return case_key(left.series.series_uid, left.part)

    def take_out(self, snapshot: CaseSnapshot) -> CaseSnapshot:
        """Return a case whose export names nobody; its patient is remembered.

        Raises
        ------
        Problem
            As ``deidentified``, or when the mapping cannot be written.
        """
        said = self.options
        changed, patients = deidentified(
            snapshot, self.keys, said.keep, pixels_seen=said.pixels_seen, boxes=said.boxes
        )
        self.remember(patients)
        return changed


@dataclass(frozen=True, slots=True)
class Survey:
    """What the images of a case say before they leave.

    Attributes
    ----------
    doubts
        Why a person must look at them, and how many there are for each reason.
    face
        Whether they may show a head.
    """

    doubts: Mapping[Doubt, int]
    face: bool


def survey(
    plan: StackPlan,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Survey:
    """Read the headers of a case and tell what a person must know of its pixels.

    Raises
    ------
    Problem
        When an image cannot be read any more.
    """
    from viewer.deid.report import Report

    report = Report.of_headers(Options())
    for _ in _headers(plan, report, progress, cancelled):
        pass
    return Survey({why: n for why, n in report.doubts.items() if why}, bool(report.faces))


def deidentified(
    snapshot: CaseSnapshot,
    keys: Keys,
    keep: Iterable[str] = (),
    *,
    pixels_seen: bool = False,
    boxes: Iterable[Box] = (),
) -> tuple[CaseSnapshot, dict[str, str]]:
    """Return a case whose export names nobody.

    Parameters
    ----------
    snapshot
        The case.
    keys
        Of the site, ``viewer.deid.mapping``.
    keep
        Of ``viewer.deid.options.KEEP``, for the headers that the objects take over.
    pixels_seen
        A person vouches that, outside of the boxes, no text in the images tells who the
        patient is.
    boxes
        Black in the volume, and so in all that is made of it.

    Returns
    -------
    CaseSnapshot, dict
        Readers go by pseudonyms, times of their work and their words are gone; UIDs are those
        of de-identified copies. And the patient by his pseudonym, to be remembered.

    Raises
    ------
    Problem
        When a person must look at the images first, or they cannot be read any more.
    """
    from viewer.export.redaction import redacted

    chosen = options(keep, pixels_seen=pixels_seen, boxes=boxes)
    kept = tuple(sorted(chosen.keep))
    patients, report = _patients(snapshot.plan, keys, chosen)
    plan = plan_of(snapshot.plan, keys, kept)
    report.series = {plan.series.series_uid}
    report.faces = report.series if report.faces else set()
    told = json.dumps(report.document(), ensure_ascii=False)
    # Who splits cases by patient still can.
    known = PatientText(name=min(patients), id=min(patients))
    changed = replace(
        snapshot,
        plan=replace(plan, series=replace(plan.series, patient=known)),
        volume=redacted(snapshot.volume, snapshot.plan, chosen.boxes),
        lesions=tuple(_lesion(one, keys) for one in snapshot.lesions),
        unlisted=tuple((why, _lesion(one, keys)) for why, one in snapshot.unlisted),
        reader=_reader(snapshot.reader, keys),
        readers=tuple(_reader(name, keys) for name in snapshot.readers),
        measurements=tuple((key, _signed(one, keys)) for key, one in snapshot.measurements),
        key_images=tuple(_signed(one, keys) for one in snapshot.key_images),
        first_impressions=tuple(_signed(one, keys) for one in snapshot.first_impressions),
        pseudonyms=Pseudonyms(keys.secret.hex(), kept, pixels_seen, told),
    )
    return changed, patients


def plan_of(plan: StackPlan, keys: Keys, keep: Iterable[str] = ()) -> StackPlan:
    """Return a plan with the UIDs of de-identified copies, and without the patient's texts."""
    if "uids" in keep:

        def new(uid: str) -> str:
            return uid
    else:
        from viewer.deid.dummies import uids

        def new(uid: str) -> str:
            return str(uids(uid, keys))

    made: dict[int, InstanceHeader] = {}

    def instance(one: InstanceHeader) -> InstanceHeader:
        if id(one) not in made:
            made[id(one)] = replace(
                one,
                sop_instance_uid=new(one.sop_instance_uid),
                study_uid=new(one.study_uid),
                series_uid=new(one.series_uid),
                frame_of_reference_uid=new(one.frame_of_reference_uid),
                patient_key="",
            )
        return made[id(one)]

    series = replace(
        plan.series,
        series_uid=new(plan.series.series_uid),
        study_uid=new(plan.series.study_uid),
        frame_of_reference_uid=new(plan.series.frame_of_reference_uid),
        description="",
        study_description="",
        series_date="",
        patient=PatientText(),
        instances=tuple(instance(one) for one in plan.series.instances),
    )
    planes = tuple(FrameRef(instance(ref.instance), ref.frame) for ref in plan.planes)
    return replace(plan, series=series, planes=planes)


def clean(header: Any, pseudonyms: Pseudonyms) -> None:
    """Take the identity out of the header of an image that objects are written from, in place."""
    from viewer.deid.dataset import Deidentifier

    by = Deidentifier(Keys(bytes.fromhex(pseudonyms.secret)), options(pseudonyms.keep))
    by.apply(header, pixels=pseudonyms.pixels_seen)


def _patients(plan: StackPlan, keys: Keys, chosen: Options) -> tuple[dict[str, str], Report]:
    """Return patients by their pseudonyms, and the report of what goes from the headers."""
    from viewer.deid.dataset import Deidentifier
    from viewer.deid.report import Report

    report, by = Report.of_headers(chosen), Deidentifier(keys, chosen)
    found: dict[str, str] = {}
    for instance, header, doubt in _headers(plan, report):
        if doubt and not chosen.pixels_seen:
            raise Problem(
                translate("export", "Text that tells who it is may be burned into these images."),
                translate("export", "Look at them all and say so, and black out what tells it."),
                doubt,
            )
        if header is None:  # no header of DICOM that anything could be taken over from
            patient = plan.series.patient.id or instance.study_uid or instance.series_uid
            found[keys.patient(patient)] = patient
        else:
            outcome = by.apply(header, pixels=chosen.pixels_seen)
            found[outcome.pseudonym] = outcome.patient
            report.add(outcome.record)
        report.files += 1
        report.boxed += any(
            box.is_in(instance.series_uid, instance.sop_instance_uid) for box in chosen.boxes
        )
    report.patients = set(found)
    return found, report


def _headers(
    plan: StackPlan,
    report: Report,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Iterable[tuple[InstanceHeader, Dataset | None, Doubt]]:
    """Yield each file of a case with its header and why a person must look at it.

    The header is None where the file is not DICOM. Doubts and faces are noted in ``report``.
    """
    import pydicom

    from viewer.deid import pixels
    from viewer.study import quiet

    quiet.hush()
    instances = list({ref.instance.path: ref.instance for ref in plan.planes}.values())
    for done, one in enumerate(instances):
        stop_if(cancelled)
        if progress is not None:
            progress(done, len(instances))
        if one.file_format != "dicom":
            # A picture may be one of a screen; what reconstructs has no pen.
            doubt: Doubt = "modality" if one.file_format == "raster" else ""
            report.doubts[doubt] += 1
            yield one, None, doubt
            continue
        try:
            header = pydicom.dcmread(one.path, stop_before_pixels=True, force=True)
            doubt = pixels.doubt(header, assume_pixels=True)
            if pixels.may_show_face(header, assume_pixels=True):
                report.faces.add(plan.series.series_uid)
        except Exception as error:
            # Of a malformed file pydicom raises nearly anything, and its text quotes values.
            raise Problem(
                translate("export", "An image of this case cannot be read any more."),
                translate("export", "Check that its disk is connected."),
                type(error).__name__,
            ) from None
        report.doubts[doubt] += 1
        yield one, header, doubt


def _reader(name: str, keys: Keys) -> str:
    return keys.reader(name) if name else ""


def _lesion(one: LesionSnapshot, keys: Keys) -> LesionSnapshot:
    reader = _reader(one.reader, keys)
    return replace(one, reader=reader, verdict_utc=None, changed_utc=None, comment="")


def _signed(one: Any, keys: Keys) -> Any:
    return replace(one, reader=_reader(one.reader, keys), utc="")
