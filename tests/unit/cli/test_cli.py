"""The commands: what they print, where, and how they end."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from inference import registry
from viewer import cli
from viewer.export import nifti
from viewer.study.inspect import inspect

ROOT = Path(cli.__file__).resolve().parents[2]


def run(capsys, *arguments):
    code = cli.main([str(a) for a in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def refused(capsys, *arguments) -> str:
    """Run what must fail: exit code 2, one line on stderr, nothing on stdout."""
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in err
    return err.strip()


# ------------------------------------------------------------------- inspect


def test_inspect_prints_the_contract(phantom_study, capsys):
    code, out, err = run(capsys, "inspect", phantom_study, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document == json.loads(json.dumps(inspect([phantom_study])))
    (series,) = document["series"]
    assert series["size_ijk"] == [36, 40, 10]
    assert series["spacing_mm"] == pytest.approx([9.0, 8.4, 25.0])
    assert series["regular"] is True


def test_inspect_prints_a_table(phantom_study, capsys):
    code, out, err = run(capsys, "inspect", phantom_study)
    assert (code, err) == (0, "")
    assert "Synthetic" in out
    assert "10" in out


def test_inspect_names_what_it_skipped(phantom_study, tmp_path, capsys):
    folder = tmp_path / "study"
    shutil.copytree(phantom_study, folder)
    victim = sorted(folder.iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:200])
    code, _, err = run(capsys, "inspect", folder)
    assert code == 0
    assert victim.name in err


def test_a_header_cannot_steer_the_terminal(phantom_study, tmp_path, capsys):
    for path in phantom_study.iterdir():
        ds = pydicom.dcmread(path)
        ds.SeriesDescription = "a\x1b[31m[bold]b\x07"
        ds.save_as(tmp_path / path.name)
    code, out, _ = run(capsys, "inspect", tmp_path)
    assert code == 0
    assert "\x1b[31m" not in out
    assert "\x07" not in out
    assert "[bold]b" in out.replace("\n", "")


def test_letters_that_the_terminal_has_not_are_no_failure(phantom_study, tmp_path):
    for path in phantom_study.iterdir():
        ds = pydicom.dcmread(path)
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.SeriesDescription = "胸部"
        ds.save_as(tmp_path / path.name)
    code = "import sys; from viewer import cli; sys.exit(cli.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"40" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_a_file_name_in_a_refusal_cannot_steer_the_terminal(tmp_path, capsys):
    said = refused(capsys, "inspect", tmp_path / "a\x1b[31mb\x07")
    assert "\x1b" not in said and "\x07" not in said


@pytest.mark.parametrize("command", [("inspect",), ("analyze", "--out", "unused")])
def test_a_path_that_is_not_there_is_a_sentence(command, tmp_path, capsys):
    assert "nowhere" in refused(capsys, command[0], tmp_path / "nowhere", *command[1:])


def test_a_folder_without_images_is_a_sentence(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no image")
    assert "No images" in refused(capsys, "inspect", tmp_path)
    out = tmp_path / "out"
    assert "No images" in refused(capsys, "analyze", tmp_path, "--out", out)
    assert not out.exists()


# -------------------------------------------------------------------- models


def test_models_prints_json(capsys):
    code, out, err = run(capsys, "models", "--json")
    assert (code, err) == (0, "")
    listed = json.loads(out)["models"]
    assert [model["id"] for model in listed] == [pack.id for pack in registry.available()]
    assert all(model["whole"] for model in listed)


def test_models_tells_of_a_damaged_file(tmp_path, monkeypatch, capsys):
    _damage_model(tmp_path, monkeypatch)
    code, out, _ = run(capsys, "models", "--json")
    assert code == 0
    (model,) = json.loads(out)["models"]
    assert not model["whole"]
    assert "changed or damaged" in model["problem"]
    code, out, _ = run(capsys, "models")
    assert "whole" not in out


def _damage_model(tmp_path, monkeypatch):
    bundled = registry.available()
    if not bundled:
        pytest.skip("no model pack is bundled")
    folder = tmp_path / "pack"
    shutil.copytree(bundled[0].folder, folder)
    weights = folder / bundled[0].weights.file
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    pack = replace(bundled[0], folder=folder)
    monkeypatch.setattr(registry, "bundled", lambda: (pack,))


# ------------------------------------------------------------------- analyze


def test_analyze_writes_an_export_and_prints_json(phantom_study, pack, worker, tmp_path, capsys):
    worker("find")
    out = tmp_path / "out"
    code, printed, err = run(capsys, "analyze", phantom_study, "--out", out, "--json")
    assert (code, err) == (0, "")
    document = json.loads(printed)
    assert document.pop("folder") == str(out)
    assert document == json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert document["model"] == {"id": "lung-nodule-ct", "version": "9.9.9", "sha256": "cd" * 32}
    assert [d["id"] for d in document["detections"]] == ["d1"]
    assert document["review"] == "AI, not reviewed"
    assert {"scan", "read", "detect"} <= set(document["seconds"])
    for name in ("seg.dcm", "image.nii.gz", "labels.nii.gz", "heatmap.nii.gz", "manifest.json"):
        assert (out / name).is_file()


def test_analyze_prints_a_table(phantom_study, pack, worker, tmp_path, capsys):
    worker("find")
    out = tmp_path / "out"
    code, printed, err = run(capsys, "analyze", phantom_study, "--out", out)
    assert (code, err) == (0, "")
    assert "Nodule 1" in printed
    assert "0.80" in printed
    assert "not reviewed" in printed
    assert "Not for diagnosis" in printed


def test_analyze_again_renews_the_export(phantom_study, pack, worker, tmp_path, capsys):
    worker("find")
    out = tmp_path / "out"
    for _ in range(2):
        assert run(capsys, "analyze", phantom_study, "--out", out)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "worker-started"]


def _other_series(study: Path, folder: Path, modality: str, keep: int | None = None) -> None:
    """Copy a study as another series of another modality, with its first ``keep`` slices."""
    folder.mkdir()
    headers = [pydicom.dcmread(path) for path in study.iterdir()]
    headers.sort(key=lambda ds: int(ds.InstanceNumber))
    for number, ds in enumerate(headers[:keep]):
        ds.Modality = modality
        ds.SeriesInstanceUID = f"1.2.3.{sum(modality.encode())}.{keep or 0}"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = (
            f"{ds.SeriesInstanceUID}.{number}"
        )
        ds.SeriesNumber = 7
        ds.save_as(folder / f"{number}.dcm")


def test_analyze_takes_the_largest_series_that_the_model_reads(
    phantom_study, pack, worker, tmp_path, capsys
):
    worker("find")
    study = tmp_path / "study"
    shutil.copytree(phantom_study, study)
    _other_series(phantom_study, study / "mr", "MR")
    _other_series(phantom_study, study / "part", "CT", keep=5)
    code, printed, err = run(capsys, "analyze", study, "--out", tmp_path / "out", "--json")
    assert code == 0
    expected = pydicom.dcmread(next(phantom_study.iterdir())).SeriesInstanceUID
    assert json.loads(printed)["series_uid"] == expected
    assert "of 3" in err
    assert "36 x 40 x 10" in err


def test_another_modality_is_refused_before_the_model_starts(
    phantom_study, pack, worker, tmp_path, capsys
):
    marker = worker("find")
    _other_series(phantom_study, tmp_path / "mr", "MR")
    said = refused(capsys, "analyze", tmp_path / "mr", "--out", tmp_path / "out")
    assert "reads CT; this series is MR" in said
    assert not marker.exists()
    assert not (tmp_path / "out").exists()


def test_a_series_outside_the_limits_is_refused(
    phantom_study, pack, worker, tmp_path, monkeypatch, capsys
):
    worker("find")
    narrow = replace(pack, limits=replace(pack.limits, slices=(20, 3000)))
    monkeypatch.setattr(registry, "available", lambda: (narrow,))
    said = refused(capsys, "analyze", phantom_study, "--out", tmp_path / "out")
    assert "this series has 10" in said


def test_the_reason_of_the_largest_ct_is_the_one_that_is_told(
    phantom_study, pack, worker, tmp_path, monkeypatch, capsys
):
    worker("find")
    narrow = replace(pack, limits=replace(pack.limits, slices=(20, 3000)))
    monkeypatch.setattr(registry, "available", lambda: (narrow,))
    study = tmp_path / "study"
    _other_series(phantom_study, study, "MR")
    # A CT of fewer slices, as an overview is, and not of one volume.
    _other_series(phantom_study, study / "flat", "CT", keep=5)
    for path in (study / "flat").iterdir():
        ds = pydicom.dcmread(path)
        ds.ImagePositionPatient = [0, 0, 0]
        ds.save_as(path)
    _other_series(phantom_study, study / "part", "CT", keep=8)
    said = refused(capsys, "analyze", study, "--out", tmp_path / "out")
    assert "this series has 8" in said


def test_a_real_mr_is_refused(brain_study, tmp_path, capsys):
    said = refused(capsys, "analyze", brain_study, "--out", tmp_path / "out")
    assert "CT" in said
    assert "MR" in said


def test_a_damaged_model_is_refused(phantom_study, worker, tmp_path, monkeypatch, capsys):
    marker = worker("find")
    _damage_model(tmp_path, monkeypatch)
    said = refused(capsys, "analyze", phantom_study, "--out", tmp_path / "out")
    assert "changed or damaged" in said
    assert not marker.exists()
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_is_refused_with_the_names(phantom_study, pack, tmp_path, capsys):
    said = refused(
        capsys, "analyze", phantom_study, "--out", tmp_path / "out", "--model", "no-such"
    )
    assert "no-such" in said
    assert pack.id in said


def test_a_device_that_is_not_there_is_a_sentence(phantom_study, pack, worker, tmp_path, capsys):
    worker("device")
    arguments = ("analyze", phantom_study, "--out", tmp_path / "out", "--device", "cuda")
    assert "no device" in refused(capsys, *arguments)
    assert not (tmp_path / "out").exists()


def test_a_cut_file_is_a_sentence(phantom_study, pack, worker, tmp_path, capsys):
    marker = worker("find")
    study = tmp_path / "study"
    shutil.copytree(phantom_study, study)
    victim = sorted(study.iterdir())[4]
    victim.write_bytes(victim.read_bytes()[:-50])
    refused(capsys, "analyze", study, "--out", tmp_path / "out")
    assert not marker.exists()
    assert not (tmp_path / "out").exists()


def test_a_full_disk_names_the_megabytes(
    phantom_study, pack, worker, tmp_path, monkeypatch, capsys
):
    worker("find")

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nifti, "write", full)
    said = refused(capsys, "analyze", phantom_study, "--out", tmp_path / "out")
    assert " MB " in said
    assert [p.name for p in tmp_path.iterdir()] == ["worker-started"]


def test_a_taken_folder_is_refused_before_the_model_starts(
    phantom_study, pack, worker, tmp_path, capsys
):
    marker = worker("find")
    out = tmp_path / "out"
    out.mkdir()
    (out / "findings.json").write_text("mine")
    refused(capsys, "analyze", phantom_study, "--out", out)
    assert not marker.exists()
    assert (out / "findings.json").read_text() == "mine"


# ---------------------------------------------------------------------- ends


def test_wrong_arguments_are_one_line(capsys):
    for arguments in (
        (),
        ("analyze",),
        ("inspect",),
        ("analyze", "x", "--out", "y", "--device", "tpu"),
    ):
        said = refused(capsys, *arguments)
        assert "--help" in said


def test_help_is_no_failure(capsys):
    for command in cli.COMMANDS:
        code, out, _ = run(capsys, command, "--help")
        assert code == 0
        assert out.startswith(f"usage: overread {command}")


def test_a_defect_is_a_sentence_and_a_log_without_the_message(
    phantom_study, monkeypatch, private_home, capsys
):
    def broken(*_args, **_more):
        raise RuntimeError("Doe^Jane")

    from viewer.cli import listing

    monkeypatch.setattr(listing, "inspect_command", broken)
    said = refused(capsys, "inspect", phantom_study)
    assert "Doe" not in said
    log = (private_home / "log" / "overread.log").read_text(encoding="utf-8")
    assert "RuntimeError" in log
    assert "Doe" not in log


def test_the_commands_load_neither_torch_nor_qt():
    code = (
        "import sys\n"
        "from viewer import cli\n"
        "from viewer.cli import analyze, listing\n"
        "assert cli.main(['models', '--json']) == 0\n"
        "import viewer.export.bundle\n"
        "bad = {'torch', 'PySide6', 'monai'} & set(sys.modules)\n"
        "raise SystemExit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_window_does_not_pay_for_the_commands():
    code = (
        "import sys\n"
        "from viewer import cli\n"
        "bad = {'pydicom', 'highdicom', 'rich', 'scipy'} & set(sys.modules)\n"
        "raise SystemExit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal to one process")
def test_ctrl_c_ends_the_model_process(phantom_study, pack, tmp_path):
    marker, out = tmp_path / "started", tmp_path / "out"
    worker = Path(__file__).with_name("fake_worker.py")
    code = (
        # A shell starts what it puts into the background with Ctrl+C ignored.
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from dataclasses import replace\n"
        "from inference import registry\n"
        "from inference.client import ModelProcess\n"
        "from inference.manifest import Limits\n"
        "from viewer import cli\n"
        "from viewer.cli import running\n"
        "pack = replace(registry.available()[0],"
        " limits=Limits((0.1, 100.0), (0.1, 10.0), (1, 1000), (1.0, 10000.0)))\n"
        "registry.available = lambda: (pack,)\n"
        f"command = [sys.executable, {str(worker)!r}, 'sleep', {str(marker)!r}]\n"
        "running.model_process = lambda: ModelProcess(command)\n"
        f"sys.exit(cli.main(['analyze', {str(phantom_study)!r}, '--out', {str(out)!r}]))\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + 120
        while not (marker.exists() and marker.read_text()):
            assert program.poll() is None, program.communicate()
            assert time.monotonic() < end, "the model process never began"
            time.sleep(0.02)
        child = int(marker.read_text())
        program.send_signal(signal.SIGINT)
        printed, err = program.communicate(timeout=60)
    finally:
        program.kill()
        program.wait()
    assert program.returncode == 130
    assert (printed, err.strip()) == ("", "Stopped.")
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert not out.exists()


def test_a_closed_pipe_is_quiet(phantom_study):
    call = f"cli.main(['inspect', {str(phantom_study)!r}])"
    code = f"import sys; from viewer import cli; sys.exit({call})"
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    err = program.stderr.read()
    program.stderr.close()
    program.wait()
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


def test_a_larger_series_that_cannot_be_read_gives_way(
    phantom_study, pack, worker, tmp_path, capsys
):
    worker("find")
    study = tmp_path / "study"
    _other_series(phantom_study, study, "CT", keep=8)
    # All slices at one place: no volume, and more slices than the other series has.
    (study / "flat").mkdir()
    for path in phantom_study.iterdir():
        ds = pydicom.dcmread(path)
        ds.ImagePositionPatient = [0, 0, 0]
        ds.save_as(study / "flat" / path.name)
    code, printed, _ = run(capsys, "analyze", study, "--out", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(printed)["series_uid"] == "1.2.3.151.8"


def test_analyze_tells_what_the_model_says_of_a_finding(
    phantom_study, pack, worker, tmp_path, monkeypatch, capsys
):
    worker("opinions")
    monkeypatch.setenv("COLUMNS", "80")
    arguments = ("analyze", phantom_study, "--out", tmp_path / "out")
    code, printed, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    first, second, row, *rest = printed.splitlines()
    assert first.split() == ["Size", "Volume", "Centre", "Malignancy", "of", "5,", "Outlines"]
    assert second.split() == ["Finding", "Score", "mm", "mL", "mm", "texture*", "agree"]
    assert row.startswith("Nodule 1")
    assert row.split()[-4:] == ["3.2,", "solid", "93", "%"]
    assert "* radiologists' impression in LIDC, not pathology" in rest
    _, printed, _ = run(capsys, *arguments, "--json")
    document = json.loads(printed)
    assert document["detections"][0]["uncertainty"] == 0.07
    assert document["detections"][0]["impression"]["texture_name"] == "solid"
    assert document["lesions"][0]["impression"] == document["detections"][0]["impression"]
    assert (tmp_path / "out" / "uncertainty.nii.gz").is_file()


def test_analyze_prints_no_columns_for_what_the_model_does_not_say(
    phantom_study, pack, worker, tmp_path, capsys
):
    worker("find")
    _, printed, _ = run(capsys, "analyze", phantom_study, "--out", tmp_path / "out")
    assert "Malignancy" not in printed and "agree" not in printed
    assert "pathology" not in printed
    assert not (tmp_path / "out" / "uncertainty.nii.gz").exists()
