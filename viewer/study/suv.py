"""The unit of PET images: standardized uptake by body weight only where it can be proven.

After the vendor-neutral pseudo-code of the Quantitative Imaging Biomarkers Alliance (QIBA wiki,
"Standardized Uptake Value (SUV)"), but stricter: where it falls back on a guess, the values
stay what the scanner wrote.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from resources.text import translate
from viewer.study.series import FrameRef, Pet

_RADIOPHARMACEUTICAL = 0x00540016
_GE_SCAN_TIME = 0x0009100D
# Only under this creator is the private element what it is said to be.
_GE_CREATOR, _GE_CREATOR_TAG = "GEMS_PETD_01", 0x00090010
_MOMENT = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})?(?:\.(\d{1,6})\d*)?([+-]\d{4})?")
_CLOCK = re.compile(r"(\d{2})(\d{2})(\d{2})?(?:\.(\d{1,6})\d*)?")
# Becquerels of a dose (0.1 MBq to 100 GBq; a dose in MBq is below), seconds, kilograms.
_DOSE_BQ = (1e5, 1e11)
_HALF_LIFE_S = (10.0, 1e7)
_WEIGHT_KG = (0.2, 700.0)
# A tracer injected before midnight is imaged so long after at most; else a clock is wrong.
_OVER_MIDNIGHT = timedelta(hours=12)
_MAX_HALF_LIVES = 10.0
# Times of acquisition are often rounded to a second; so much changes no SUV by 0.1 %.
_SAME_SCAN = timedelta(seconds=2)
_SAME_INJECTION = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Uptake:
    """What PET values are to be multiplied with, and what they then are.

    Attributes
    ----------
    unit
        ``"SUVbw"`` (g/mL), ``"Bq/mL"`` or empty.
    factor
        1 unless Bq/mL become SUVbw.
    reason
        Why the values are no SUV, a translated sentence; empty when they are.
    """

    unit: str
    factor: float = 1.0
    reason: str = ""


class _Missing(Exception):
    """An input of the formula is missing or cannot be meant; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class _Injection:
    dose_bq: float
    half_life_s: float
    moment: str
    clock: str


def uptake(planes: Sequence[FrameRef]) -> Uptake:
    """Return the unit of the rescaled values of PET planes and the factor to SUVbw.

    Parameters
    ----------
    planes
        All of one stack: what differs between them proves nothing.

    Notes
    -----
    Reads the radiopharmaceutical from the first and the last file. SUVbw in g/mL is
    activity in Bq/mL x weight in g / dose in Bq, the dose decayed to the time to which the
    values are corrected (PS3.3 C.8.9.1): the start of the scan or the administration.
    """
    rescaled = all(ref.plane.has_rescale and not ref.instance.has_modality_lut for ref in planes)
    ends = tuple((ref.instance.path, ref.instance.file_size) for ref in (planes[0], planes[-1]))
    return _uptake(tuple(ref.instance.pet for ref in planes), rescaled, ends)


# Without the instances: those may keep temporary files on disk as long as they live.
@lru_cache(maxsize=4)
def _uptake(
    found: tuple[Pet | None, ...], rescaled: bool, ends: tuple[tuple[Path, int], ...]
) -> Uptake:
    pets = [pet for pet in found if pet is not None]
    if len(pets) < len(found) or len({pet.units for pet in pets}) != 1 or not rescaled:
        return Uptake("", reason=translate("study", "The images do not say one unit of uptake."))
    first = pets[0]
    if first.units == "GML":
        return _ready_made(first)
    if first.units != "BQML":
        return Uptake(
            "",
            reason=translate("study", "The unit of the PET values is {unit}.").format(
                unit=first.units or "-"
            ),
        )
    try:
        return Uptake("SUVbw", _factor(pets, [path for path, _ in ends]))
    except _Missing as missing:
        return Uptake("Bq/mL", reason=str(missing))


def _ready_made(pet: Pet) -> Uptake:
    # Without SUV Type it is by body weight (PS3.3 C.8.9.1).
    if pet.suv_type in ("", "BW"):
        return Uptake("SUVbw")
    return Uptake(
        "",
        reason=translate("study", "The uptake is not by body weight but of type {type}.").format(
            type=pet.suv_type
        ),
    )


def _factor(pets: Sequence[Pet], ends: Sequence[Path]) -> float:
    first = pets[0]
    if len({(pet.weight_kg, pet.decay_correction, pet.series_time) for pet in pets}) != 1:
        raise _Missing(
            translate("study", "No SUV: the images differ in weight, decay correction or start.")
        )
    if any(not {"ATTN", "DECY"} <= set(pet.corrected) for pet in pets):
        raise _Missing(
            translate("study", "No SUV: the values are not corrected for attenuation and decay.")
        )
    if first.decay_correction not in ("START", "ADMIN"):
        raise _Missing(
            translate("study", "No SUV: the time to which decay is corrected is not told.")
        )
    weight = _within(first.weight_kg, _WEIGHT_KG)
    if weight is None:
        raise _Missing(translate("study", "No SUV: the weight of the patient is not told."))
    injection, told = _injection(ends)
    dose = injection.dose_bq
    if first.decay_correction == "START":
        start = _start(first, pets, injection.half_life_s, told)
        delay = (start - _moment_of(injection, first, start)).total_seconds()
        if not 0 < delay <= _MAX_HALF_LIVES * injection.half_life_s:
            raise _Missing(
                translate("study", "No SUV: the times of injection and scan are not in order.")
            )
        dose *= 2.0 ** (-delay / injection.half_life_s)
    return weight * 1000.0 / dose


