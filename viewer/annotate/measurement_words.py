"""Measurements in words: names, figures with their units, what they are true of."""

from __future__ import annotations

from resources.text import translate
from viewer.annotate.measurements import Kind, Measurement, Name, Value
from viewer.study.calibration import Calibration


def kind_text(kind: Kind) -> str:
    """Return the name of a kind of measurement."""
    return {
        "distance": translate("measure", "Distance"),
        "bidirectional": translate("measure", "Long and short axis"),
        "angle": translate("measure", "Angle"),
        "ellipse": translate("measure", "Ellipse"),
        "rectangle": translate("measure", "Rectangle"),
        "polygon": translate("measure", "Polygon"),
    }[kind]


def unit_text(unit: str) -> str:
    """Return a unit as it is written behind a figure; empty when it is not known."""
    return {
        "deg": "°",
        "mm2": "mm²",
        "px2": "px²",
        "voxels": translate("measure", "voxels"),
    }.get(unit, unit)


def figure(value: Value) -> str:
    """Return a figure with its unit, such as ``"12.4 mm"``."""
    size = abs(value.value)
    stored = value.name in ("min", "max") and value.value.is_integer()
    if value.unit in ("mm", "px", "deg"):
        number = f"{value.value:.1f}"
    elif value.unit == "voxels" or stored:
        number = f"{value.value:.0f}"
    elif value.unit in ("mm2", "px2", "HU"):
        number = f"{value.value:.1f}" if size < 1000 else f"{value.value:.0f}"
    else:
        number = f"{value.value:.4g}" if size < 1000 else f"{value.value:.0f}"
    if float(number) == 0.0:
        number = number.lstrip("-")
    number = number.replace("-", "\N{MINUS SIGN}")
    if value.unit == "deg":
        return f"{number}°"
    unit = unit_text(value.unit)
    return f"{number}\N{NO-BREAK SPACE}{unit}" if unit else number


def lines(measured: Measurement) -> list[str]:
    """Return what stands beside a measurement on the image, line by line."""
    found = {value.name: value for value in measured.values}

    def of(name: Name) -> str:
        return figure(found[name])

    def bare(name: Name) -> str:
        # The figure behind it has the unit of both.
        return of(name).split("\N{NO-BREAK SPACE}")[0]

    out = []
    if "long_axis" in found and "short_axis" in found:
        pattern = translate("measure", "{long} × {short}")
        out.append(pattern.format(long=of("long_axis"), short=of("short_axis")))
    simple: tuple[Name, ...] = ("length", "angle", "area")
    out += [of(name) for name in simple if name in found]
    if {"mean", "sd", "min", "max", "n_voxels"} <= found.keys():
        pattern = translate("measure", "mean {mean} ± {sd}")
        out.append(pattern.format(mean=bare("mean"), sd=of("sd")))
        pattern = translate("measure", "{low} to {high} · {count}")
        out.append(pattern.format(low=bare("min"), high=of("max"), count=of("n_voxels")))
    note = absence_text(measured)
    out += [note] if note else []
    said = calibration_text(measured)
    return [*out, said] if said else out


def summary(measured: Measurement) -> str:
    """Return the values in one line."""
    return " · ".join(lines(measured))


def absence_text(measured: Measurement) -> str:
    """Say why values are missing; empty when none is."""
    return {
        "": "",
        "colours": translate("measure", "no mean of colours"),
        "slab": translate("measure", "no values of a slab"),
        "slice-missing": translate("measure", "the slice is not there"),
        "no-voxel": translate("measure", "no voxel centre inside"),
        "crosses-itself": translate("measure", "crosses itself: no area"),
    }[measured.absence]


def calibration_text(measured: Measurement) -> str:
    """Say what millimetres are true of, where not of the patient; empty where they are."""
    if not any(value.unit in ("mm", "mm2") for value in measured.values):
        return ""
    return calibration_words(measured.calibration)


def calibration_words(kind: Calibration) -> str:
    """Say what millimetres of images so calibrated are true of; empty for the patient."""
    return {
        "": "",
        "detector": translate("measure", "at the detector, magnified"),
        "geometry": translate("measure", "calibrated for the usual magnification"),
        "fiducial": translate("measure", "calibrated by an object"),
        "calibrated": translate("measure", "calibrated, not said how"),
        "projection": translate("measure", "projection, depth not said"),
        "film": translate("measure", "on the scanned film"),
        "ultrasound": translate("measure", "of the ultrasound region"),
    }[kind]
