"""A click in the real window, the real model process and the bundled model, on a phantom."""

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from inference import registry
from inference.geometry import kji_to_lps_mm
from viewer.annotate.rerun import dice
from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series

from .conftest import settle
from .test_review import key

_LONG_MS = 300_000  # the first outline loads the model; other work may have the processor


@pytest.fixture(scope="module")
def fine_phantom():
    """As fine as the model asks for, and small."""
    return make_phantom(
        PhantomSpec(shape_kji=(64, 256, 256), spacing_kji_mm=(4.5, 1.45, 1.45), twigs=200)
    )


@pytest.fixture
def real_window(qapp, qtbot, fine_phantom, tmp_path):
    from viewer.ui import app
    from viewer.ui.main_window import MainWindow

    app.theme.apply_theme(qapp)
    write_series(fine_phantom, tmp_path / "phantom")
    made = MainWindow()
    made.resize(1500, 900)
    made.show()
    qtbot.waitExposed(made)
    with qtbot.waitSignal(made.opener.opened, timeout=60_000):
        made.open_paths([tmp_path / "phantom"])
    qtbot.waitUntil(lambda: not made.reading.case.read_only, timeout=60_000)
    settle(made)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(20)


def point_at(window, point_lps_mm):
    window.reading.move_cursor(point_lps_mm)
    settle(window)
    view = window.views.views[0]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cursor_px().toPoint())


def test_a_click_on_a_nodule_is_its_outline_and_one_on_air_is_a_sentence(
    real_window, fine_phantom, qtbot, tmp_path
):
    window, case = real_window, real_window.reading.case
    assert registry.eligibility(window.ai.pack, case.volume) == ()
    window.set_reader("Dr. A. Test")
    key(window, "O")
    assert window.reading.tool == "outline"
    nodule = max(fine_phantom.nodules, key=lambda one: one.mask.count)
    point_at(window, nodule.centre_lps_mm)
    assert len(window.reading.outlining) == 1
    # The window goes on meanwhile.
    view = window.views.views[0]
    before = view.index
    view.scroll_slices(2)
    assert view.index != before
    qtbot.waitUntil(lambda: not window.reading.outlining, timeout=_LONG_MS)
    settle(window)
    (lesion,) = case.document.lesions
    assert (lesion.origin, lesion.id, lesion.verdict) == ("ai-pointed", "p1", None)
    # The phantom's slices are thick: the truth of its small spheres is coarse.
    assert dice(lesion.mask, nodule.mask) > 0.6
    assert np.linalg.norm(np.subtract(lesion.centre_lps_mm, nodule.centre_lps_mm)) < 4
    said = case.document.detection("p1")
    assert 0 <= said.uncertainty <= 1 and 1 <= said.impression.malignancy <= 5
    key(window, "A")
    assert window.reading.lesion.reader == "Dr. A. Test"

    corner = kji_to_lps_mm(case.volume.affine, (case.volume.shape_kji[0] // 2, 20, 20))
    point_at(window, corner)
    qtbot.waitUntil(lambda: not window.reading.outlining, timeout=_LONG_MS)
    settle(window)
    assert len(case.document.lesions) == 1
    assert "The model sees nothing here" in window.status._text.text()

    with qtbot.waitSignal(window.exporter.ended, timeout=120_000) as ended:
        window.export_to(tmp_path, None)
    folder, problem = ended.args
    assert problem is None
    (written,) = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["lesions"]
    assert (written["origin"], written["verdict"]) == ("ai-pointed", "accepted")
    assert written["model"]["id"] == window.ai.pack.id
    np.testing.assert_allclose(written["pointed_lps_mm"], nodule.centre_lps_mm, atol=2.5)
