"""NIfTI, NRRD and MetaImage against nibabel and SimpleITK: places and values, all axis orders."""

from __future__ import annotations

import bz2
import gzip
import itertools
import json
import zlib
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from inference.volume import Volume
from resources.problem import Problem
from viewer.study.order import StackPlan, volumes
from viewer.study.read import read
from viewer.study.scan import scan

PLACE_MM = 0.05
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
AXIS_CODES = [
    "".join(code)
    for order in itertools.permutations(("LR", "PA", "IS"))
    for code in itertools.product(*order)
]


def plans(path: Path) -> tuple[StackPlan, ...]:
    found = scan(path)
    assert found.skipped == ()
    (series,) = found.series
    assert series.modality == "OT"
    return volumes(series)


def volume(path: Path) -> Volume:
    (plan,) = plans(path)
    assert plan.regular, plan.problems
    found = read(plan)
    assert found.regular
    assert found.unit == ""
    return found


def voxels(dtype: str, shape: tuple[int, ...] = (5, 6, 7)) -> npt.NDArray[Any]:
    rng = np.random.default_rng(4)
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 1000, shape).astype(dtype)
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**24)), min(info.max, 2**24)
    return rng.integers(low, high, shape, dtype=np.int64).astype(dtype)


def assert_same(found: Volume, values: npt.NDArray[Any], affine_lps: npt.NDArray[Any]) -> None:
    """Hold all voxels against ``values`` (i, j, k) placed by ``affine_lps``."""
    size = np.array(values.shape)
    corners = np.array(list(itertools.product(*[(0, n - 1) for n in size])))
    middle = np.array([size // 2, size // 3])
    for index in np.concatenate([corners, middle]):
        world = affine_lps @ [*index, 1]
        kji = lps_mm_to_kji(found.affine, world[:3])
        nearest = np.rint(kji).astype(int)
        there = kji_to_lps_mm(found.affine, nearest)
        assert np.linalg.norm(there - world[:3]) <= PLACE_MM
        assert found.voxels[tuple(nearest)] == pytest.approx(values[tuple(index)], rel=1e-6)
    straight = np.transpose(values, (2, 1, 0))
    assert any(
        np.allclose(found.voxels, turned, rtol=1e-6) for turned in (straight, straight[::-1])
    )


def oblique(code: str) -> npt.NDArray[np.float64]:
    """Return an affine in RAS near the axes of ``code``, turned a little, spacing 0.7, 1.1, 2.5."""
    start = nibabel.orientations.inv_ornt_aff(
        nibabel.orientations.axcodes2ornt(tuple(code)), (5, 6, 7)
    )
    turn = nibabel.eulerangles.euler2mat(0.1, -0.2, 0.05)
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.linalg.inv(start)[:3, :3] @ np.diag([0.7, 1.1, 2.5])
    affine[:3, 3] = (-31.5, 12.25, 140.0)
    return affine


def save_nifti(path: Path, data: npt.NDArray[Any], affine: Any, **header: Any) -> Path:
    kind = header.pop("kind", nibabel.Nifti1Image)
    image = kind(data, affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm")
    for key, value in header.items():
        image.header[key] = value
    nibabel.save(image, path)
    return path


def without_codes(path: Path) -> Path:
    """Take the codes of qform and sform out of an uncompressed file: nibabel puts them in."""
    raw = bytearray(path.read_bytes())
    raw[252:256] = bytes(4)
    path.write_bytes(raw)
    return path


# ------------------------------------------------------------------------------- NIfTI


@pytest.mark.parametrize("code", AXIS_CODES)
def test_nifti_in_all_axis_codes(tmp_path: Path, code: str) -> None:
    affine = oblique(code)
    path = save_nifti(tmp_path / "x.nii.gz", voxels("int16"), affine)
    image: Any = nibabel.load(path)
    assert "".join(nibabel.aff2axcodes(image.affine)) == code
    found = volume(path)
    assert_same(found, np.asarray(image.dataobj), LPS @ image.affine)
    other = sitk.ReadImage(str(path))
    for index in ((0, 0, 0), (4, 5, 6), (4, 0, 3), (1, 5, 2), (2, 3, 6)):
        world = np.array(other.TransformIndexToPhysicalPoint(index))
        kji = np.rint(lps_mm_to_kji(found.affine, world)).astype(int)
        assert np.linalg.norm(kji_to_lps_mm(found.affine, kji) - world) <= PLACE_MM
        assert found.voxels[tuple(kji)] == other[index]


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nifti_in_all_types_and_byte_orders(
    tmp_path: Path, dtype: str, order: str, kind: Any
) -> None:
    data = voxels(dtype)
    header = kind.header_class(endianness=order)
    header.set_data_dtype(data.dtype)
    header.set_xyzt_units("mm")
    path = tmp_path / "x.nii"
    nibabel.save(kind(data, oblique("RAS"), header), path)
    assert_same(volume(path), np.asarray(nibabel.load(path).dataobj), LPS @ oblique("RAS"))  # type: ignore[attr-defined]


def test_nifti_scale_is_applied(tmp_path: Path) -> None:
    data = voxels("int16")
    image = nibabel.Nifti1Image(data, oblique("LPS"))
    image.header.set_slope_inter(0.5, -7)
    nibabel.save(image, tmp_path / "x.nii")
    raw = bytearray((tmp_path / "x.nii").read_bytes())
    # nibabel scales on writing: put the stored values back.
    raw[112:120] = np.array([0.5, -7], "<f4").tobytes()
    raw[352:] = data.tobytes(order="F")
    (tmp_path / "x.nii").write_bytes(raw)
    found = volume(tmp_path / "x.nii")
    assert_same(found, nibabel.load(tmp_path / "x.nii").get_fdata(), LPS @ oblique("LPS"))  # type: ignore[attr-defined]


def test_nifti_4d_gives_a_volume_for_each_time(tmp_path: Path) -> None:
    data = voxels("int16", (5, 6, 7, 3))
    found = plans(save_nifti(tmp_path / "x.nii.gz", data, oblique("RAS")))
    assert len(found) == 3
    for plan, values in zip(found, np.moveaxis(data, 3, 0), strict=True):
        assert plan.regular
        assert_same(read(plan), values, LPS @ oblique("RAS"))


def test_nifti_4d_without_a_place_gives_a_volume_for_each_time(tmp_path: Path) -> None:
    data = voxels("int16", (5, 6, 7, 3))
    found = plans(without_codes(save_nifti(tmp_path / "x.nii", data, np.eye(4))))
    assert [plan.shape_kji for plan in found] == [(7, 6, 5)] * 3
    for plan, values in zip(found, np.moveaxis(data, 3, 0), strict=True):
        assert np.array_equal(read(plan).voxels, values.T)
        assert not read(plan).placed


def test_nifti_without_a_code_is_not_placed_but_has_its_spacing(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "x.nii", voxels("int16"), np.diag([2, 3, 4, 1.0]))
    (plan,) = plans(without_codes(path))
    assert not plan.regular
    found = read(plan)
    assert not found.placed
    assert found.in_mm
    assert plan.planes[0].plane.spacing_mm == (3.0, 2.0)
    assert plan.planes[0].plane.spacing_source == "pixdim"


def test_nifti_units_are_turned_into_mm(tmp_path: Path) -> None:
    for unit, scale in ((1, 1000.0), (2, 1.0), (3, 0.001)):
        affine = np.diag([0.7 / scale, 0.7 / scale, 2 / scale, 1])
        path = save_nifti(tmp_path / f"{unit}.nii", voxels("int16"), affine, xyzt_units=unit)
        assert volume(path).spacing_kji_mm == pytest.approx((2.0, 0.7, 0.7), rel=1e-5)


def test_nifti_whose_places_disagree_says_so(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(voxels("int16"), np.eye(4))
    image.set_sform(np.diag([1, 1, 1, 1.0]), 1)
    shifted = np.eye(4)
    shifted[0, 3] = 5
    image.set_qform(shifted, 1)
    nibabel.save(image, tmp_path / "x.nii")
    (plan,) = plans(tmp_path / "x.nii")
    assert plan.regular
    assert [(p.kind, "5.0 mm" in p.text) for p in plan.problems] == [("sform-qform", True)]
    assert_same(read(plan), voxels("int16"), LPS)


def test_nifti_sheared_along_the_slices_is_shown_in_its_true_places(tmp_path: Path) -> None:
    affine = np.array([[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    (plan,) = plans(save_nifti(tmp_path / "x.nii", voxels("int16"), affine, qform_code=0))
    assert not plan.regular
    assert plan.irregularity is not None
    assert [p.kind for p in plan.problems] == ["gantry-tilt"]
    found = read(plan)
    assert found.places is not None
    # Slice 6, row 5, column 4 of the file.
    world = (LPS @ affine @ [4, 5, 6, 1])[:3]
    ends = [place @ [0, 5, 4, 1] for place in found.places]
    k = int(np.argmin([np.linalg.norm(end[:3] - world) for end in ends]))
    assert np.linalg.norm(ends[k][:3] - world) < PLACE_MM
    assert found.voxels[k, 5, 4] == voxels("int16")[4, 5, 6]


def test_nifti_sheared_in_the_plane_is_not_placed_and_says_why(tmp_path: Path) -> None:
    affine = np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    (plan,) = plans(save_nifti(tmp_path / "x.nii", voxels("int16"), affine, qform_code=0))
    assert not plan.regular
    assert "sheared" in [p.kind for p in plan.problems]
    found = read(plan)
    assert not found.placed
    assert not found.in_mm


def test_nifti_colours(tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (5, 6, 7, 3), np.uint8)
    data = rgb.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    nibabel.save(nibabel.Nifti1Image(data, oblique("LPS")), tmp_path / "x.nii")
    (plan,) = plans(tmp_path / "x.nii")
    found = read(plan)
    assert found.colours is not None
    wanted = np.transpose(rgb, (2, 1, 0, 3))
    assert np.array_equal(found.colours, wanted) or np.array_equal(found.colours, wanted[::-1])


def test_what_is_no_number_is_shown_as_0(tmp_path: Path) -> None:
    data = voxels("float32")
    data[0, 0, 0], data[1, 0, 0], data[2, 0, 0] = np.nan, np.inf, -np.inf
    found = volume(save_nifti(tmp_path / "x.nii", data, np.diag([-1, -1, 1, 1.0])))
    assert np.isfinite(found.voxels).all()
    assert found.voxels[0, 0, 0] == 0


def test_nifti_pair_in_one_folder(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(voxels("int16"), oblique("RAS")), tmp_path / "x.img")
    found = scan(tmp_path)
    assert found.skipped == ()
    (series,) = found.series
    (plan,) = volumes(series)
    assert_same(read(plan), voxels("int16"), LPS @ oblique("RAS"))


def test_reference_nifti_of_the_corpus(corpus: Path) -> None:
    files = sorted(path for path in corpus.rglob("*.nii*") if path.is_file())
    assert len(files) >= 7
    for path in files:
        image: Any = nibabel.load(path)
        values = image.get_fdata()
        values = values.reshape((*values.shape[:3], -1))
        found = plans(path)
        assert len(found) == values.shape[3]
        for number, plan in enumerate(found):
            assert_same(read(plan), values[..., number], LPS @ image.affine)


# --------------------------------------------------------------- NRRD and MetaImage


def itk_image(dtype: str, code: str = "RAS", shape: tuple[int, ...] = (5, 6, 7)) -> sitk.Image:
    affine = LPS @ oblique(code)
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels(dtype, shape).T))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


@pytest.mark.parametrize("end", [".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("code", ["RAS", "LPS", "PIR", "SAL", "ILP"])
def test_what_simpleitk_writes_is_read_as_it_reads_it(
    tmp_path: Path, end: str, compressed: bool, code: str
) -> None:
    path = tmp_path / f"x{end}"
    sitk.WriteImage(itk_image("int16", code), str(path), useCompression=compressed)
    image = sitk.ReadImage(str(path))
    found = scan(tmp_path)  # the folder: a second file with the voxels is not told
    assert found.skipped == ()
    ((plan,),) = (volumes(series) for series in found.series)
    assert plan.regular
    affine = np.eye(4)
    direction = np.reshape(image.GetDirection(), (3, 3))
    affine[:3, :3] = direction * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    assert_same(read(plan), sitk.GetArrayFromImage(image).T, affine)


@pytest.mark.parametrize("end", [".nrrd", ".mha"])
@pytest.mark.parametrize(
    "dtype",
    ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"],
)
def test_all_types_of_simpleitk(tmp_path: Path, end: str, dtype: str) -> None:
    path = tmp_path / f"x{end}"
    sitk.WriteImage(itk_image(dtype), str(path), useCompression=True)
    assert_same(volume(path), voxels(dtype), LPS @ oblique("RAS"))


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
    ],
)
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
@pytest.mark.parametrize("endian", ["little", "big"])
def test_nrrd_of_every_space_and_encoding(
    tmp_path: Path, space: str, signs: tuple[int, int, int], encoding: str, endian: str
) -> None:
    affine = oblique("RAS")
    header = {
        "space": space,
        "space directions": affine[:3, :3].T,
        "space origin": affine[:3, 3],
        "encoding": encoding,
        "endian": endian,
        "kinds": ["domain"] * 3,
    }
    data = voxels("int16").astype(">i2" if endian == "big" else "<i2")
    path = tmp_path / "x.nrrd"
    nrrd.write(str(path), data, header)
    assert_same(volume(path), voxels("int16"), np.diag([*signs, 1]) @ affine)
    if space != "RAS" and encoding != "bzip2":  # SimpleITK knows neither
        other = sitk.ReadImage(str(path))
        world = other.TransformIndexToPhysicalPoint((1, 2, 3))
        assert np.allclose(world, (np.diag([*signs, 1]) @ affine @ [1, 2, 3, 1])[:3], atol=1e-4)


@pytest.mark.parametrize("fastest", [True, False])
def test_nrrd_of_several_volumes(tmp_path: Path, fastest: bool) -> None:
    data = voxels("int16", (3, 5, 6, 7))
    directions = np.vstack([np.full(3, np.nan), oblique("LPS")[:3, :3].T])
    if not fastest:
        data, directions = np.moveaxis(data, 0, 3), np.roll(directions, -1, axis=0)
    kinds = ["list", "domain", "domain", "domain"]
    header = {
        "space": "left-posterior-superior",
        "space directions": directions,
        "space origin": [0, 0, 0],
        "kinds": kinds if fastest else kinds[1:] + kinds[:1],
    }
    nrrd.write(str(tmp_path / "x.nrrd"), data, header)
    found = plans(tmp_path / "x.nrrd")
    assert len(found) == 3
    affine = np.eye(4)
    affine[:3, :3] = oblique("LPS")[:3, :3]
    for number, plan in enumerate(found):
        wanted = data[number] if fastest else data[..., number]
        assert_same(read(plan), wanted, affine)


def test_metaimage_of_several_volumes_and_of_colours(tmp_path: Path) -> None:
    parts = [itk_image("int16") for _ in range(3)]
    sitk.WriteImage(sitk.JoinSeries([part + n for n, part in enumerate(parts)]), tmp_path / "4.mha")
    found = plans(tmp_path / "4.mha")
    assert len(found) == 3
    for number, plan in enumerate(found):
        assert_same(read(plan), voxels("int16") + number, LPS @ oblique("RAS"))
    rgb = np.random.default_rng(1).integers(0, 255, (7, 6, 5, 3), np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(rgb, isVector=True), tmp_path / "c.mha")
    colours = read(plans(tmp_path / "c.mha")[0]).colours
    assert colours is not None
    assert np.array_equal(colours, rgb)


def test_nrrd_without_a_patient_space_is_not_placed(tmp_path: Path) -> None:
    header = {"space": "scanner-xyz", "space directions": np.eye(3), "space origin": [0, 0, 0]}
    nrrd.write(str(tmp_path / "x.nrrd"), voxels("int16"), header)
    nrrd.write(str(tmp_path / "y.nrrd"), voxels("int16"), {"spacings": [2.0, 3.0, 4.0]})
    nrrd.write(str(tmp_path / "z.nrrd"), voxels("int16"), {})
    for name, spacing in (("x", (1.0, 1.0)), ("y", (3.0, 2.0)), ("z", None)):
        (plan,) = plans(tmp_path / f"{name}.nrrd")
        assert plan.planes[0].plane.spacing_mm == spacing
        found = read(plan)
        assert not found.placed
        assert found.in_mm == (spacing is not None)
        assert np.array_equal(found.voxels, voxels("int16").T)


def test_nrrd_of_the_corpus(corpus: Path) -> None:
    files = sorted(corpus.rglob("*.nrrd"))
    assert len(files) == 5
    for path in files:
        image = sitk.ReadImage(str(path))
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
        affine[:3, 3] = image.GetOrigin()
        assert_same(volume(path), sitk.GetArrayFromImage(image).T, affine)


# ------------------------------------------------------------------- what may be wrong


def reason(path: Path) -> str:
    found = scan(path)
    assert not found.series
    (skipped,) = found.skipped
    return skipped.reason


def test_voxels_in_another_folder_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    sitk.WriteImage(itk_image("int16"), str(folder / "x.mhd"))
    sitk.WriteImage(itk_image("int16"), str(folder / "y.nhdr"))
    (tmp_path / "out.raw").write_bytes((folder / "x.raw").read_bytes())
    for name, own in (("x.mhd", "x.raw"), ("y.nhdr", "y.raw")):
        text = (folder / name).read_text()
        for other in ("../out.raw", str(tmp_path / "out.raw"), "a/b.raw", "..\\out.raw"):
            (folder / name).write_text(text.replace(own, other))
            assert "only its own" in reason(folder / name)
        (folder / name).write_text(text.replace(own, "missing.raw"))
        assert "is not there" in reason(folder / name)
        (folder / "link.raw").unlink(missing_ok=True)
        (folder / "link.raw").symlink_to(tmp_path / "out.raw")
        (folder / name).write_text(text.replace(own, "link.raw"))
        assert "is not there" in reason(folder / name)


def test_files_cut_short_are_told_before_a_byte_is_set_aside(tmp_path: Path) -> None:
    save_nifti(tmp_path / "a.nii", voxels("int16"), np.eye(4))
    sitk.WriteImage(itk_image("int16"), str(tmp_path / "b.nrrd"), useCompression=False)
    sitk.WriteImage(itk_image("int16"), str(tmp_path / "c.mha"), useCompression=False)
    for path in sorted(tmp_path.iterdir()):
        path.write_bytes(path.read_bytes()[:-1])
        assert reason(path) == "The file is cut short."


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", voxels("int16"), np.eye(4))
    raw = bytearray(path.read_bytes())
    for sizes in ((3, 32767, 32767, 32767), (3, 8000, 8000, 300), (7, 99, 99, 99, 99, 99, 99, 99)):
        raw[40 : 40 + 2 * len(sizes)] = np.array(sizes, "<i2").tobytes()
        path.write_bytes(raw)
        assert reason(path)
        path.write_bytes(gzip.compress(bytes(raw)))
        assert reason(path)


@pytest.mark.parametrize("end", [".nii.gz", ".nrrd", ".mha"])
def test_a_damaged_stream_costs_its_file_a_sentence(tmp_path: Path, end: str) -> None:
    data = np.random.default_rng(0).integers(-999, 999, (64, 64, 30)).astype(np.int16)
    image = sitk.GetImageFromArray(data)
    path = tmp_path / f"x{end}"
    sitk.WriteImage(image, str(path), useCompression=True)
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(raw)
    ((plan,),) = (volumes(series) for series in scan(path).series)
    with pytest.raises(Problem, match=r"x.* is (damaged|cut short)"):
        read(plan)


def test_any_byte_of_a_header_may_be_wrong(tmp_path: Path) -> None:
    """Every header with one byte changed is either read or refused, never an error of ours."""
    save_nifti(tmp_path / "a.nii", voxels("uint8"), oblique("RAS"))
    sitk.WriteImage(itk_image("uint8"), str(tmp_path / "b.nrrd"), useCompression=False)
    sitk.WriteImage(itk_image("uint8"), str(tmp_path / "c.mha"), useCompression=False)
    rng = np.random.default_rng(7)
    for path in sorted(tmp_path.iterdir()):
        raw = path.read_bytes()
        for at in range(348 if path.suffix == ".nii" else len(raw) - 210):
            changed = bytearray(raw)
            changed[at] = rng.integers(256)
            path.write_bytes(changed)
            for series in scan(path).series:
                for plan in volumes(series):
                    assert plan.shape_kji[0] > 0


def test_identity_is_of_the_content(tmp_path: Path) -> None:
    first = save_nifti(tmp_path / "a.nii", voxels("int16"), np.eye(4))
    (tmp_path / "b.nii").write_bytes(first.read_bytes())
    changed = bytearray(first.read_bytes())
    changed[-1] ^= 1
    (tmp_path / "c.nii").write_bytes(changed)
    found = scan(tmp_path)
    assert len(found.series) == 2
    assert [s.reason for s in found.skipped] == ["This is a copy of a.nii."]
    assert json.dumps([s.description for s in found.series]) in (
        '["a.nii", "c.nii"]',
        '["c.nii", "a.nii"]',
    )


def test_compressions_by_hand(tmp_path: Path) -> None:
    """Readers that write other than the common libraries do: header size, detached and packed."""
    data = voxels("int16").tobytes(order="F")
    head = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 6 7\nendian: little\n"
    (tmp_path / "a.nhdr").write_text(f"{head}encoding: bz2\ndata file: a.bz2\nbyte skip: 4\n\n")
    (tmp_path / "a.bz2").write_bytes(bz2.compress(b"skip" + data))
    (tmp_path / "b.nhdr").write_text(f"{head}encoding: raw\ndata file: ./b.raw\nbyte skip: -1\n\n")
    (tmp_path / "b.raw").write_bytes(b"whatever" + data)
    meta = "ObjectType = Image\nNDims = 3\nDimSize = 5 6 7\nElementType = MET_SHORT\n"
    (tmp_path / "c.mhd").write_text(f"{meta}HeaderSize = -1\nElementDataFile = b.raw\n")
    (tmp_path / "d.mhd").write_text(f"{meta}CompressedData = True\nElementDataFile = d.zraw\n")
    (tmp_path / "d.zraw").write_bytes(zlib.compress(data))
    found = scan(tmp_path)
    assert found.skipped == ()
    assert len(found.series) == 4
    for series in found.series:
        (plan,) = volumes(series)
        assert np.array_equal(read(plan).voxels, voxels("int16").T)