def _injection(ends: Sequence[Path]) -> tuple[_Injection, str]:
    """Return the injection, and the start of the scan as GE tells it."""
    try:
        found = [_of_file(path) for path in dict.fromkeys(ends)]
    except _Missing:
        raise
    except Exception:
        # The file has gone, or pydicom raises nearly anything of a malformed one.
        raise _Missing(translate("study", "No SUV: the injection cannot be read.")) from None
    if found[0] != found[-1]:
        raise _Missing(translate("study", "No SUV: the images differ in what was injected."))
    return found[0]


def _of_file(path: Path) -> tuple[_Injection, str]:
    # Late: a plain study opens sooner than pydicom is imported.
    from viewer.study.pydicom_header import elements

    data = elements(path, (_RADIOPHARMACEUTICAL, _GE_CREATOR_TAG, _GE_SCAN_TIME))
    items: Any = data[_RADIOPHARMACEUTICAL].value if _RADIOPHARMACEUTICAL in data else ()
    if len(items) != 1:
        raise _Missing(translate("study", "No SUV: the images do not say what was injected."))
    item = items[0]
    dose = _within(_number(item, "RadionuclideTotalDose"), _DOSE_BQ)
    if dose is None:
        raise _Missing(translate("study", "No SUV: the injected dose is not told in becquerel."))
    half_life = _within(_number(item, "RadionuclideHalfLife"), _HALF_LIFE_S)
    if half_life is None:
        raise _Missing(translate("study", "No SUV: the half-life is not told."))
    told = ""
    if _text(data.get(_GE_CREATOR_TAG)) == _GE_CREATOR:
        told = _text(data.get(_GE_SCAN_TIME))
    moment = str(item.get("RadiopharmaceuticalStartDateTime") or "").strip()
    clock = str(item.get("RadiopharmaceuticalStartTime") or "").strip().replace(":", "")
    return _Injection(dose, half_life, moment, clock), told


def _text(element: Any) -> str:
    value = element.value if element is not None else ""
    value = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return value.strip(" \0")


def _number(item: Any, keyword: str) -> float | None:
    value = item.get(keyword)
    return None if value is None else float(value)


def _within(value: float | None, bounds: tuple[float, float]) -> float | None:
    return value if value is not None and bounds[0] <= value <= bounds[1] else None


def _start(first: Pet, pets: Sequence[Pet], half_life_s: float, told: str) -> datetime:
    """Return when the scan began, to which the values are decay corrected."""
    series = _moment(first.series_time)
    acquired = [_moment(pet.acquisition_time) for pet in pets]
    known = [moment for moment in acquired if moment is not None]
    if series is None or len(known) != len(acquired):
        raise _Missing(translate("study", "No SUV: the images do not say when the scan began."))
    earliest = min(known)
    if series <= earliest:
        return series
    # The series was made after the scan, and its time is not that of the scan.
    scan = _moment(told)
    if scan is not None and scan <= earliest:
        return scan
    starts = [
        moment - _since_start(pet, half_life_s) for pet, moment in zip(pets, known, strict=True)
    ]
    if max(starts) - min(starts) > _SAME_SCAN:
        raise _Missing(translate("study", "No SUV: the images contradict each other in time."))
    return min(starts)


def _since_start(pet: Pet, half_life_s: float) -> timedelta:
    """Return how long after the start of the scan a frame began.

    Frame Reference Time is when its average activity occurs (PS3.3 C.8.9.4.1.5).
    """
    if not pet.reference_ms or not pet.duration_ms or min(pet.reference_ms, pet.duration_ms) <= 0:
        raise _Missing(translate("study", "No SUV: the images do not say when the scan began."))
    constant = math.log(2.0) / half_life_s
    during = constant * pet.duration_ms / 1000.0
    average_s = math.log(during / -math.expm1(-during)) / constant
    return timedelta(seconds=pet.reference_ms / 1000.0 - average_s)


def _moment_of(injection: _Injection, pet: Pet, start: datetime) -> datetime:
    """Return when the tracer was injected, in the time zone of the scan."""
    moment = _moment(injection.moment, pet.offset_from_utc)
    clock = _CLOCK.fullmatch(injection.clock)
    by_clock = None
    if clock is not None:
        by_clock = _moment(f"{start:%Y%m%d}{injection.clock}")
    if moment is None:
        if by_clock is None:
            raise _Missing(translate("study", "No SUV: the time of injection is not told."))
        before = by_clock - timedelta(days=1)
        return before if by_clock > start and start - before <= _OVER_MIDNIGHT else by_clock
    if by_clock is not None:
        apart = abs(moment - by_clock) % timedelta(days=1)
        if min(apart, timedelta(days=1) - apart) > _SAME_INJECTION:
            raise _Missing(
                translate("study", "No SUV: the images tell two different times of injection.")
            )
    return moment


def _moment(text: str, offset_from_utc: str = "") -> datetime | None:
    """Return a DT value (PS3.5 6.2) to the minute at least; None when it is none.

    Parameters
    ----------
    offset_from_utc
        Time zone of the other times of the file: one that a DT value names is turned to it.
    """
    found = _MOMENT.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    date, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime.strptime(date + hour + minute, "%Y%m%d%H%M")
        moment += timedelta(
            seconds=int(second or 0), microseconds=int((fraction or "0").ljust(6, "0"))
        )
        if zone and offset_from_utc:
            moment += _offset(offset_from_utc) - _offset(zone)
    except (ValueError, OverflowError):
        return None
    return moment


def _offset(zone: str) -> timedelta:
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
