"""Which models there are, whether their files are whole, and which volumes they may read."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import numpy as np

import resources
from inference import versions
from inference.manifest import FILE, ModelPack, read_manifest
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate

# A gantry tilt and an oblique reformat are still read; a coronal stack is not.
_AXIAL_WITHIN_DEGREES = 35.0


def available() -> tuple[ModelPack, ...]:
    """Return the pack that leads of every model, by id; none when their folder is not there.

    Raises
    ------
    Problem
        When a pack's manifest is broken, or the one that leads is gone.
    """
    return tuple(versions.leading(pack) for pack in bundled())


def every(id: str | None = None) -> tuple[ModelPack, ...]:
    """Return all versions of all models, or of one, the bundled one of each first.

    Raises
    ------
    Problem
        When a pack's manifest is broken.
    """
    packs = [pack for pack in bundled() if id in (None, pack.id)]
    return tuple(one for pack in packs for one in (pack, *versions.installed(pack.id)))


def bundled() -> tuple[ModelPack, ...]:
    """Return the packs that came with the program, by id.

    Raises
    ------
    Problem
        When a pack's manifest is broken.
    """
    folder = resources.path("models")
    packs = sorted(folder.iterdir()) if folder.is_dir() else []
    return tuple(read_manifest(one) for one in packs if (one / FILE).is_file())


def find(id: str | None) -> ModelPack:
    """Return one model pack, the first where none is named.

    Raises
    ------
    Problem
        When no pack has this id; the remedy lists those there are.
    """
    packs = available()
    for pack in packs:
        if id is None or pack.id == id:
            return pack
    if not packs:
        raise Problem(
            translate("model", "No model is installed."),
            translate("model", "Install Overread or the model pack again."),
        )
    raise Problem(
        translate("model", "There is no model named {id}.").format(id=id),
        translate("model", "Choose one of: {names}.").format(
            names=", ".join(pack.id for pack in packs)
        ),
    )


def pack_of(text: str) -> ModelPack:
    """Return the pack in a folder, or the installed one of this name; see ``find``."""
    folder = Path(text)
    return read_manifest(folder) if folder.is_dir() else find(text)


def weights_of(pack: ModelPack) -> bytes:
    """Return the bytes of a pack's weights, proven to be those that the manifest names.

    Raises
    ------
    Problem
        When the file is missing, unreadable, lies outside the pack, or differs by as little
        as a bit.
    """
    path = Path(pack.folder) / pack.weights.file
    remedy = translate("model", "Install Overread or the model pack again.")
    try:
        # A link may lead to a device or a pipe, which never ends.
        if path.resolve().parent != path.parent.resolve() or not path.is_file():
            raise OSError(errno.ENOENT, "no file of this pack")
        data = path.read_bytes()
    except OSError as error:
        raise Problem(
            translate("model", "The model file {name} cannot be read.").format(name=path.name),
            remedy,
            f"{pack.id}: {error.strerror}",
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != pack.weights.sha256:
        raise Problem(
            translate(
                "model", "The model file {name} was changed or damaged, so it is not used."
            ).format(name=path.name),
            remedy,
            f"{pack.id}: SHA-256 is {digest}, the manifest says {pack.weights.sha256}",
        )
    return data


def check(pack: ModelPack) -> None:
    """Check the weights of a pack against its manifest; see ``weights_of`` for what is raised.

    A file that was found whole is not read again as long as it lies there unchanged. This tells
    of damage early; whoever parses weights takes them from ``weights_of``.
    """
    path = Path(pack.folder) / pack.weights.file
    before = _state(path)
    whole = (path, pack.weights.sha256, before)
    if before is not None and whole in _WHOLE:
        return
    weights_of(pack)
    if _state(path) == before:
        _WHOLE.add(whole)


_State = tuple[int, int, int, int]
_WHOLE: set[tuple[Path, str, _State | None]] = set()


def _state(path: Path) -> _State | None:
    """Return what changes when a file is written or replaced; None when it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def check_outlines(pack: ModelPack) -> None:
    """Check that a pack outlines what lies at a point.

    Raises
    ------
    Problem
        When its manifest does not say so.
    """
    if not pack.makes("outline"):
        raise Problem(
            translate("model", "{model} {version} makes no outlines at a point.").format(
                model=pack.name, version=pack.version
            ),
            translate("model", "Choose another model."),
        )


def eligibility(pack: ModelPack, volume: Volume) -> tuple[str, ...]:
    """Return why a model may not read a volume, in sentences; empty when it may."""
    wanted = pack.input
    if volume.modality != wanted.modality:
        reason = translate("model", "{model} reads {wanted}; this series is {found}.").format(
            model=pack.name,
            wanted=wanted.modality,
            found=volume.modality or translate("model", "of no stated modality"),
        )
        return (reason,)
    if not volume.regular:
        return (
            translate("model", "{model} needs slices that make one regular volume.").format(
                model=pack.name
            ),
        )
    reasons = []
    if volume.unit != wanted.unit:
        reasons.append(
            translate(
                "model", "{model} needs voxels in {unit}, which this series does not prove to have."
            ).format(model=pack.name, unit=wanted.unit)
        )
    return (*reasons, *_geometry(pack, volume))


def _geometry(pack: ModelPack, volume: Volume) -> list[str]:
    limits, reasons = pack.limits, []
    count = volume.shape_kji[0]
    gap, row, column = volume.spacing_kji_mm
    if not limits.slices[0] <= count <= limits.slices[1]:
        reasons.append(
            translate("model", "{model} reads {low} to {high} slices; this series has {n}.").format(
                model=pack.name, low=limits.slices[0], high=limits.slices[1], n=count
            )
        )
    if not _within(gap, limits.slice_spacing_mm):
        reasons.append(
            translate(
                "model", "{model} reads slices {low:g} to {high:g} mm apart; these are {mm:.2f} mm."
            ).format(
                model=pack.name,
                low=limits.slice_spacing_mm[0],
                high=limits.slice_spacing_mm[1],
                mm=gap,
            )
        )
    if not (_within(row, limits.pixel_mm) and _within(column, limits.pixel_mm)):
        reasons.append(
            translate(
                "model",
                "{model} reads pixels of {low:g} to {high:g} mm; these are {row:.2f} x "
                "{column:.2f} mm.",
            ).format(
                model=pack.name,
                low=limits.pixel_mm[0],
                high=limits.pixel_mm[1],
                row=row,
                column=column,
            )
        )
    tilt = _tilt_degrees(volume)
    if tilt > _AXIAL_WITHIN_DEGREES:
        reasons.append(
            translate(
                "model", "{model} reads axial slices; these are tilted by {degrees:.0f} degrees."
            ).format(model=pack.name, degrees=tilt)
        )
    elif count >= limits.slices[0] and not _within(gap * count, limits.coverage_mm):
        reasons.append(
            translate(
                "model",
                "{model} needs {low:g} mm of the chest or more; this series covers {mm:.0f} mm.",
            ).format(model=pack.name, low=limits.coverage_mm[0], mm=gap * count)
        )
    return reasons


def _within(value: float, limits: tuple[float, float]) -> bool:
    # Half a percent of grace: spacings are rounded in headers.
    return limits[0] * 0.995 <= value <= limits[1] * 1.005


def _tilt_degrees(volume: Volume) -> float:
    """Return the angle between the slices' normal and the long axis of the body."""
    normal = np.cross(volume.affine[:3, 1], volume.affine[:3, 2])
    return float(np.degrees(np.arccos(min(1.0, abs(normal[2]) / np.linalg.norm(normal)))))
