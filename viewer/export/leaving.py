"""A case on its way to those who must not know of whom it is: identity goes before writing begins.

What every format is written from, the frozen case and the headers of its images, is changed, so
no format needs to know. The same secret as in ``viewer.deid`` makes the same UIDs: what refers to
an image fits the copy that ``overread deidentify`` makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer.deid.keyed import Keys
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot, Pseudonyms
from viewer.study.order import StackPlan
from viewer.study.series import FrameRef, InstanceHeader, PatientText


def deidentified(
    snapshot: CaseSnapshot, keys: Keys, keep: Iterable[str] = (), *, pixels_seen: bool = False
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
        A person vouches that no text in the images tells who the patient is.

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
    from viewer.deid.options import options

    kept = tuple(sorted(options(keep).keep))
    patients = _patients(snapshot.plan, keys, pixels_seen=pixels_seen)
    plan = plan_of(snapshot.plan, keys, kept)
    # Who splits cases by patient still can.
    known = PatientText(name=min(patients), id=min(patients))
    changed = replace(
        snapshot,
        plan=replace(plan, series=replace(plan.series, patient=known)),
        lesions=tuple(_lesion(one, keys) for one in snapshot.lesions),
        unlisted=tuple((why, _lesion(one, keys)) for why, one in snapshot.unlisted),
        reader=_reader(snapshot.reader, keys),
        readers=tuple(_reader(name, keys) for name in snapshot.readers),
        measurements=tuple((key, _signed(one, keys)) for key, one in snapshot.measurements),
        key_images=tuple(_signed(one, keys) for one in snapshot.key_images),
        first_impressions=tuple(_signed(one, keys) for one in snapshot.first_impressions),
        pseudonyms=Pseudonyms(keys.secret.hex(), kept),
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
    from viewer.deid.options import options

    keys = Keys(bytes.fromhex(pseudonyms.secret))
    Deidentifier(keys, options(pseudonyms.keep)).apply(header)


def _patients(plan: StackPlan, keys: Keys, *, pixels_seen: bool) -> dict[str, str]:
    import pydicom

    from viewer.deid import pixels
    from viewer.deid.dataset import patient_of
    from viewer.study import quiet

    quiet.hush()
    found: dict[str, str] = {}
    for path in dict.fromkeys(ref.instance.path for ref in plan.planes):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            patient, doubt = patient_of(header), pixels.doubt(header, assume_pixels=True)
        except Exception as error:
            # Of a malformed file pydicom raises nearly anything, and its text quotes values.
            raise Problem(
                translate("export", "An image of this case cannot be read any more."),
                translate("export", "Check that its disk is connected."),
                type(error).__name__,
            ) from None
        if doubt and not pixels_seen:
            raise Problem(
                translate("export", "Text that tells who it is may be burned into these images."),
                translate(
                    "export", "Look at them all and say so, or de-identify copies with boxes first."
                ),
                doubt,
            )
        found[keys.patient(patient)] = patient
    return found


def _reader(name: str, keys: Keys) -> str:
    return keys.reader(name) if name else ""


def _lesion(one: LesionSnapshot, keys: Keys) -> LesionSnapshot:
    reader = _reader(one.reader, keys)
    return replace(one, reader=reader, verdict_utc=None, changed_utc=None, comment="")


def _signed(one: Any, keys: Keys) -> Any:
    return replace(one, reader=_reader(one.reader, keys), utc="")
