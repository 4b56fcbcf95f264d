"""What a file says of how its images were made and how they are to be shown, for the screen.

Nothing here changes a pixel or a place: it is read when the images are there already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from resources.text import translate
from viewer.study import shutter
from viewer.study.calibration import Calibration, calibration
from viewer.study.order import StackPlan
from viewer.study.shutter import Shutter
from viewer.study.words import plain

_PATIENT_ORIENTATION, _LATERALITY, _IMAGE_LATERALITY = 0x00200020, 0x00200060, 0x00200062
_VIEW_POSITION, _ANATOMY_TYPE = 0x00185101, 0x00102210
_FRAME_TIME, _FRAME_TIMES, _CINE_RATE, _SHOW_RATE = 0x00181063, 0x00181065, 0x00180040, 0x00082144
_PLAYBACK = 0x00181244
_KVP, _EXPOSURE, _KERNEL, _CONTRAST = 0x00180060, 0x00181152, 0x00181210, 0x00180010
_EXPOSURE_TIME, _TUBE_CURRENT = 0x00181150, 0x00181151
_TR, _TE, _TI, _FLIP, _FIELD = 0x00180080, 0x00180081, 0x00180082, 0x00181314, 0x00180087
_TRACER, _TRACERS = 0x00180031, 0x00540016
_ALL = (
    _PATIENT_ORIENTATION, _LATERALITY, _IMAGE_LATERALITY, _VIEW_POSITION, _ANATOMY_TYPE,
    _FRAME_TIME, _FRAME_TIMES, _CINE_RATE, _SHOW_RATE, _PLAYBACK, _KVP, _EXPOSURE, _KERNEL,
    _EXPOSURE_TIME, _TUBE_CURRENT,
    _CONTRAST, _TR, _TE, _TI, _FLIP, _FIELD, _TRACERS, *shutter.TAGS,
)  # fmt: skip
# A rate beyond these is a slip of the pen: nobody sees faster, or waits a minute for a frame.
_SLOWEST, _FASTEST = 0.2, 120.0
_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "F", "F": "H"}
# Of animals on four legs (PS3.3 C.7.6.1.1.1): right and left, dorsal and ventral, cranial (or
# rostral) and caudal, medial and lateral, proximal and distal, palmar and plantar.
_OPPOSITE_QUADRUPED = {
    "RT": "LE", "LE": "RT", "D": "V", "V": "D", "CR": "CD", "CD": "CR", "R": "CD",
    "M": "L", "L": "M", "PR": "DI", "DI": "PR", "PA": "D", "PL": "D",
}  # fmt: skip


Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisplayFacts:
    """What the middle image of a volume says; everything may be missing.

    Attributes
    ----------
    letters
        Patient directions at the left, right, top and bottom of the image as it is stored, each
        the nearest first, from Patient Orientation (0020,0020); None without it.
    rate
        Frames a second to play at; None when the file names none.
    sweeps
        Whether they are to be played to and fro (0018,1244), not round.
    technique
        Short words on how the image was made, such as ``"120 kV"``.
    view
        Side and projection, such as ``"L MLO"``; empty when not said.
    quadruped
        Whether the patient is an animal on four legs (0010,2210).
    calibration
        What the size of a pixel is the size of, see ``viewer.study.calibration``.
    shutter
        What of the image is to be seen, or None.
    """

    letters: tuple[Parts, Parts, Parts, Parts] | None = None
    rate: float | None = None
    sweeps: bool = False
    technique: tuple[str, ...] = ()
    view: str = ""
    quadruped: bool = False
    calibration: Calibration = ""
    shutter: Shutter | None = None


def display_facts(plan: StackPlan) -> DisplayFacts:
    """Read what the middle image of a plan says; nothing when it cannot be read."""
    instance = plan.planes[len(plan.planes) // 2].instance
    if instance.file_format != "dicom":
        return DisplayFacts()
    # Late: a plain study opens sooner than pydicom is imported.
    from viewer.study.pydicom_header import elements

    try:
        data = _Texts(elements(instance.path, list(_ALL)))
        return replace(
            _facts(data, instance.modality),
            calibration=calibration(plan),
            shutter=shutter.shutter(
                data.texts(shutter.SHAPE), data.numbers, instance.rows, instance.columns
            ),
        )
    except Exception:
        # Of malformed files pydicom raises nearly anything; nothing of this is needed to read.
        return DisplayFacts()


class _Texts:
    """The values of a data set, as text or as finite numbers."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def value(self, tag: int) -> Any:
        return self._data[tag].value if tag in self._data else None

    def texts(self, tag: int) -> tuple[str, ...]:
        value = self.value(tag)
        if value is None or value == "":
            return ()
        parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
        return tuple(text for part in parts if (text := plain(str(part)).strip()))

    def text(self, tag: int) -> str:
        return next(iter(self.texts(tag)), "")

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the values of a tag; none when one of them is no finite number."""
        try:
            found = tuple(float(text) for text in self.texts(tag))
        except ValueError:
            return ()
        return found if all(abs(number) < 1e7 for number in found) else ()

    def number(self, tag: int) -> float | None:
        try:
            found = float(self.text(tag))
        except ValueError:
            return None
        return found if 0.0 < abs(found) < 1e7 else None


def _facts(data: _Texts, modality: str) -> DisplayFacts:
    quadruped = data.text(_ANATOMY_TYPE) == "QUADRUPED"
    laterality = data.text(_IMAGE_LATERALITY) or data.text(_LATERALITY)
    view = (laterality if laterality in ("L", "R", "B") else "", data.text(_VIEW_POSITION))
    return DisplayFacts(
        letters=_letters(data.texts(_PATIENT_ORIENTATION), quadruped),
        rate=_rate(data),
        sweeps=data.text(_PLAYBACK) == "1",
        technique=_technique(data, modality),
        view=" ".join(part for part in view if part),
        quadruped=quadruped,
    )


def _letters(said: tuple[str, ...], quadruped: bool) -> tuple[Parts, Parts, Parts, Parts] | None:
    """Return left, right, top and bottom; the file names right and bottom."""
    opposite = _OPPOSITE_QUADRUPED if quadruped else _OPPOSITE
    if len(said) != 2:
        return None
    across, down = (_parts(text, opposite) for text in said)
    if not across or not down:
        return None
    left, top = (tuple(opposite[part] for part in parts) for parts in (across, down))
    return left, across, top, down


def _parts(text: str, known: Mapping[str, str]) -> Parts:
    """Part a direction such as ``"AR"`` into its letters; none when one of them has no meaning."""
    words = sorted(known, key=len, reverse=True)
    found: list[str] = []
    while text:
        part = next((word for word in words if text.startswith(word)), None)
        if part is None:
            return ()
        found.append(part)
        text = text[len(part) :]
    return tuple(found)


def _rate(data: _Texts) -> float | None:
    """Return frames a second: as wished for showing, else as acquired (PS3.3 C.7.6.5)."""
    times = [float(text) for text in data.texts(_FRAME_TIMES)[1:] if _is_number(text)]
    milliseconds = data.number(_FRAME_TIME) or (sum(times) / len(times) if times else None)
    acquired = 1000.0 / milliseconds if milliseconds else None
    for rate in (data.number(_SHOW_RATE), data.number(_CINE_RATE), acquired):
        if rate is not None and _SLOWEST <= rate <= _FASTEST:
            return rate
    return None


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _technique(data: _Texts, modality: str) -> tuple[str, ...]:
    def words(*parts: tuple[int, str]) -> list[str]:
        found = ((data.number(tag), text) for tag, text in parts)
        return [text.format(value=f"{value:g}") for value, text in found if value is not None]

    exposed = words(
        (_KVP, translate("technique", "{value} kV")),
        *(((_EXPOSURE, translate("technique", "{value} mAs")),) if _exposure_holds(data) else ()),
    )
    by_modality: Mapping[str, Callable[[], list[str]]] = {
        "CT": lambda: [*exposed, data.text(_KERNEL), _contrast(data)],
        "MR": lambda: words(
            (_TR, translate("technique", "TR {value} ms")),
            (_TE, translate("technique", "TE {value} ms")),
            (_TI, translate("technique", "TI {value} ms")),
            (_FLIP, translate("technique", "{value}° flip")),
            (_FIELD, translate("technique", "{value} T")),
        ),
        "PT": lambda: [_tracer(data)],
        "NM": lambda: [_tracer(data)],
    }
    found = by_modality.get(modality, lambda: exposed)()
    return tuple(text for text in found if text)


def _exposure_holds(data: _Texts) -> bool:
    """Tell whether the exposure agrees with tube current and time, where the file has these.

    Some scanners wrote another unit into Exposure (0018,1152), which is in mAs (PS3.3 C.8.2.1),
    and a wrong figure is worse than none. Pitch may divide it, none by more than ten.
    """
    said, time_ms, current_ma = map(data.number, (_EXPOSURE, _EXPOSURE_TIME, _TUBE_CURRENT))
    if not said or not time_ms or not current_ma:
        return True
    return 0.1 <= said / (time_ms * current_ma / 1000) <= 10


def _contrast(data: _Texts) -> str:
    agent = data.text(_CONTRAST)
    return translate("technique", "contrast {agent}").format(agent=agent) if agent else ""


def _tracer(data: _Texts) -> str:
    sequence = data.value(_TRACERS)
    if not sequence:
        return ""
    return _Texts(sequence[0]).text(_TRACER)
