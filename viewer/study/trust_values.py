"""What of the values of a volume is known, and from what."""

from __future__ import annotations

from resources.text import translate
from viewer.study import suv, syntax, values
from viewer.study.colour import is_colour
from viewer.study.order import StackPlan
from viewer.study.series import InstanceHeader
from viewer.study.trust_row import Row, format_name, is_dicom

_TRANSFER = "Transfer Syntax UID (0002,0010)"
_SYNTAXES = {
    syntax.IMPLICIT_LITTLE: "Implicit VR Little Endian",
    syntax.EXPLICIT_LITTLE: "Explicit VR Little Endian",
    syntax.EXPLICIT_BIG: "Explicit VR Big Endian",
    syntax.DEFLATED_LITTLE: "Deflated Explicit VR Little Endian",
    syntax.RLE: "RLE Lossless",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless SV1",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.202": "High-Throughput JPEG 2000 RPCL Lossless",
    "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000",
}


def rows(plan: StackPlan) -> list[Row]:
    """Return decoder, stored values, rescale and unit."""
    return [_decoder(plan), _stored(plan), _rescale(plan), _unit(plan)]


def _decoder(plan: StackPlan) -> Row:
    question = translate("trust", "Decoder")
    if not is_dicom(plan):
        return Row(question, format_name(plan), "good")
    names = list(dict.fromkeys(ref.instance.transfer_syntax for ref in plan.planes))
    said = ", ".join(f"{_SYNTAXES.get(name, name)}: {_decoder_of(name)}" for name in names)
    if any(name in syntax.LOSSY for name in names):
        more = translate("trust", "values may have been lost when the images were compressed")
        return Row(question, f"{said}; {more}", "note", _TRANSFER)
    return Row(question, said, "good", _TRANSFER)


def _decoder_of(name: str) -> str:
    if name in syntax.PLAIN:
        return translate("trust", "read as it stands")
    if name in syntax.NATIVE:
        return "pydicom"
    if name in syntax.JPEG | syntax.JPEG_LOSSLESS:
        return "pylibjpeg-libjpeg"
    if name in syntax.JPEG_LS:
        return "pyjpegls"
    if name in syntax.JPEG_2000:
        return "pylibjpeg-openjpeg"
    return "pylibjpeg-rle" if name == syntax.RLE else translate("trust", "none")


def _stored(plan: StackPlan) -> Row:
    question, source = translate("trust", "Stored values"), "Bits Stored (0028,0101)"
    kinds = list(dict.fromkeys(_kind(ref.instance) for ref in plan.planes))
    source = source if is_dicom(plan) else format_name(plan)
    return Row(question, ", ".join(kinds), "good" if len(kinds) == 1 else "note", source)


def _kind(of: InstanceHeader) -> str:
    if is_colour(of):
        return translate("trust", "colour, {code}, {bits} bits").format(
            code=of.photometric[:16], bits=of.bits_stored
        )
    if of.signed:
        said = translate("trust", "{stored} of {allocated} bits, signed")
    else:
        said = translate("trust", "{stored} of {allocated} bits, unsigned")
    return said.format(stored=of.bits_stored, allocated=of.bits_allocated)


def _rescale(plan: StackPlan) -> Row:
    question = translate("trust", "Rescale")
    source = "Rescale Slope (0028,1053), Rescale Intercept (0028,1052)"
    if not is_dicom(plan):
        source = format_name(plan)
    if any(ref.instance.has_modality_lut for ref in plan.planes):
        said = translate("trust", "By a table in the file.")
        return Row(question, said, "note", "Modality LUT Sequence (0028,3000)")
    pairs = {(ref.plane.slope, ref.plane.intercept) for ref in plan.planes}
    if not any(ref.plane.has_rescale for ref in plan.planes) and pairs == {(1.0, 0.0)}:
        said = translate("trust", "None: the values are as they are stored.")
        return Row(question, said, "good", source)
    if len(pairs) > 1:
        said = translate("trust", "It differs between slices; each is rescaled by its own.")
        return Row(question, said, "note", source)
    slope, intercept = pairs.pop()
    said = translate("trust", "value = stored x {slope} {intercept}").format(
        slope=f"{slope:.6g}", intercept=f"{'-' if intercept < 0 else '+'} {abs(intercept):.6g}"
    )
    return Row(question, said, "good", source)


def _unit(plan: StackPlan) -> Row:
    question = translate("trust", "Unit")
    found = values.unit(plan.planes)
    if any(ref.instance.pet is not None for ref in plan.planes):
        reason = suv.uptake(plan.planes).reason
        said = ". ".join(
            part for part in (found or translate("trust", "Not proven"), reason) if part
        )
        return Row(question, said, "note" if reason or not found else "good", "Units (0054,1001)")
    if found:
        said = translate("trust", "{unit}: a CT with a rescale that names no other").format(
            unit=found
        )
        return Row(question, said, "good", "Rescale Type (0028,1054)")
    if plan.series.modality == "CT":
        said = translate("trust", "Not proven: the values may be no Hounsfield units.")
        return Row(question, said, "bad", "Rescale Type (0028,1054)")
    return Row(
        question, translate("trust", "None: values compare within this volume only."), "note"
    )
