"""Findings of the series beside, copied onto the open one through their frame of reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu

from inference.findings import Mask
from resources.text import translate
from viewer.annotate import copied
from viewer.annotate.copied import Copied
from viewer.prior_work import read_work
from viewer.tools.carry_over import carried_over
from viewer.ui.beside import SHOWN
from viewer.ui.jobs import Job
from viewer.ui.panel import words

if TYPE_CHECKING:
    from viewer.annotate.document import AnnotationDocument
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """One outline that can be copied: what it is called, and where it comes from."""

    name: str
    label: str
    mask: Mask
    anatomy: bool
    source: Mapping[str, Any]


class Copying(QObject):
    """The command that copies; a ``Part`` of the window. Nothing runs in the GUI thread."""

    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        window.reading.case_changed.connect(self.escape)

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {"copy_beside": self.offer}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be copied now."""
        return {"copy_beside": self.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def why_not(self) -> str:
        """Return why nothing of the series beside can be copied; empty when it can."""
        reading, room = self._window.reading, self._window.layouts
        case, beside = reading.case, room.beside
        if case is None:
            return translate("copy", "Open a series first.")
        if case.read_only:
            return str(case.read_only_problem)
        if reading.ai_hidden or case.second:
            return translate(
                "copy", "What was found in another series is hidden while this one is read blind."
            )
        if beside.state != SHOWN or beside.case is None:
            text = translate("copy", "Show the other series beside this one first: {key}.")
            return text.format(key=reading.keys.name("layout_beside"))
        if beside.relation is not None and beside.relation.kind == "other":
            return translate("copy", "The series beside is of another patient.")
        if not beside.case.volume.regular:
            return translate("copy", "The images beside make no regular volume.")
        if not room.links.share_frame():
            return translate(
                "copy",
                "The two series have different frames of reference: no file says which places of "
                "them are the same.",
            )
        return ""

    # ----------------------------------------------------------------- offer

    def offer(self) -> None:
        """Read the work on the series beside, and let the reader choose of it."""
        if why := self.why_not():
            self.told.emit(why)
            return
        case, beside = self._window.reading.case, self._window.layouts.beside.case
        assert case is not None
        assert beside is not None
        plan, volume, key = beside.plan, beside.volume, beside.key

        def work(_report: Any, _cancelled: Any) -> object:
            return case, volume.affine, offers(read_work(plan, volume), key)

        self._start(work, self._on_offers)

    def _on_offers(self, found: object) -> None:
        assert isinstance(found, tuple)
        asked, affine, offered = found
        case = self._window.reading.case
        if case is None or case is not asked:
            return
        if not offered:
            self.told.emit(translate("copy", "The series beside has no finding with an outline."))
            return
        self.menu(case, affine, offered).popup(QCursor.pos())

    def menu(self, case: Case, affine: Any, offered: Sequence[Offer]) -> QMenu:
        """Return the menu of what can be copied."""
        menu = QMenu(self._window)
        menu.aboutToHide.connect(menu.deleteLater)
        findings = [one for one in offered if not one.anatomy]
        if len(findings) > 1:
            text = translate("copy", "All {count} findings").format(count=len(findings))
            self._add(menu, text, case, affine, findings)
            menu.addSeparator()
        for one in offered:
            self._add(menu, one.name, case, affine, [one])
        return menu

    def _add(
        self, menu: QMenu, name: str, case: Case, affine: Any, chosen: Sequence[Offer]
    ) -> None:
        action = menu.addAction(name.replace("&", "&&"))
        action.triggered.connect(lambda _checked=False: self.take(case, affine, chosen))

    # ------------------------------------------------------------------ copy

    def take(self, case: Case, affine: Any, chosen: Sequence[Offer]) -> None:
        """Copy outlines onto the open series."""
        to_affine, shape = case.volume.affine, case.volume.shape_kji

        def work(_report: Any, cancelled: Callable[[], bool]) -> object:
            made, missing, cut_off = [], 0, 0
            for one in chosen:
                if cancelled():
                    break
                mask, is_cut = carried_over(one.mask, affine, to_affine, shape)
                if mask.voxels.size:
                    made.append(Copied(one.label, mask, one.anatomy, one.source))
                    cut_off += is_cut
                else:
                    missing += 1
            return case, made, missing, cut_off

        self._start(work, self._on_made)
        self.told.emit(
            translate("copy", "Copying… {key} stops it.").format(
                key=self._window.reading.keys.name("abort")
            )
        )

    def _on_made(self, found: object) -> None:
        assert isinstance(found, tuple)
        asked, made, missing, cut_off = found
        window = self._window
        case = window.reading.case
        if case is None or case is not asked or self.why_not():
            return
        known = [at for one in made if (at := copied.known_as(case.document, one)) is not None]
        if not made:
            self.told.emit(
                translate("copy", "It does not lie in the open series, or is too small for it.")
            )
            return
        change = window.corrections.change(lambda case: case.copy(made))
        if change is None:
            if known:
                window.reading.select(known[0])
                text = translate("copy", "{finding} lies there already.")
                lesion = case.document.lesion(known[0])
                self.told.emit(text.format(finding=words.title(lesion)))
            else:
                self.told.emit(
                    translate("copy", "This series has no such structure: run the model first.")
                )
            return
        if change.lesion_ids:
            window.reading.reveal(change.lesion_ids[0])
            window.reading.select(change.lesion_ids[0])
        self.told.emit(self._copied_text(len(made) - len(known), missing, cut_off))

    def _copied_text(self, count: int, missing: int, cut_off: int) -> str:
        key = self._window.reading.keys.name("undo")
        said = translate("copy", "Copied: {count}. {key} takes it back.").format(
            count=count, key=key
        )
        if missing:
            more = translate("copy", "{count} do not lie in the open series.")
            said = f"{said} {more.format(count=missing)}"
        if cut_off:
            said = f"{said} {translate('copy', 'The open series ends within an outline.')}"
        return said

    def escape(self) -> bool:
        """Stop copying; tell whether there was anything."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        return job is not None

    def _start(self, work: Callable[..., object], then: Callable[[object], None]) -> None:
        self.escape()
        self._job = job = Job(work, self)
        job.succeeded.connect(then)
        job.failed.connect(self.failed)
        job.ended.connect(partial(self._on_end, job))
        job.start(self._pool)

    def _on_end(self, job: Job) -> None:
        if job is self._job:
            self._job = None


def offers(document: AnnotationDocument, key: str) -> tuple[Offer, ...]:
    """Return the outlines of a document that can be copied: accepted or drawn ones, anatomy last.

    Findings that were rejected, or that nobody has looked at, are left where they are.
    """
    found = []
    for lesion in document.lesions:
        if lesion.empty or not lesion.reviewed or lesion.verdict == "rejected":
            continue
        name = translate("copy", "{finding}, {diameter} mm, {volume}").format(
            finding=words.title(lesion),
            diameter=f"{lesion.diameter_mm:.1f}",
            volume=words.millilitres(lesion.volume_ml),
        )
        source = {
            "from_case": key,
            "from_finding": lesion.id,
            "from_number": lesion.number,
            "from_origin": lesion.origin,
        }
        found.append(Offer(name, lesion.label, lesion.mask, False, source))
    for segment in document.segments:
        source = {"from_case": key, "from_segment": segment.id, "from_origin": segment.origin}
        name = words.label_name(segment.label)
        found.append(Offer(name, segment.label, segment.mask, True, source))
    return tuple(found)
