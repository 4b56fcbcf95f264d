"""The figures beside those of SimpleITK, MONAI and the readers' own data."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation import detection, outlines, report, scan
from inference.evaluation.folder import AGREED, Folder, load_folder
from inference.evaluation.impression import TRAINING_MEANS
from inference.evaluation.predictions import Predictions
from inference.evaluation.seen import seen_by
from inference.evaluation.truth import load_truth, rasterise
from inference.training.data import split_of
from tests.evaluation_cases import ball, lesion


def pairs(count: int = 12):
    rng = np.random.default_rng(8)
    for _ in range(count):
        a = ball(5, rng.uniform(4, 9), *rng.uniform(60, 68, 2))
        yield a, ball(5, rng.uniform(4, 9), *rng.uniform(60, 68, 2))


def test_dice_is_that_of_simpleitk():
    sitk = pytest.importorskip("SimpleITK", reason="needs SimpleITK (extra test)")
    for a, b in pairs():
        oracle = sitk.LabelOverlapMeasuresImageFilter()
        oracle.Execute(*(sitk.GetImageFromArray(m.astype(np.uint8)) for m in (a, b)))
        assert outlines.dice(a, b) == pytest.approx(oracle.GetDiceCoefficient())


@pytest.mark.filterwarnings("ignore")
def test_dice_and_froc_are_those_of_monai():
    reason = "needs MONAI (extra train)"
    metrics = pytest.importorskip("monai.metrics", reason=reason)
    torch = pytest.importorskip("torch")
    for a, b in pairs(6):
        one, two = (torch.from_numpy(m.astype(np.float32))[None, None] for m in (a, b))
        assert outlines.dice(a, b) == pytest.approx(float(metrics.compute_dice(one, two)))

    rng = np.random.default_rng(9)
    found = [
        detection.Found(lesion(), float(hit), 0.0, tuple(map(float, false)), ())
        for hit, false in ((rng.random() * (rng.random() > 0.2), rng.random(n % 4))
                           for n in range(60))
    ]  # fmt: skip
    hits = np.array([one.score for one in found if one.score])
    false = np.concatenate([one.false for one in found])
    rate, sensitivity = metrics.compute_froc_curve_data(false, hits, len(found), len(found))
    _, own_rate, own_sensitivity = detection.curve(found)
    # MONAI adds the point where nothing is found.
    for at in detection.FROC_AT[:5]:
        theirs = np.max(sensitivity[rate <= at + 1e-9], initial=0)
        ours = np.max(own_sensitivity[own_rate <= at + 1e-9], initial=0)
        assert ours == pytest.approx(theirs)
        threshold = detection.threshold_at(found, at)
        share = np.mean([detection.found_at(one, threshold) for one in found])
        assert share == pytest.approx(theirs)


# ------------------------------------------------------------ the real data


@pytest.fixture(scope="module")
def real(shared_data) -> Folder:
    path = shared_data / "lidc-nodules"
    if not path.is_dir():
        pytest.skip(f"needs {path}, which is not here")
    return load_folder(path)


def test_readers_agree_as_the_data_say_they_do(real: Folder):
    """0.788 on 120 other patients; a reader left out of the folder predicts the same figure."""
    seen = seen_by(None)
    numbers = [
        n for n in report.choose(real, "validation", seen) if real.lesions[n].n_readers >= AGREED
    ]
    masks = (real.bits & 1).astype(bool)
    scores = np.ones(len(real.lesions))
    whole = [outlines.judge(real, Predictions(masks, scores, scores > 0), n) for n in numbers]
    readers = outlines.reader_figures(whole)["dice"]
    assert readers["mean"] == pytest.approx(0.788, abs=0.02)
    # The first reader as the model, the others as the readers.
    others = Folder(
        real.path,
        tuple(lesion_without(real, n) for n in range(len(real.lesions))),
        (real.bits & 0b11111110).astype(np.uint8),
    )
    apart = [outlines.judge(others, Predictions(masks, scores, scores > 0), n) for n in numbers]
    assert [one.dice for one in apart] == pytest.approx([one.readers[0] for one in whole])


def lesion_without(folder: Folder, number: int):
    from dataclasses import replace

    own = folder.lesions[number]
    first = bool((folder.bits[own.rows] & 1).any())
    return replace(own, n_readers=own.n_readers - first)


def test_the_training_means_are_those_of_the_training_patients(real: Folder):
    for name, stated in TRAINING_MEANS.items():
        means = [
            np.mean(getattr(one, name)) for one in real.lesions if split_of(one.patient) == "train"
        ]
        assert np.mean(means) == pytest.approx(stated, abs=1e-4)


def test_contours_of_the_whole_scan_have_the_extents_that_readers_gave(shared_data, lidc_study):
    import json

    from viewer.study.order import order
    from viewer.study.read import read
    from viewer.study.scan import scan as find

    file = shared_data / "studies" / "LIDC-IDRI-0001.truth.json"
    volume = read(order(find([lidc_study]).series[0]))
    ((*annotations,),) = load_truth(file).nodules
    stated = json.loads(file.read_text())["nodules"][0]["annotations"]
    pixel, gap = volume.spacing_kji_mm[1], volume.spacing_kji_mm[0]
    for annotation, row in zip(annotations, stated, strict=True):
        mask = scan.Mask.from_array(rasterise(annotation, volume))
        x, y, z = scan.extent_mm(mask, volume.affine)
        # Stated from centre to centre of the first pixels outside: at least a pixel more in
        # plane (a spike of the line encloses nothing), a slice less along z.
        for own, given in ((x, row["extent_mm"][0]), (y, row["extent_mm"][1])):
            assert given - 3.05 * pixel <= own <= given - 0.95 * pixel
        assert z == pytest.approx(row["extent_mm"][2] + gap)
        middle = np.add(mask.origin_kji, (np.array(mask.voxels.shape) - 1) / 2)
        place = volume.affine[:3, :3] @ middle + volume.affine[:3, 3]
        assert place == pytest.approx(row["centre_lps_mm"], abs=1.1 * pixel)
