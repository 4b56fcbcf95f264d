"""A version of a training set: written whole, checked, and never changed again."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from resources import labels
from resources.problem import Problem
from resources.text import translate
from viewer.deid.options import Options
from viewer.export import place
from viewer.export.bundle import problem_of
from viewer.export.leaving import Leave
from viewer.export.problems import FileProblem
from viewer.export.sets import folder as folders
from viewer.export.sets import secret
from viewer.export.sets.digest import digest_of
from viewer.export.sets.files import link, seal, sha256_of, write_json
from viewer.export.sets.folder import Design
from viewer.export.sets.formats import TEST_PERCENT, USUAL, SetFormat, WhyNot, complete
from viewer.export.sets.manifest import manifest_document
from viewer.export.sets.report import SetReport
from viewer.export.sets.task import Task
from viewer.export.sets.truth import why_not
from viewer.export.snapshot import CaseSnapshot
from viewer.study.cancel import CancelCheck, stop_if

Progress = Callable[[int, int], None]


class WriteCase(Protocol):
    """What writes the files of a case: ``case_files.write_case``, or ``apart.write_case``."""

    def __call__(
        self,
        snapshot: CaseSnapshot,
        folder: Path,
        task: Task,
        progress: Progress | None = None,
        cancelled: CancelCheck | None = None,
    ) -> dict[str, Any]:
        """Write them; see ``case_files.write_case``."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of a set.

    Attributes
    ----------
    formats
        Of a new set; None takes the usual ones, and of a set that is there its own.
    test_percent
        The same, 0 to 90.
    site
        How identity goes by the site's secret; None: by one of the set's own.
    options
        What a person says of the pixels. Nothing else may stay: ``keep`` is left alone.
    """

    formats: Sequence[SetFormat] | None = None
    test_percent: int | None = None
    site: Leave | None = None
    options: Options = field(default_factory=Options)


def grow(
    folder: Path,
    cases: Iterable[CaseSnapshot],
    wish: Wish,
    *,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
    write_case: WriteCase | None = None,
    on_problem: Callable[[Problem], None] | None = None,
) -> SetReport:
    """Add cases to a training set as a new version of it; one that is not there is begun.

    Parameters
    ----------
    folder
        Of the set; a new or empty folder begins one.
    cases
        As they stand, with their identity, which does not leave. Each is asked for when the
        one before is written, and let go then.
    wish
        What the set is to hold.
    progress, cancelled
        As for ``viewer.export.bundle.export_case``, of the case that is being written.
    write_case
        What writes the files of a case; None writes them here.
    on_problem
        Is told of a case that may not leave, and the others go on; None raises.

    Returns
    -------
    SetReport
        Without a version when no case had anything new.

    Raises
    ------
    Problem
        When a case cannot be read or may not leave, the set is damaged or of another secret, the
        folder cannot be written, or the disk is full. Nothing is left behind, and the versions
        before are as they were.
    Cancelled
        When ``cancelled`` says so; nothing is left behind either.
    """
    if write_case is None:
        from viewer.export.sets import case_files

        write_case = case_files.write_case
    growth = _Growth(folder, wish, progress, cancelled, write_case, on_problem)
    try:
        return growth.run(cases)
    except OSError as error:
        raise problem_of(error, growth.folder, growth.megabytes) from error
    except MemoryError as error:
        raise Problem(
            translate("export", "The memory does not suffice to export this case."),
            translate("export", "Close other programs or other cases, then export it again."),
        ) from error


class _Growth:
    """One version in the making."""

    def __init__(
        self,
        folder: Path,
        wish: Wish,
        progress: Progress | None,
        cancelled: CancelCheck | None,
        write_case: WriteCase,
        on_problem: Callable[[Problem], None] | None,
    ) -> None:
        # A link is followed, so that the parts are written on the disk that they will lie on.
        self.folder = folder.resolve()
        self._wish, self._progress = wish, progress
        self._cancelled, self._write_case = cancelled, write_case
        self._on_problem = on_problem
        self.megabytes = 1
        self._design: Design | None = None
        # By the pseudonyms of patient and scan.
        self._new: dict[tuple[str, str], dict[str, Any]] = {}
        self._left_out: Counter[WhyNot] = Counter()

    def run(self, cases: Iterable[CaseSnapshot]) -> SetReport:
        started = time.perf_counter()
        known = self._design = folders.load(self.folder)
        numbers = folders.versions(self.folder)
        parent = numbers[-1] if numbers else 0
        before = folders.manifest(self.folder, parent) if parent else None
        old = {} if before is None else {(i["patient"], i["scan"]): i for i in before[0]["items"]}
        leave = self._leave(known)
        folders.sweep(self.folder)
        if known is None:
            part = place.part_of(self.folder)
            version = part / folders.name_of(1)
        else:
            part = version = folders.new_part(self.folder, parent + 1)
        try:
            for snapshot in cases:
                stop_if(self._cancelled)
                self._add(snapshot, leave, old, version)
                del snapshot  # a volume is let go before the next one is read
            if not self._new:
                return self._nothing(parent, time.perf_counter() - started)
            return self._finish(part, version, before, parent, leave, started)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    # --------------------------------------------------------------------------- identity

    def _leave(self, known: Design | None) -> Leave:
        """Return how identity goes; no option keeps anything, and only pixels are vouched for."""
        site, said = self._wish.site, self._wish.options
        own = Options(pixels_seen=said.pixels_seen, boxes=said.boxes, seen=said.seen)
        if known is None:
            self._refuse_new()
            if site is None:
                return Leave(secret.fresh(), lambda patients: None, own)
            return Leave(site.keys, site.remember, own)
        self._refuse_other(known)
        if known.secret == "own":
            leave = Leave(secret.kept(known.id), lambda patients: None, own)
        elif site is None:
            raise Problem(
                translate("export", "This training set was begun with the site's passphrase."),
                translate("export", "Give it, so that each patient stays who he is in the set."),
            )
        else:
            leave = Leave(site.keys, site.remember, own)
        if secret.proof(leave.keys) != known.proof:
            raise Problem(
                translate("export", "This training set was begun with another secret."),
                translate("export", "Go on with it where it was begun, or begin another set."),
            )
        return leave

    def _refuse_new(self) -> None:
        percent = self._wish.test_percent
        if percent is not None and not 0 <= percent <= 90:
            raise Problem(
                translate("export", "The share of test patients cannot be {percent} %.").format(
                    percent=percent
                ),
                translate("export", "Choose 0 to 90."),
            )

    def _refuse_other(self, known: Design) -> None:
        formats, percent = self._wish.formats, self._wish.test_percent
        if formats is not None and complete(formats) != known.formats:
            raise Problem(
                translate("export", "This training set holds {formats}.").format(
                    formats=", ".join(known.formats)
                ),
                translate("export", "Leave the formats as they are, or begin another set."),
            )
        if percent is not None and percent != known.test_percent:
            raise Problem(
                translate(
                    "export", "This training set keeps {percent} % of its patients for the test."
                ).format(percent=known.test_percent),
                translate("export", "Leave the share as it is, or begin another set."),
            )

    # -------------------------------------------------------------------------- the cases

    def _add(
        self,
        snapshot: CaseSnapshot,
        leave: Leave,
        old: Mapping[tuple[str, str], Mapping[str, Any]],
        version: Path,
    ) -> None:
        """Write a case, or note why it adds nothing."""
        why = why_not(snapshot)
        if why is None and self._design and snapshot.volume.modality != self._design.modality:
            why = "other-modality"
        if why is not None:
            self._left_out[why] += 1
            return
        try:
            plain = leave.take_out(snapshot)
        except Problem as problem:
            if self._on_problem is None:
                raise
            self._on_problem(problem)
            return
        design = self._design = self._design or self._begun(plain, leave)
        patient = plain.plan.series.patient.id
        scan = _scan(plain)
        digest = digest_of(plain, design.classes, design.formats)
        before = old.get((patient, scan))
        if (before is not None and before["digest"] == digest) or (patient, scan) in self._new:
            self._left_out["unchanged"] += 1
            return
        revision = 1 if before is None else int(before["revision"]) + 1
        side, fold = secret.side_of(leave.keys, patient, design.test_percent)
        task = Task(
            item=f"{patient.replace('-', '')}-{scan}-r{revision}",
            patient=patient,
            scan=scan,
            revision=revision,
            digest=digest,
            side=side,
            fold=fold,
            formats=design.formats,
            classes=design.classes,
            nnunet=design.nnunet,
        )
        self.megabytes = megabytes_needed(plain, design.formats)
        version.mkdir(parents=True, exist_ok=True)
        document = self._write_case(plain, version, task, self._progress, self._cancelled)
        self._new[patient, scan] = document

    def _begun(self, snapshot: CaseSnapshot, leave: Leave) -> Design:
        """Decide what holds for all versions of a new set."""
        percent = self._wish.test_percent
        set_id = secrets.token_hex(8)
        number = 100 + int(set_id, 16) % 900  # nnU-Net keeps the numbers below for itself
        return Design(
            id=set_id,
            formats=complete(self._wish.formats or USUAL),
            classes=tuple(labels.offered("lesion")),
            modality=snapshot.volume.modality,
            test_percent=TEST_PERCENT if percent is None else percent,
            secret="own" if self._wish.site is None else "site",
            proof=secret.proof(leave.keys),
            nnunet=f"Dataset{number}_Overread",
        )

    # ------------------------------------------------------------------------- the version

    def _finish(
        self,
        part: Path,
        version: Path,
        before: tuple[dict[str, Any], str] | None,
        parent: int,
        leave: Leave,
        started: float,
    ) -> SetReport:
        from viewer.export.sets import lists  # nibabel and Pillow come with it

        design = self._design
        assert design is not None
        carried, files, checks = self._carry(version, before, parent)
        items = sorted([*self._new.values(), *carried], key=lambda one: str(one["item"]))
        for document in self._new.values():
            files += [*document["files"], seal(version, f"items/{document['item']}.json")]
            checks += document["checks"]
        stop_if(self._cancelled)
        for check in lists.write_all(version, design, items):
            stop_if(self._cancelled)
            files.append(seal(version, check.name))
            checks.append({**dataclasses.asdict(check), "result": "equal"})
        chain = None
        if before is not None:
            chain = {"version": parent, "manifest_sha256": before[1]}
        document = manifest_document(
            design, parent + 1, chain, items, list(self._new.values()), self._left_out,
            sorted(files, key=lambda one: str(one["name"])), checks,
        )  # fmt: skip
        write_json(version / folders.MANIFEST, document)
        seal(version, folders.MANIFEST)
        if part is not version:
            write_json(part / folders.SET_FILE, design.document())
            seal(part, folders.SET_FILE)
            if design.secret == "own":
                secret.keep(design.id, leave.keys)
        stop_if(self._cancelled)
        self._settle(part, version)
        return SetReport(
            self.folder,
            parent + 1,
            design,
            tuple(self._new.values()),
            len(items),
            dict(self._left_out),
            document["counts"],
            tuple(document["checks"]),
            sum(int(file["bytes"]) for file in files),
            time.perf_counter() - started,
        )

    def _settle(self, part: Path, version: Path) -> None:
        if part is not version:
            if self.folder.is_dir():
                self.folder.rmdir()  # it was empty
            folders.settle(part, self.folder)
            place.flush(self.folder.parent)
        else:
            number = int(version.name.split(".")[1].lstrip("v"))
            folders.settle(part, self.folder / folders.name_of(number))
            place.flush(self.folder)

    def _carry(
        self, version: Path, before: tuple[dict[str, Any], str] | None, parent: int
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Link what the version before holds of cases that did not change.

        Raises
        ------
        FileProblem
            When a file of it is not what its manifest says.
        """
        carried, files, checks = [], [], []
        home = self.folder / folders.name_of(parent)
        listed = {} if before is None else {one["name"]: one for one in before[0]["files"]}
        for item in [] if before is None else before[0]["items"]:
            if (item["patient"], item["scan"]) in self._new:
                continue
            document = folders.item_of(self.folder, parent, item["item"])
            sidecar = f"items/{item['item']}.json"
            for name in (sidecar, *(file["name"] for file in document["files"])):
                stop_if(self._cancelled)
                meant = listed.get(name)
                if meant is None or sha256_of(home / name) != meant["sha256"]:
                    raise FileProblem("misread", f"{name} of the version before", name=name)
                link(home / name, version / name)
                files.append(dict(meant))
                checks.append(
                    {
                        "name": name,
                        "reader": f"SHA-256 of version {parent}",
                        "compared": ["every byte"],
                        "result": "equal",
                    }
                )
            carried.append(document)
        return carried, files, checks

    def _nothing(self, parent: int, seconds: float) -> SetReport:
        return SetReport(
            self.folder, None, self._design, (), 0, dict(self._left_out), {}, (), 0, seconds,
            latest=parent or None,
        )  # fmt: skip


def _scan(snapshot: CaseSnapshot) -> str:
    """Return the pseudonym of a volume: of its series, and which of its volumes it is."""
    text = f"{snapshot.plan.series.series_uid}/{snapshot.plan.part}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def megabytes_needed(snapshot: CaseSnapshot, formats: Iterable[str]) -> int:
    """Return how many megabytes a case may need in a set, an upper bound, at least 1."""
    voxels = float(snapshot.volume.voxels.size)
    wanted = set(formats)
    total = 1e6 + 3000.0 * snapshot.volume.shape_kji[0]
    if wanted & {"pairs", "nnunet"}:
        total += float(snapshot.volume.voxels.nbytes) + voxels / 8
    if "coco" in wanted:
        total += voxels
    if wanted & {"hard", "crops"}:
        total += 4e6 * max(1, len(snapshot.lesions))
    return max(1, math.ceil(total / 1e6))
