"""De-identifying files and folders into a new folder that appears whole, or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from resources.problem import Problem
from resources.text import translate
from viewer.deid import check, pixels
from viewer.deid.codestream import blank_comments
from viewer.deid.dataset import Deidentifier, Outcome
from viewer.deid.options import Options
from viewer.deid.report import LeftOut, Report
from viewer.study import quiet, scan
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.header import looks_like_dicom
from viewer.study.sources import Source

REPORT = "deidentification.json"
Progress = Callable[[int, int], None]

_DIRECTORY = "1.2.840.10008.1.3.10"
_DOCUMENTS = "1.2.840.10008.5.1.4.1.1.104."
_DEFLATED = "1.2.840.10008.1.2.1.99"
# A thousand times as much may come out of one.
_MOST_DEFLATED = 1 << 20


class _Leave(Exception):
    """A file is left out."""

    def __init__(self, why: LeftOut) -> None:
        super().__init__(why)
        self.why = why


def deidentify(
    paths: Iterable[Path],
    folder: Path,
    by: Deidentifier,
    *,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
    remember: Callable[[dict[str, str]], None] | None = None,
) -> Report:
    """De-identify the DICOM files below ``paths``.

    Parameters
    ----------
    paths
        Files, folders and archives, as for ``viewer.study.scan.scan``. Nothing in them changes.
    folder
        To be made; an empty one is taken too. Its files are ``PATIENT/SERIES/INSTANCE.dcm`` by
        their new identifiers, and ``deidentification.json``, the report.
    by
        What does it.
    progress
        Called with files done and all files.
    cancelled
        Asked before each file.
    remember
        Called with patients by their pseudonyms before the folder gets its name.

    Returns
    -------
    Report
        Also of what was left out, which a caller must tell.

    Raises
    ------
    Problem
        When no file can leave, the folder is taken, or the disk is full. Nothing is left behind.
    Cancelled
        When ``cancelled`` says so; nothing is left behind either.
    """
    quiet.hush()
    folder = folder.resolve()
    _refuse(folder)
    skipped: list[scan.Skipped] = []
    files = scan.files(paths, skipped, cancelled=cancelled)
    report = Report(folder, by.options)
    report.left_out += [(one.path, "not-dicom") for one in skipped]
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.part")
    patients: dict[str, str] = {}
    try:
        part.mkdir(parents=True)
        for done, source in enumerate(files):
            stop_if(cancelled)
            if progress is not None:
                progress(done, len(files))
            try:
                outcome = _guarded(source.path, part, by, report)
            except _Leave as leave:
                report.left_out.append((source.shown, leave.why))
                continue
            patients[outcome.pseudonym] = outcome.patient
        if progress is not None:
            progress(len(files), len(files))
        if not report.files:
            raise _nothing(report)
        _write_report(part / REPORT, report)
        if remember is not None:
            remember(patients)
        if folder.is_dir():
            folder.rmdir()
        part.rename(folder)
    except MemoryError as error:
        raise _too_large() from error
    except OSError as error:
        raise _unwritten(error, folder, files) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return report


def _guarded(path: Path, part: Path, by: Deidentifier, report: Report) -> Outcome:
    try:
        return _one(path, part, by, report)
    except (_Leave, OSError, MemoryError):
        raise
    except Exception:
        # Of a malformed data set pydicom raises nearly anything, and its text quotes values.
        raise _Leave("damaged") from None


def _one(path: Path, part: Path, by: Deidentifier, report: Report) -> Outcome:
    dataset = _read(path)
    why = _may_not_leave(dataset, by.options)
    if why is not None:
        raise _Leave(why)
    series, image = pixels.names_of(dataset)
    seen = by.options.vouched(series)
    doubt = pixels.doubt(dataset)
    if doubt and not seen:
        raise _Leave("pixels-not-seen")
    face = pixels.may_show_face(dataset)
    vouched = seen and "PixelData" in dataset
    boxes = tuple(box for box in by.options.boxes if box.is_in(series, image))
    try:
        pixels.clear_overlay_bits(dataset)
        if boxes and "PixelData" in dataset:
            pixels.black_out(path, dataset, boxes)
            report.boxed += 1
    except (pixels.Unblackable, Problem):
        raise _Leave("cannot-black-out") from None
    if "PixelData" in dataset and dataset["PixelData"].is_undefined_length:
        dataset["PixelData"].value = blank_comments(dataset.PixelData)
    outcome = by.apply(dataset, pixels=vouched)
    target = _target(dataset, part, outcome.pseudonym)
    if target.exists():
        raise _Leave("copy")
    _write(dataset, target)
    found = check.look(target, outcome)
    if found:
        target.unlink()
        report.found[found] += 1
        raise _Leave("check-failed")
    report.files += 1
    report.patients.add(outcome.pseudonym)
    report.series.add(str(dataset.get("SeriesInstanceUID", "")))
    report.doubts[doubt] += 1
    if face:
        report.faces.add(str(dataset.get("SeriesInstanceUID", "")))
    report.add(outcome.record)
    return outcome


def _read(path: Path) -> Dataset:
    try:
        with path.open("rb") as stream:
            if not looks_like_dicom(stream):
                raise _Leave("not-dicom")
        if path.stat().st_size > _MOST_DEFLATED and _syntax(path) == _DEFLATED:
            raise _Leave("deflated")
        dataset = pydicom.dcmread(path, force=True)
        sop_class, modality = dataset.get("SOPClassUID"), dataset.get("Modality")
    except (_Leave, MemoryError):
        raise
    except Exception:
        # Of a malformed file pydicom raises nearly anything, and its text quotes values.
        raise _Leave("damaged") from None
    if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY:
        raise _Leave("directory")
    if not sop_class and not modality:
        raise _Leave("not-dicom")
    if not dataset.get("SOPInstanceUID"):
        raise _Leave("damaged")
    return dataset


def _syntax(path: Path) -> str:
    try:
        return str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
    except InvalidDicomError:  # without a preamble, so without a word on it
        return ""


def _may_not_leave(dataset: Dataset, options: Options) -> LeftOut | None:
    """Return why a data set cannot leave whatever is done to it; None when it can."""
    if str(dataset.get("SOPClassUID", "")).startswith(_DOCUMENTS):
        return "document"
    # Without its content a report says nothing; with it, words known to be harmless are kept.
    if "ValueType" in dataset and "structure" not in options.keep:
        return "report"
    return None


def _target(dataset: Dataset, part: Path, pseudonym: str) -> Path:
    names = [str(dataset.get(k) or "0") for k in ("SeriesInstanceUID", "SOPInstanceUID")]
    # With the UIDs retained these come from the file: only what a UID is made of.
    series, instance = ("".join(c for c in n if c in "0123456789.").strip(".") for n in names)
    return part / pseudonym / (series or "0") / f"{instance or '0'}.dcm"


def _write(dataset: Dataset, target: Path) -> None:
    """Write with file meta information of our own: the old one names who sent and made the file."""
    meta = FileMetaDataset()
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not syntax:
        implicit, little = dataset.original_encoding
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        syntax = syntax if little else ExplicitVRBigEndian
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        dataset.save_as(target, enforce_file_format=True)
    except OSError:
        raise
    except Exception:
        target.unlink(missing_ok=True)
        raise _Leave("damaged") from None


def _write_report(path: Path, report: Report) -> None:
    text = json.dumps(report.document(), indent=2, ensure_ascii=False, allow_nan=False)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _refuse(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Problem(
            translate("deid", "{folder} is there already and is not empty.").format(folder=folder),
            translate("deid", "Choose a new or an empty folder; nothing was overwritten."),
        )


def _nothing(report: Report) -> Problem:
    why = report.why_left_out()
    detail = ", ".join(f"{reason} {count}" for reason, count in why.items())
    if "pixels-not-seen" in why:
        return Problem(
            translate("deid", "Text may be burned into these images; nothing was written."),
            translate(
                "deid",
                "Look at them all, then say so with --pixels-seen, and hide text with --box.",
            ),
            detail,
        )
    if not why.keys() - {"not-dicom", "directory"}:
        return Problem(
            translate("deid", "There is no DICOM file that could be de-identified."),
            translate("deid", "Check the path."),
            detail,
        )
    if "check-failed" in why:
        return Problem(
            translate("deid", "In the copies identity was found again; nothing was written."),
            translate("deid", "Please report it with the log; it names no patient."),
            f"{detail}; {dict(report.found)}",
        )
    return Problem(
        translate("deid", "None of these files can be de-identified; nothing was written."),
        translate("deid", "Reports need the option structure; documents such as PDF cannot leave."),
        detail,
    )


def _unwritten(error: OSError, folder: Path, files: list[Source]) -> Problem:
    detail = f"{type(error).__name__} errno {error.errno}"
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        size = sum(source.path.stat().st_size for source in files if source.path.is_file())
        return Problem(
            translate("deid", "The disk is full; nothing was written."),
            translate("deid", "Free at least {megabytes} MB there, then start again.").format(
                megabytes=max(1, size // 900_000)
            ),
            detail,
        )
    return Problem(
        translate("deid", "The folder {folder} could not be written.").format(folder=folder),
        translate("deid", "Check the disk and its rights, or choose another folder."),
        detail,
    )


def _too_large() -> Problem:
    return Problem(
        translate("deid", "The memory does not suffice for one of these files."),
        translate("deid", "Close other programs, then start again; nothing was written."),
    )
