"""What may stand beside the open series, and the menus in which it is chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu

from resources.text import translate
from viewer.beside import Candidate, candidates
from viewer.ui import counts, view_text
from viewer.ui.beside import Beside
from viewer.ui.rail import SeriesCard

if TYPE_CHECKING:
    from viewer.ui.layout_room import LayoutRoom
    from viewer.ui.main_window import MainWindow

_MOST = 12  # of a menu; the series list has all
_PRIORS = 6


class Offered(QObject):
    """The candidates of the open series, best first."""

    def __init__(self, window: MainWindow, beside: Beside, room: LayoutRoom) -> None:
        super().__init__(room)
        self._window, self._beside, self._room = window, beside, room
        self._found: list[Candidate] = []
        self._found_for: tuple[object, ...] = ()
        self._priors: list[Candidate] = []
        self._priors_shown: tuple[object, ...] = ()
        self._follows = False

    def candidates(self) -> list[Candidate]:
        """Return what may be shown beside the open series."""
        window = self._window
        case = window.reading.case
        if case is None:
            return []
        studies = window.worklist.keeper.studies if hasattr(window, "worklist") else ()
        asked = (case.plan, window.opener.study.plans, studies)
        # Asked at every change of the window's state; rarely is anything new.
        if len(self._found_for) != len(asked) or any(
            one is not other for one, other in zip(asked, self._found_for, strict=True)
        ):
            self._found_for, self._found = asked, candidates(*asked)
        return self._found

    def is_shown(self, candidate: Candidate) -> bool:
        """Tell whether a candidate is what stands beside."""
        if candidate.study is not None:
            shown = self._beside.study
            return shown is not None and candidate.study.case_key == shown.case_key
        return candidate.number is not None and candidate.number == self.number_shown()

    def number_shown(self) -> int | None:
        """Return the number in the series list of what stands beside, or None."""
        shown = self._beside.plan
        if shown is None or self._beside.study is not None:
            return None
        for number, plan in enumerate(self._window.opener.study.plans):
            if plan.series is shown.series and plan.part == shown.part:
                return number
        return None

    def attach(self) -> None:
        """Show the studies of the worklist under the series list, and follow them."""
        rail = self._window.rail
        rail.prior_chosen.connect(self._show_prior)
        rail.prior_carry_begun.connect(self._carry_prior)

    def follow_priors(self) -> None:
        """Show those of the worklist in the series list; quick when nothing is new."""
        window = self._window
        if not hasattr(window, "worklist"):
            return
        keeper = window.worklist.keeper
        if not self._follows:
            self._follows = True
            keeper.changed.connect(self.follow_priors)
        studies = [each for each in self.candidates() if each.study is not None][:_PRIORS]
        keys = [each.study.case_key for each in studies if each.study is not None]
        pictures = [keeper.pictures.get(key) for key in keys]
        at = next((n for n, each in enumerate(studies) if self.is_shown(each)), None)
        now = (tuple(keys), tuple(picture is not None for picture in pictures), at)
        if now == self._priors_shown:
            return
        self._priors_shown, self._priors = now, studies
        cards = [_card(*pair) for pair in zip(studies, pictures, strict=True)]
        window.rail.set_priors(cards, at)
        keeper.want_pictures(keys)

    def _show_prior(self, number: int) -> None:
        self._room.show_candidate(self._priors[number])

    def _carry_prior(self, number: int) -> None:
        candidate = self._priors[number]
        said = translate("layout", "Show {series} beside").format(series=candidate.title)
        if self._window.reading.shown.patient_hidden:
            said = translate("layout", "Show this series beside")
        self._window.views.carry.begin(
            lambda _pane: said, lambda _pane: self._room.show_candidate(candidate)
        )

    def show_menu(self, _point_lps_mm: object, where: QPoint) -> None:
        """Show what can be done with the series beside."""
        menu = self.menu()
        menu.popup(where)
        menu.aboutToHide.connect(menu.deleteLater)

    def menu(self) -> QMenu:
        """Return what can be done with the series beside."""
        window, beside = self._window, self._beside
        menu = QMenu(window)
        menu.setToolTipsVisible(True)
        menu.addAction(window.actions_by_id["link"])
        if len(beside.reading.planes) > 1:
            menu.addSeparator()
            for name in beside.reading.plane_order():
                action = menu.addAction(view_text.plane_name(name))
                action.setCheckable(True)
                action.setChecked(beside.view.plane is beside.reading.planes[name])
                action.triggered.connect(partial(beside.set_plane, name))
        self._add_candidates(menu)
        menu.addSeparator()
        number = self.number_shown()
        if number is not None:
            text = translate("layout", "Open this series")
            menu.addAction(text).triggered.connect(lambda: self._window.study.open_series(number))
        close = menu.addAction(translate("layout", "Close the series beside"))
        close.triggered.connect(self._room.close_beside)
        return menu

    def fill_button(self) -> None:
        """Offer the candidates in the menu of the bar, under the layouts."""
        button = self._window.bar.layout_button
        menu = button.menu()
        for action in menu.actions()[button.fixed :]:
            menu.removeAction(action)
            action.deleteLater()
        self._add_candidates(menu)

    def _add_candidates(self, menu: QMenu) -> None:
        offered = self.candidates()
        if offered:
            menu.addSeparator()
            menu.addAction(translate("layout", "Show beside:")).setEnabled(False)
        for candidate in offered[:_MOST]:
            said = " · ".join((candidate.title, *candidate.relation.words()))
            action = menu.addAction(said.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(self.is_shown(candidate))
            action.triggered.connect(partial(self._room.show_candidate, candidate))


def _card(candidate: Candidate, picture: QImage | None) -> SeriesCard:
    """Return the card of a study of the worklist."""
    study = candidate.study
    assert study is not None
    detail = f"{counts.images(study.images)} · {candidate.relation.day}".rstrip(" ·")
    card = SeriesCard(candidate.title, detail, " · ".join(candidate.relation.words()[::2]))
    if picture is not None:
        grey = picture.convertToFormat(QImage.Format.Format_Grayscale8)
        rows = np.frombuffer(grey.constBits(), np.uint8).reshape(-1, grey.bytesPerLine())
        card.thumbnail = rows[: grey.height(), : grey.width()].copy()
    return card
