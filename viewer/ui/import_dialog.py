"""What files hold for the open series, before anything of it is taken in: boxes to tick."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.imports import words
from viewer.imports.held import HeldFile, HeldOutline
from viewer.imports.taking import Chosen
from viewer.ui import theme
from viewer.ui.inputs import Tick
from viewer.ui.panel.words import millilitres
from viewer.ui.widgets import note

_WIDE, _MOST_HIGH = 900, 640
_TICK, _NAME, _CODE, _SIZE, _SAID = range(5)
_WIDTHS = {_TICK: 34, _NAME: 180, _CODE: 210, _SIZE: 190}
_ROW_PX = 26


class ImportDialog(QDialog):
    """A row an outline, by file; what does not fit is off and says why."""

    def __init__(
        self, files: Sequence[HeldFile], voxel_ml: float, here: frozenset[str], parent: QWidget
    ) -> None:
        """Show files.

        Parameters
        ----------
        voxel_ml
            Of the open series.
        here
            Tracking UIDs of what the case holds already: it is not ticked.
        """
        super().__init__(parent)
        self.setWindowTitle(translate("imports", "Import outlines"))
        self._voxel_ml, self._here = voxel_ml, here
        self._ticks: list[tuple[HeldFile, HeldOutline, Tick]] = []
        self._heads: list[tuple[HeldFile, Tick]] = []
        self.table = self._made_table()
        for file in files:
            self._put_file(file)
        hint = translate(
            "imports",
            "They come in as they are, with the system they are from, in one step; each finding is "
            "yours to judge.",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(10)
        column.addWidget(self.table, 1)
        column.addWidget(note(hint))
        column.addLayout(self._foot())
        rows = self.table.rowCount() + 1
        self.resize(_WIDE, min(_MOST_HIGH, 130 + rows * _ROW_PX))
        self._follow()

    @property
    def chosen(self) -> list[Chosen]:
        """What is ticked, by file."""
        found: dict[int, tuple[HeldFile, list[HeldOutline]]] = {}
        for file, one, tick in self._ticks:
            if tick.isChecked():
                found.setdefault(id(file), (file, []))[1].append(one)
        return [Chosen(file, tuple(outlines)) for file, outlines in found.values()]

    def tick_of(self, name: str) -> Tick:
        """Return the box of the first outline of a name."""
        return next(tick for _, one, tick in self._ticks if one.name == name)

    # ------------------------------------------------------------------ build

    def _made_table(self) -> QTableWidget:
        table = QTableWidget(0, 5)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(_SAID, QHeaderView.ResizeMode.Stretch)
        for at, width in _WIDTHS.items():
            table.setColumnWidth(at, width)
        table.setHorizontalHeaderLabels(
            [
                "",
                translate("imports", "Name"),
                translate("imports", "Code"),
                translate("imports", "Size here"),
                translate("imports", "Made, decided, to know"),
            ]
        )
        return table

    def _put_file(self, file: HeldFile) -> None:
        row = self._row()
        usable = any(one.usable for one in file.outlines) and not file.refusal
        whole = Tick()
        whole.setEnabled(usable)
        whole.setAccessibleName(translate("imports", "All of {file}").format(file=file.name))
        whole.setToolTip(whole.accessibleName())
        whole.clicked.connect(partial(self._tick_all, file))
        self._put_tick(row, whole)
        self._heads.append((file, whole))
        said = " · ".join(part for part in (file.name, words.source(file)) if part)
        self._put_text(row, said, theme.TEXT, bold=True)
        sentences = words.cautions(file)
        if file.refusal:
            self._put_text(self._row(), words.refusal(file.refusal), theme.FAILED)
        for sentence in sentences:
            self._put_text(self._row(), sentence, theme.PENDING)
        for one in file.outlines:
            self._put_outline(file, one)

    def _put_outline(self, file: HeldFile, one: HeldOutline) -> None:
        row = self._row()
        here = bool(one.tracking_uid) and one.tracking_uid in self._here
        tick = Tick()
        tick.setAccessibleName(one.name)
        tick.setEnabled(one.usable)
        tick.setChecked(one.usable and not file.cautions and not here)
        tick.toggled.connect(self._follow)
        self._put_tick(row, tick)
        self._ticks.append((file, one, tick))
        code = "" if one.type is None else f"{one.type[2]} · {one.type[1]} {one.type[0]}"
        cells = {_NAME: one.name, _CODE: code, _SIZE: self._size(one)}
        told = [words.made_by(one), words.decided(one), words.notes(one)]
        if here:
            told.append(translate("imports", "in this case already"))
        cells[_SAID] = " · ".join(part for part in told if part)
        for at, text in cells.items():
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            if at == _NAME and one.colour:
                item.setIcon(_swatch(one.colour))
            if not one.usable:
                item.setForeground(QColor(theme.DIM))
            elif at in (_CODE, _SAID):
                item.setForeground(QColor(theme.SECONDARY))
            self.table.setItem(row, at, item)

    def _size(self, one: HeldOutline) -> str:
        if one.mask.voxels.size:
            count = one.mask.count
            return translate("imports", "{volume}, {count} voxels").format(
                volume=millilitres(count * self._voxel_ml), count=count
            )
        return translate("imports", "a point") if one.point_lps_mm is not None else ""

    def _row(self) -> int:
        row = self.table.rowCount()
        self.table.insertRow(row)
        return row

    def _put_tick(self, row: int, tick: Tick) -> None:
        holder = QWidget()
        inner = QHBoxLayout(holder)
        inner.setContentsMargins(8, 0, 0, 0)
        inner.addWidget(tick)
        self.table.setCellWidget(row, _TICK, holder)

    def _put_text(self, row: int, text: str, colour: str, *, bold: bool = False) -> None:
        item = QTableWidgetItem(text)
        item.setToolTip(text)
        item.setForeground(QColor(colour))
        if bold:
            font = item.font()
            font.setBold(True)
            item.setFont(font)
        self.table.setItem(row, _NAME, item)
        self.table.setSpan(row, _NAME, 1, 4)

    def _foot(self) -> QHBoxLayout:
        self.go = QPushButton()
        self.go.setProperty("role", "primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self.accept)
        cancel = QPushButton(translate("imports", "Cancel"))
        cancel.setProperty("role", "plain")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.go)
        return row

    # ----------------------------------------------------------------- inside

    def _tick_all(self, file: HeldFile, on: bool) -> None:
        for of, _one, tick in self._ticks:
            if of is file and tick.isEnabled():
                tick.setChecked(on)
        self._follow()

    def _follow(self) -> None:
        for file, whole in self._heads:
            mine = [tick for of, _, tick in self._ticks if of is file and tick.isEnabled()]
            whole.setChecked(bool(mine) and all(tick.isChecked() for tick in mine))
        count = sum(tick.isChecked() for _, _, tick in self._ticks)
        self.go.setText(
            translate("imports", "Take in {count}").format(count=count)
            if count
            else translate("imports", "Take in")
        )
        self.go.setEnabled(bool(count))
        any_usable = any(tick.isEnabled() for _, _, tick in self._ticks)
        if any_usable:
            self.go.setToolTip("" if count else translate("imports", "Tick at least one box."))
        else:
            self.go.setToolTip(translate("imports", "Nothing in these files fits this series."))


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor(colour))
    return QIcon(picture)
