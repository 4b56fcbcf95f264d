"""What the model says beyond place and size, and its map of uncertainty, in the window."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from inference.findings import Heatmap, Impression
from inference.runtime.nodules import HEATMAP_MEANING
from inference.runtime.outline import SHARE_MEANING, SPREAD_MEANING
from viewer.ui.app import show_within_screen
from viewer.ui.panel.heatmap import heat_meaning

from .conftest import settle

MEANING = SPREAD_MEANING


@pytest.fixture
def with_opinions(process, truth_findings):
    """Let the scripted model have an impression, and a map of its doubt."""
    first, *others = truth_findings.detections
    values = np.zeros_like(truth_findings.heatmap.values)
    values[first.mask.box][first.mask.voxels] = 128
    said = replace(first, uncertainty=0.07, impression=Impression(3.21, 4.5))
    process.findings = replace(
        truth_findings,
        detections=(said, *others),
        uncertainty=Heatmap((0, 0, 0), values, MEANING),
    )
    return process.findings


def test_the_selected_finding_says_what_radiologists_would(with_opinions, reviewed):
    panel = reviewed.panel
    reviewed.reading.select("d1")
    settle(reviewed)
    said = (
        "Malignancy 3.2 of 5, solid; radiologists' impression, not pathology. Outlines agree 93 %."
    )
    assert panel.opinion.isVisible()
    assert panel.opinion.text() == said
    for width in (reviewed.width(), 1100):
        reviewed.resize(width, 700)
        settle(reviewed)
        # Whole, and inside the panel.
        needed = panel.opinion.fontMetrics().boundingRect(
            QRect(0, 0, panel.opinion.contentsRect().width(), 1000),
            int(Qt.TextFlag.TextWordWrap),
            said,
        )
        assert needed.height() <= panel.opinion.contentsRect().height() + 1
        assert needed.width() <= panel.opinion.contentsRect().width()
        assert panel.rect().contains(panel.opinion.geometry())
    if folder := os.environ.get("OVERREAD_GRABS"):
        reviewed.resize(1500, 900)
        QTest.qWait(100)
        reviewed.grab().save(f"{folder}/opinion.png")
    reviewed.reading.select("d2")
    settle(reviewed)
    assert not panel.opinion.isVisible()


def test_a_model_without_opinions_leaves_no_gap(reviewed):
    reviewed.reading.select("d1")
    settle(reviewed)
    assert not reviewed.panel.opinion.isVisible()
    assert not reviewed.panel.heatmap._which.isVisible()


def test_the_map_of_uncertainty_takes_the_place_of_the_heatmap(with_opinions, reviewed):
    section, view = reviewed.panel.heatmap, reviewed.views.views[0]
    reviewed.reading.select("d1")
    reviewed.actions_by_id["heatmap"].trigger()
    settle(reviewed)
    assert section._which.isVisible() and section._which.isEnabled()
    assert view.overlay.heat().heatmap is with_opinions.heatmap
    section._which.click()
    settle(reviewed)
    assert view.overlay.heat().heatmap is with_opinions.uncertainty
    assert section._meaning.text() == "how far the outlines differ"
    assert (view.overlay.heat().top, section._high.text()) == (128, "≥\u202f0.50")
    view.pointer_px = view.cursor_px()
    voxel = view.voxel_at(view.pointer_px)
    expected = with_opinions.uncertainty.values[voxel] / 255
    assert view.value_text().endswith(f"± {expected:.2f}")
    if folder := os.environ.get("OVERREAD_GRABS"):
        QTest.qWait(100)
        reviewed.grab().save(f"{folder}/uncertainty.png")
    section._which.click()
    settle(reviewed)
    assert view.overlay.heat().heatmap is with_opinions.heatmap
    assert " · p " in view.value_text()


@pytest.mark.parametrize("meaning", [HEATMAP_MEANING, SHARE_MEANING, SPREAD_MEANING])
def test_every_meaning_that_the_model_gives_a_map_has_short_words(meaning):
    assert len(heat_meaning(meaning)) < len(meaning)


@pytest.mark.parametrize(("size", "whole"), [((300, 200), False), ((5000, 4000), True)])
def test_a_window_is_within_the_screen(qtbot, size, whole):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(*size)
    show_within_screen(window)
    room = window.screen().availableSize()
    assert window.isMaximized() is whole
    assert window.normalGeometry().width() < room.width()
    assert window.normalGeometry().height() < room.height()


def test_the_list_of_findings_ends_with_a_whole_row(reviewed):
    rows = reviewed.panel.list
    for height in (640, 700, 760, 900):
        reviewed.resize(1500, height)
        settle(reviewed)
        ends = np.cumsum([rows.sizeHintForRow(row) for row in range(rows.count())]) + 4
        assert rows.height() in ends
