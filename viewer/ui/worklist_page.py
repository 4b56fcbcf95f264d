"""The page of the studies that were opened: search, list, and what can be done with a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QFont,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme
from viewer.ui.widgets import CommandButton, note
from viewer.ui.worklist_keeper import WorklistKeeper
from viewer.ui.worklist_parts import Heads, Notice, Search
from viewer.ui.worklist_rows import ROW_PX, StudyRow, WorklistModel
from viewer.worklist import Study
from viewer.worth import Worth

_WIDEST_PX, _NARROWEST_PX = 1240, 420
_ALL_FROM_PX = 900


class WorklistPage(QWidget):
    """The list of studies. Arrows choose, Enter opens, Del takes a line off, typing searches."""

    open_asked = Signal(object)
    locate_asked = Signal(object)
    menu_made = Signal(object, object)  # the menu of a study, and the study
    folder_asked = Signal()  # whose studies are to be analysed in the background

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("worklist")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._keeper: WorklistKeeper | None = None
        self.model = WorklistModel(self)
        self._title = QLabel(translate("worklist", "Studies"))
        self._title.setFont(theme.font(18, QFont.Weight.DemiBold))
        self._count = note()
        self.search = Search()
        self.notice = Notice()
        self.order_button = CommandButton(actions["worth_order"], role="verdict")
        self.list = self._make_list()
        self._heads = Heads()
        self._nothing = note()
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.back_button = CommandButton(
            actions["worklist"], role="verdict", text=translate("worklist", "Back to the study")
        )
        self._open_buttons = [
            CommandButton(actions["open"], role="primary"),
            CommandButton(actions["open_file"], role="verdict"),
            CommandButton(actions["sample"], role="verdict", key=False),
        ]
        self._lay_out()
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list.installEventFilter(self)
        self._wish = QTimer(self)
        self._wish.setSingleShot(True)
        self._wish.timeout.connect(self._want_pictures)

    def _make_list(self) -> QListView:
        view = QListView()
        view.setModel(self.model)
        view.setItemDelegate(StudyRow(view))
        view.setUniformItemSizes(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setMouseTracking(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setStyleSheet("QListView { background: transparent; border: none; }")
        view.setAccessibleName(translate("worklist", "Studies"))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)
        view.doubleClicked.connect(lambda _index: self.open_current())
        view.verticalScrollBar().valueChanged.connect(lambda _value: self._wish.start(30))
        view.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._fit_heads())
        return view

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._title)
        top.addSpacing(4)
        top.addWidget(self._count, 1)
        for button in (self.back_button, *self._open_buttons, self.order_button):
            inside = button.layout()
            assert inside is not None
            inside.setContentsMargins(10, 3, 10, 3)
            if button is not self.order_button:
                top.addWidget(button)
        find = QHBoxLayout()
        find.setSpacing(16)
        find.addWidget(self.search, 2)
        find.addWidget(self.order_button)
        self._keys = keys = note(
            translate(
                "worklist",
                "↑ ↓ choose · Enter opens · Ctrl+B analyses · Del removes from the list",
            )
        )
        keys.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        find.addWidget(keys, 3)
        self._head_row = QHBoxLayout()
        self._head_row.setContentsMargins(0, 0, 0, 0)
        self._head_row.addWidget(self._heads)
        self._foot = foot = QHBoxLayout()
        foot.addWidget(
            note(
                translate(
                    "worklist",
                    "Kept on this computer, for you alone. Removing a study from the list "
                    "keeps its corrections.",
                )
            ),
            1,
        )
        self.clear_button = QPushButton(translate("worklist", "Clear the list…"))
        self.clear_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clear_button.clicked.connect(lambda _checked: self._ask_clear())
        foot.addWidget(self.clear_button)
        inner = QWidget()
        inner.setMaximumWidth(_WIDEST_PX)
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 28, 24, 12)
        column.setSpacing(0)
        column.addLayout(top)
        column.addSpacing(16)
        column.addLayout(find)
        column.addSpacing(12)
        column.addWidget(self.notice)
        self.above_list = column_above = QVBoxLayout()
        column_above.setContentsMargins(0, 0, 0, 0)
        column.addLayout(column_above)
        column.addSpacing(4)
        column.addLayout(self._head_row)
        column.addWidget(self._nothing, 1)
        column.addWidget(self.list, 1)
        column.addSpacing(8)
        column.addLayout(foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(inner, 1000)
        row.addStretch(1)

    def add_folder_button(self, act: Callable[[], object]) -> None:
        """Offer to analyse the studies of a folder in the background."""
        button = QPushButton(translate("worklist", "Analyse a folder…"))
        button.setProperty("role", "plain")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(
            translate("worklist", "Every study in it is listed and analysed in the background")
        )
        button.clicked.connect(lambda _checked: act())
        self._foot.insertWidget(self._foot.count() - 1, button)

    # ------------------------------------------------------------------- filling

    def keep_by(self, keeper: WorklistKeeper) -> None:
        """Show what a keeper keeps."""
        self._keeper = keeper
        keeper.changed.connect(self._on_changed)
        self._on_changed()

    def set_open(self, case_key: str) -> None:
        """Mark the study that is open; empty when none is."""
        self.model.open_key = case_key
        self.back_button.setVisible(bool(case_key))
        self.model.repaint()

    def show_worths(self, worths: Mapping[str, Worth] | None) -> None:
        """Sort the list by what the studies are worth for training; None: by the last opening."""
        self.model.worths = worths
        self._heads.show_worth(worths is not None)
        self._fill()
        self.model.repaint()

    def start(self) -> None:
        """Be ready for the keyboard, the first study chosen."""
        self.notice.hide()
        self.search.clear()
        self._choose(0)
        self.list.scrollToTop()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._keeper is not None:
            self._keeper.look_for_files()

    def _on_changed(self) -> None:
        assert self._keeper is not None
        self.model.missing = self._keeper.missing
        self.model.pictures = self._keeper.pictures
        self._fill()
        self.model.repaint()

    def _fill(self, *_text: object) -> None:
        studies = self._keeper.studies if self._keeper is not None else ()
        current = self.current
        wanted = self.search.text()
        row_before = max(0, self.list.currentIndex().row())
        worths = self.model.worths
        if worths is not None:
            studies = tuple(sorted(studies, key=lambda one: _rank(worths.get(one.case_key))))
        self.model.show(studies, wanted)
        row = self.model.row_of(current.case_key) if current is not None else None
        self._choose(row if row is not None else row_before)
        shown = self.model.rowCount()
        if wanted.strip():
            count = translate("worklist", "{count} of {total}").format(
                count=shown, total=len(studies)
            )
        else:
            count = str(len(studies))
        self._count.setText(count)
        self.list.setVisible(shown > 0)
        self._nothing.setVisible(shown == 0)
        self._nothing.setText(
            translate("worklist", "No study matches “{text}”. Esc clears the search.").format(
                text=wanted
            )
            if studies
            else translate("worklist", "No study yet. Open a folder, or drop one here.")
        )
        self.clear_button.setEnabled(bool(studies))
        self._wish.start(0)

    def _choose(self, row: int) -> None:
        last = self.model.rowCount() - 1
        if last >= 0:
            index = self.model.index(min(max(row, 0), last))
            if index != self.list.currentIndex():
                self.list.setCurrentIndex(index)

    def _want_pictures(self) -> None:
        if self._keeper is None or not self.list.isVisible():
            return
        height = self.list.viewport().height()
        first = max(0, self.list.verticalScrollBar().value() // ROW_PX - 2)
        keys = []
        for row in range(first, min(self.model.rowCount(), first + height // ROW_PX + 6)):
            keys.append(self.model.index(row).data(WorklistModel.STUDY).case_key)
        self._keeper.want_pictures(keys)

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROWEST_PX, 240)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # All of these stand in the bar and in the sheet of keys too.
        for button in self._open_buttons[1:]:
            button.setVisible(self.width() >= _ALL_FROM_PX)
        self._keys.setVisible(self.width() >= _ALL_FROM_PX)
        self._fit_heads()
        self._wish.start(0)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._wish.start(0)

    def _fit_heads(self) -> None:
        bar = self.list.verticalScrollBar()
        shown = bar.maximum() > bar.minimum()
        self._head_row.setContentsMargins(0, 0, bar.sizeHint().width() if shown else 0, 0)

    # --------------------------------------------------------------------- doing

    @property
    def current(self) -> Study | None:
        """The chosen study."""
        study = self.list.currentIndex().data(WorklistModel.STUDY)
        return study if isinstance(study, Study) else None

    @property
    def chosen(self) -> tuple[Study, ...]:
        """All chosen studies, the uppermost first."""
        indexes = sorted(self.list.selectionModel().selectedIndexes(), key=lambda one: one.row())
        return tuple(index.data(WorklistModel.STUDY) for index in indexes)

    def open_current(self) -> None:
        """Ask for the chosen study to be opened."""
        study = self.current
        if study is not None:
            self.open_asked.emit(study)

    def remove(self, study: Study) -> None:
        """Take a study off the list."""
        assert self._keeper is not None
        self._keeper.forget(study.case_key)
        self.notice.say(
            translate(
                "worklist",
                "Removed from the list: {name}. The corrections are kept; the study is listed "
                "again when it is opened.",
            ).format(name=self.model.name(study)),
            "active",
        )
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def tell_missing(self, study: Study) -> None:
        """Say that the files of a study are gone, and what can be done."""
        self.notice.say(
            translate(
                "worklist",
                "The images of {name} are no longer at {place}. Connect the disk, or show where "
                "they are now.",
            ).format(name=self.model.name(study), place=self.model.place(study)),
            "failed",
            (
                translate("worklist", "Locate the folder…"),
                lambda: self.locate_asked.emit(study),
            ),
            (translate("worklist", "Remove from the list"), lambda: self.remove(study)),
        )

    def escape(self) -> bool:
        """Give up the search or the notice; tell whether there was any."""
        if self.search.text():
            self.search.clear()
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        if not self.notice.isHidden():
            self.notice.hide()
            return True
        return False

    def _ask_clear(self) -> None:
        assert self._keeper is not None
        self.notice.say(
            translate(
                "worklist", "Remove all {count} studies from the list? All corrections are kept."
            ).format(count=len(self._keeper.studies)),
            "pending",
            (translate("worklist", "Remove all"), self._keeper.clear),
        )

    def _menu(self, where: QPoint) -> None:
        index = self.list.indexAt(where)
        study = index.data(WorklistModel.STUDY) if index.isValid() else None
        if not isinstance(study, Study):
            return
        menu = self.menu_of(study)
        menu.popup(self.list.viewport().mapToGlobal(where))
        menu.aboutToHide.connect(menu.deleteLater)

    def menu_of(self, study: Study) -> QMenu:
        """Return what can be done with a study of the list."""
        menu = QMenu(self)
        opening = menu.addAction(translate("worklist", "Open"))
        opening.triggered.connect(lambda: self.open_asked.emit(study))
        locating = menu.addAction(translate("worklist", "Locate the folder…"))
        locating.triggered.connect(lambda: self.locate_asked.emit(study))
        menu.addSeparator()
        removing = menu.addAction(translate("worklist", "Remove from the list (keeps corrections)"))
        removing.triggered.connect(lambda: self.remove(study))
        self.menu_made.emit(menu, study)
        return menu

    # ------------------------------------------------------------------ keyboard

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if watched is self.search:
                return self._search_key(event)
            if watched is self.list:
                return self._list_key(event)
        return False

    def _list_key(self, event: QKeyEvent) -> bool:
        key, study = event.key(), self.current
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_current()
            return True
        if key == Qt.Key.Key_Delete and study is not None:
            self.remove(study)
            return True
        plain_key = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        if plain_key and event.text().strip() and event.text().isprintable():
            # Whoever types looks for something.
            self.search.setFocus(Qt.FocusReason.OtherFocusReason)
            self.search.insert(event.text())
            return True
        return False

    def _search_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_current()
            return True
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            self._choose(self.list.currentIndex().row() + (1 if key == Qt.Key.Key_Down else -1))
            return True
        return False


def _rank(worth: Worth | None) -> float:
    """Return the place of a study: what is worth most first, what nothing is known of last."""
    return 1.0 if worth is None or worth.value is None else -worth.value
