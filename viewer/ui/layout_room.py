"""The layouts in the window: their commands, what is remembered of them, the series beside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from resources.text import translate
from viewer.beside import Candidate, day_text
from viewer.study.order import StackPlan
from viewer.ui import layouts
from viewer.ui.beside import EMPTY, LOADING, SHOWN, Beside
from viewer.ui.beside_choice import Offered
from viewer.ui.beside_memory import BesideMemory
from viewer.ui.layout_button import COMMANDS
from viewer.ui.layouts import BESIDE, BESIDE_PANE, FOUR, LIST, ONE, THREE, Arranged
from viewer.ui.links import Links

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_COMMANDS = {command: layout_id for layout_id, command in COMMANDS.items()}
_NOTICE = "beside"


class LayoutRoom(QObject):
    """Chooses layouts and what stands beside; a ``Part`` of the window.

    Attributes
    ----------
    beside
        The second series.
    links
        What lets it follow the open one.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.beside = Beside(window.reading, self)
        self.links = Links(window.reading, self.beside, self)
        self.offered = Offered(window, self.beside, self)
        self._kept: dict[str, Arranged] = {}  # of the open series' modality, by layout
        self._key: str | None = None
        self._more = THREE  # the layout of several views to which a double click goes back
        self._panel_was_open = True
        self._hides_panel = False
        self._last_layout = THREE
        self._linked_with: object = None

    def attach(self) -> None:
        """Follow the window's views, which are made after the commands."""
        window = self._window
        views, view = window.views, self.beside.view
        views.add_pane(BESIDE_PANE, self.beside.pane, view)
        views.beside_memory = self._memory = BesideMemory(views, self.beside, self.links)
        self.links.attach(views)
        self.offered.attach()
        views.arranged_changed.connect(self._keep)
        views.laid_out.connect(self._on_laid_out)
        views.several_asked.connect(lambda: self.choose(self._more))
        view.menu_asked.connect(self.offered.show_menu)
        window.reading.case_changed.connect(self._on_case)
        window.reading.shown_changed.connect(self._follow)
        self.beside.changed.connect(self._on_beside)
        self.links.changed.connect(self._follow)
        window.bar.layout_button.menu().aboutToShow.connect(self.offered.fill_button)
        window.rail.carry_begun.connect(self._begin_carry)
        window.rail.carried.connect(views.carry.move)
        window.rail.dropped.connect(views.carry.drop)

    def close(self) -> None:
        """Stop what is being read; what stands beside is kept with the case."""
        self._memory.hold()
        self.beside.close()

    # ------------------------------------------------------------------- part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what each command does."""
        return {
            **{name: partial(self.choose, layout) for name, layout in _COMMANDS.items()},
            "link": self._toggle_link,
            "enlarge": lambda: self._window.views.toggle_active(),
            "next_pane": lambda: self._window.views.activate_next(),
            "exchange_panes": lambda: self._window.views.exchange_next(),
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        window = self._window
        if window.reading.case is None:
            return {}
        why = {"link": "" if self.links.mode else self.links.why_not()}
        if len(window.views.panes_shown) < 2:
            alone = translate("layout", "Only one view is shown.")
            why["next_pane"] = why["exchange_panes"] = alone
            if window.views.enlarged_pane is None and window.views.alone:
                why["enlarge"] = alone
        if window.views.alone:
            one = translate("layout", "Through these images no other plane can be cut.")
            why["layout_three"] = why["layout_four"] = one
        if self.beside.state == EMPTY and not self.offered.candidates():
            why["layout_beside"] = translate(
                "layout", "There is no other series of this patient, here or in the worklist."
            )
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return which switches are on."""
        now = self._window.views.layout_id if hasattr(self._window, "views") else THREE
        on = {name: layout == now for name, layout in _COMMANDS.items()}
        return {**on, "link": bool(self.links.mode)}

    # ---------------------------------------------------------------- layouts

    def choose(self, layout_id: str) -> None:
        """Show a layout; of one view the next plane, of two series the next best."""
        views = self._window.views
        again = views.arranged.layout == layout_id and views.enlarged is None
        if layout_id == BESIDE and again:
            self._next_beside()
        elif layout_id == ONE and again and not views.alone:
            views.choose(views.arranged.turned())
        else:
            views.choose(self._arranged(layout_id))
        self._window.follow()

    def _arranged(self, layout_id: str) -> Arranged:
        return self._kept.get(layout_id) or Arranged.of(layout_id)

    def _keep(self) -> None:
        """Remember the layout for the modality of the open series."""
        case = self._window.reading.case
        arranged = self._window.views.arranged
        self._kept[arranged.layout] = arranged
        name = layouts.setting_of(case.series.modality) if case is not None else None
        if name is not None:
            kept = [each.to_json() for each in self._kept.values()]
            self._window.settings.put(
                name, json.dumps({"chosen": arranged.layout, "layouts": kept})
            )

    def _recall(self, modality: str) -> Arranged:
        """Return the layout in which series of a modality were read last."""
        name = layouts.setting_of(modality)
        kept: Any = None
        if name is not None:
            try:
                kept = json.loads(self._window.settings.text(name) or "{}")
            except ValueError:
                kept = None
        values = kept.get("layouts", ()) if isinstance(kept, dict) else ()
        found = [layouts.from_json(each) for each in values] if isinstance(values, list) else []
        self._kept = {each.layout: each for each in found if each is not None}
        chosen = kept.get("chosen") if isinstance(kept, dict) else None
        return self._arranged(chosen if chosen in layouts.LAYOUTS else THREE)

    def _on_case(self) -> None:
        case = self._window.reading.case
        if case is None:
            self._key = None
            self.links.unlink()
            QTimer.singleShot(0, self._close_if_alone)
            return
        if case.key != self._key:
            self._key = case.key
            self._memory.forget()
            relation, plan = self.beside.relation, self.beside.plan
            if plan is not None and (
                relation is None or relation.heeded or plan.series is case.series
            ):
                self.beside.close_series()
            self.links.unlink()
            self._linked_with = None
            views, own = self._window.views, self._recall(case.series.modality)
            # Who goes through the series beside one that stays wants it to stay.
            views.keeps_layout = views.arranged.layout == BESIDE and self.beside.plan is not None
            if views.keeps_layout:
                self._kept[BESIDE] = views.arranged
            else:
                views.set_arranged(own)
        else:
            self._on_laid_out()  # all of it is there now
        self._link_if_same_frame()
        self._follow()

    def _close_if_alone(self) -> None:
        window = self._window
        if window.reading.case is None and not window.opener.busy:
            self.beside.close_series()

    def _on_laid_out(self) -> None:
        views, case = self._window.views, self._window.reading.case
        layout = views.arranged.layout
        if layout in (THREE, FOUR):
            self._more = layout
        self._window.bar.layout_button.show_layout(views.layout_id)
        self._follow_panel(layout)
        if layout != BESIDE:
            self.beside.close_series()
        elif self.beside.state == EMPTY and case is not None and not case.is_being_read:
            QTimer.singleShot(0, self._fill)
        self._follow()
        self._window.follow()

    def _follow_panel(self, layout: str) -> None:
        """One view alone has the whole width; beside the findings they are shown."""
        window = self._window
        if window.stage.currentWidget() is not window.views:
            return
        hides = layout == ONE
        if hides and not self._hides_panel:
            self._panel_was_open = not window.panel.isHidden()
            window.panel.hide()
        elif not hides and self._hides_panel and self._panel_was_open:
            window.panel.show()
        if layout == LIST and self._last_layout != LIST:
            window.panel.show()
        self._hides_panel, self._last_layout = hides, layout

    # ----------------------------------------------------------------- beside

    def close_beside(self) -> None:
        """Show the layout of several views that was there before."""
        self.choose(self._more)

    def show_beside(self, number: int) -> None:
        """Show a series of the list beside the open one."""
        if number == self._window.study.current:
            self._window.status.hint(translate("layout", "This series is open already."))
            return
        self._show_plan(self._window.opener.study.plans[number])

    def _show_plan(self, plan: StackPlan) -> None:
        views = self._window.views
        self.beside.show_plan(plan)
        if views.arranged.layout != BESIDE or views.enlarged is not None:
            views.choose(self._arranged(BESIDE))
        self._window.follow()

    def show_candidate(self, candidate: Candidate) -> None:
        """Show a candidate beside the open series."""
        if candidate.number is not None:
            self.show_beside(candidate.number)
            return
        assert candidate.study is not None
        views = self._window.views
        self.beside.show_study(candidate.study)
        if views.arranged.layout != BESIDE or views.enlarged is not None:
            views.choose(self._arranged(BESIDE))
        self._window.follow()

    def _next_beside(self) -> None:
        offered = self.offered.candidates()
        at = next((n for n, each in enumerate(offered) if self.offered.is_shown(each)), -1)
        if not offered or (len(offered) == 1 and at == 0):
            self._window.status.hint(
                translate("layout", "There is no other series to show beside this one.")
            )
            return
        self.show_candidate(offered[(at + 1) % len(offered)])

    def _fill(self) -> None:
        """Show the best series where a layout of two has only one."""
        views, case = self._window.views, self._window.reading.case
        if views.arranged.layout != BESIDE or self.beside.state != EMPTY or case is None:
            return
        offered = self.offered.candidates()
        if offered:
            before = self._memory.among(offered, self._window.opener.study.plans)
            self.show_candidate(before or offered[0])
        else:
            views.set_arranged(self._arranged(self._more))
        self._window.follow()

    def _on_beside(self) -> None:
        if self.beside.case is None:
            self.links.unlink()
            self._linked_with = None
        if hasattr(self._window, "conventions"):
            self._window.conventions.windows.follow_active()
        self._link_if_same_frame()
        if self.beside.state == SHOWN:
            self._memory.look_as_before()
        self._follow()
        if self.beside.state != LOADING:
            self._window.follow()

    # ------------------------------------------------------------------- link

    def _link_if_same_frame(self) -> None:
        """Link by position at once: there is no doubt which slices belong together."""
        plan = self.beside.plan
        if self.beside.case is None or plan is None or self._linked_with is plan.series:
            return
        if self._window.reading.case is not None and self.links.share_frame():
            self._linked_with = plan.series
            if not self.links.why_not():
                self.links.link()

    def _toggle_link(self) -> None:
        self.links.toggle()
        if not self.links.mode:
            said = translate("link", "No longer linked: each series is scrolled alone.")
        elif self.links.by_position:
            said = translate("link", "Linked by position: one frame of reference.")
        else:
            said = translate("link", "Linked by slice, from where the two are now.")
        self._window.status.hint(said)
        self._window.follow()

    # ------------------------------------------------------------------ shown

    def _follow(self) -> None:
        """Write on the images which is which."""
        window, beside = self._window, self.beside
        relation, case = beside.relation, window.reading.case
        if beside.case is None or relation is None or case is None:
            for view in (*window.views.views, beside.view):
                view.notices.pop(_NOTICE, None)
                view.update()
        else:
            dated = not window.reading.shown.patient_hidden
            words = [(relation.words(dated=dated), relation.heeded)]
            if beside.state == LOADING and beside.progress[1]:
                done, total = beside.progress
                reading = translate("beside", "reading {done} of {total}")
                words.append(((reading.format(done=done, total=total),), False))
            beside.view.notices[_NOTICE] = (*words, *self.links.notices())
            day = day_text(case.series) if dated else ""
            current = (translate("beside", "CURRENT"), *filter(None, [day]))
            for view in window.views.views:
                view.notices[_NOTICE] = ((current, False),)
                view.update()
            beside.view.update()
        self._mark_card()

    def _mark_card(self) -> None:
        self._window.rail.set_beside(self.offered.number_shown())
        self.offered.follow_priors()

    def _begin_carry(self, number: int) -> None:
        window = self._window
        plan = window.opener.study.plans[number]

        def words(_pane: QWidget) -> str:
            if number == window.study.current or plan.refusal is not None:
                return ""
            if window.reading.shown.patient_hidden:
                return translate("layout", "Show this series beside")
            title = window.rail.card(number).title
            return translate("layout", "Show {series} beside").format(series=title)

        window.views.carry.begin(words, lambda _pane: self._show_plan(plan))
