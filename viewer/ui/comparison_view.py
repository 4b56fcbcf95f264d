"""What a comparison of two models says: the verdict in words, every figure, what changed most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from inference.evaluation.colours import MODEL_COLOUR, OLD_COLOUR, READERS_COLOUR
from inference.evaluation.folder import AGREED
from resources.text import translate
from viewer.ui import theme
from viewer.ui.figures_told import NAMES, difference
from viewer.ui.widgets import head, note

_ROW_PX, _PICTURE_PX = 24, 148


def value_of(side: Mapping[str, Any], name: str) -> float | None:
    """Return a figure of one model."""
    if name in ("auc", "accuracy", "precision", "recall", "f1"):
        found = side["decision"][name]
    else:
        found = side[name] and side[name]["mean"]
    return found


def verdict(found: Mapping[str, Any]) -> str:
    """Return in plain words whether the new model may lead, and why not."""
    data = found["data"]
    on = (
        translate("retrain", "{nodules} nodules of {patients} patients new to both")
        if data["least_readers"] >= AGREED
        else translate(
            "retrain",
            "{nodules} nodules of {patients} patients new to both, some of them outlined by one "
            "or two readers",
        )
    ).format(nodules=data["nodules"], patients=data["patients"])
    failed = [check for check in found["promotion"]["checks"] if not check["kept"]]
    if found["promotion"]["patients"] < found["promotion"]["least_patients"]:
        return translate(
            "retrain",
            "The new model may not be used yet. {on}: fewer than {least} patients cannot show that "
            "it is no worse.",
        ).format(on=on, least=found["promotion"]["least_patients"])
    if not failed:
        return translate(
            "retrain", "The new model may be used: on {on}, no figure can be worse than allowed."
        ).format(on=on)
    whys = [_why(check) for check in failed]
    return translate("retrain", "The new model may not be used. On {on}: {whys}.").format(
        on=on, whys="; ".join(whys)
    )


def _why(check: Mapping[str, Any]) -> str:
    name = NAMES[check["figure"]]()
    worst = check["worst_of_the_interval"]
    if worst is None:
        return translate("retrain", "“{figure}” could not be measured").format(figure=name)
    return translate(
        "retrain", "“{figure}” may change by {worst}, and {limit} is the limit"
    ).format(figure=name, worst=difference(worst), limit=difference(check["limit"]))


class ComparisonView(QWidget):
    """Shows one comparison; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.table = QTableWidget(0, 6)
        self.table.setHorizontalHeaderLabels(
            [
                translate("retrain", "Figure"),
                translate("retrain", "Old"),
                translate("retrain", "New"),
                translate("retrain", "Difference"),
                translate("retrain", "95 % interval"),
                translate("retrain", "Limit"),
            ]
        )
        self.table.setAccessibleName(translate("retrain", "Figures of both models"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        self.table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._changed = head(translate("retrain", "Outlines that changed most"))
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setFont(theme.font(theme.CORNER_PX))
        self._strip = QScrollArea()
        self._strip.setWidgetResizable(True)
        self._strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._strip.setAccessibleName(translate("retrain", "Pictures of what changed most"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.verdict)
        column.addWidget(self.table, 1)
        above = QHBoxLayout()
        above.addWidget(self._changed, 1)
        above.addWidget(self._legend)
        column.addLayout(above)
        column.addWidget(self._strip)

    def show_comparison(self, found: Mapping[str, Any], pictures: Sequence[Path]) -> None:
        """Show figures as ``overread compare`` writes them, and its pictures."""
        may = bool(found["promotion"]["may_lead"])
        self.verdict.setText(verdict(found))
        theme.set_tone(self.verdict, "accepted" if may else "failed")
        checks = {check["figure"]: check for check in found["promotion"]["checks"]}
        rows = [name for name in NAMES if name in found["new_minus_old"]]
        self.table.setRowCount(len(rows))
        for row, name in enumerate(rows):
            self._fill(row, name, found, checks.get(name))
        shown = [one for one in found["nodules"] if None not in one["dice"]]
        self._show_pictures(list(zip(pictures, shown, strict=False)))

    def _fill(
        self, row: int, name: str, found: Mapping[str, Any], check: Mapping[str, Any] | None
    ) -> None:
        apart = found["new_minus_old"][name]
        low, high = map(difference, apart["ci95"])
        texts = [
            NAMES[name](),
            *(_number(value_of(found[side], name)) for side in ("old", "new")),
            difference(apart["mean"]),
            translate("retrain", "{low} to {high}").format(low=low, high=high),
            "" if check is None else _limit(check),
        ]
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if check is not None and column in (4, 5):
                item.setForeground(QColor(theme.ACCEPTED_TEXT if check["kept"] else theme.FAILED))
            self.table.setItem(row, column, item)

    def _show_pictures(self, shown: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
        names = (
            (READERS_COLOUR, translate("retrain", "readers")),
            (OLD_COLOUR, translate("retrain", "old model")),
            (MODEL_COLOUR, translate("retrain", "new model")),
        )
        self._legend.setText(
            " &nbsp; ".join(f'<span style="color: {colour}">■</span> {name}'
                            for colour, name in names)
        )  # fmt: skip
        inside = QWidget()
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for path, nodule in shown:
            row.addLayout(_tile(path, nodule))
        row.addStretch(1)
        self._strip.setWidget(inside)
        self._strip.setFixedHeight(inside.sizeHint().height() + 16)
        for part in (self._changed, self._legend, self._strip):
            part.setVisible(bool(shown))


def _tile(path: Path, nodule: Mapping[str, Any]) -> QVBoxLayout:
    picture = QLabel()
    image = QPixmap(str(path))
    picture.setPixmap(image.scaledToHeight(_PICTURE_PX, Qt.TransformationMode.SmoothTransformation))
    before, after = nodule["dice"]
    text = translate("retrain", "Dice {before}, now {after}; {mm} mm").format(
        before=f"{before:.2f}", after=f"{after:.2f}", mm=f"{nodule['diameter_mm']:.0f}"
    )
    picture.setAccessibleName(text)
    tile = QVBoxLayout()
    tile.setSpacing(2)
    tile.addWidget(picture)
    tile.addWidget(note(text))
    return tile


def _limit(check: Mapping[str, Any]) -> str:
    text = (
        translate("retrain", "kept: at least {limit}")
        if check["better"] == "higher"
        else translate("retrain", "kept: at most {limit}")
    )
    if not check["kept"]:
        text = (
            translate("retrain", "not kept: at least {limit}")
            if check["better"] == "higher"
            else translate("retrain", "not kept: at most {limit}")
        )
    return text.format(limit=difference(check["limit"]))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
