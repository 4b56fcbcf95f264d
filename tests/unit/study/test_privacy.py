"""No name, path, UID or date of a patient in what may end in a log."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRBigEndian

from resources.problem import Problem
from tests.dicom_files import stored, write_stack
from viewer import folders
from viewer.study.case_key import case_key
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.scan import Skipped, scan

SECRETS = ("Canary", "CANARY-ID", "19010203", "20010203", "1.2.826.0.1.3680043", "secret-folder")


def clean(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_stack(
        tmp_path / "secret-folder", stored(3), SeriesDescription="Canary", SeriesDate="20010203"
    )
    return tmp_path / "secret-folder"


def test_no_repr_tells_who_it_is(folder: Path) -> None:
    found = scan(folder)
    (series,) = found.series
    plan = order(series)
    assert series.patient.name == "Canary^Patient"
    for value in (found, series, plan, plan.planes, series.instances, series.patient):
        clean(repr(value))
        clean(str(value))
    clean(repr(Skipped(folder / "Canary.dcm", "This is not a DICOM file.")))


def test_nothing_is_logged_or_warned_of_odd_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    # Big endian goes through pydicom, which quotes an unknown character set in a warning.
    folder = tmp_path / "secret-folder"
    write_stack(folder, stored(3), syntax=ExplicitVRBigEndian, SpecificCharacterSet="ISO_IR 100")
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"Canary 100"))
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = scan(folder)
        for series in found.series:
            read(order(series))
    assert [series.n_files for series in found.series] == [3]
    clean(caplog.text)
    clean("".join(str(each.message) for each in warned))
    out, err = capfd.readouterr()
    clean(out + err)


def test_the_detail_of_a_problem_tells_no_name(folder: Path) -> None:
    plan = order(scan(folder).series[0])
    for damage in (lambda p: p.write_bytes(p.read_bytes()[:-3]), Path.unlink):
        damage(next(p for p in sorted(folder.iterdir())))
        with pytest.raises(Problem) as caught:
            read(plan)
        clean(caught.value.detail)


def test_the_case_key_tells_nothing_and_stays(private_home: Path) -> None:
    uid = "1.2.826.0.1.3680043.8.498.1"
    key = case_key(uid)
    assert len(key) == 32
    assert int(key, 16) >= 0
    assert key == case_key(uid)
    assert key != case_key(uid + "1")
    assert len((private_home / "data" / "case-key-salt").read_bytes()) == 32


def test_volumes_of_one_series_have_keys_of_their_own(private_home: Path) -> None:
    uid = "1.2.826.0.1.3680043.8.498.1"
    alone = case_key(uid)
    salt = (private_home / "data" / "case-key-salt").read_bytes()
    # As before volumes had parts: work that was saved then is found.
    assert alone == hmac.new(salt, uid.encode(), hashlib.sha256).hexdigest()[:32]
    assert case_key(uid, "") == alone
    keys = {alone, case_key(uid, "axial-1;echo=1"), case_key(uid, "axial-1;echo=2")}
    assert len(keys) == 3
    assert case_key(uid, "axial-1;echo=1") in keys


def test_another_installation_has_other_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = case_key("1.2.3")
    monkeypatch.setenv("OVERREAD_HOME", str(tmp_path / "other"))
    assert case_key("1.2.3") != first


def test_a_salt_cut_short_is_made_anew(private_home: Path) -> None:
    folders.data_dir().joinpath("case-key-salt").write_bytes(b"short")
    assert len(case_key("1.2.3")) == 32
    assert len((private_home / "data" / "case-key-salt").read_bytes()) == 32


def test_programs_that_start_together_have_the_same_keys(private_home: Path) -> None:
    ask = "from viewer.study.case_key import case_key; print(case_key('1.2.3'))"
    root = str(Path(folders.__file__).parents[1])
    asked = [
        subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, cwd=root)
        for _ in range(4)
    ]
    keys = {process.communicate()[0] for process in asked}
    assert len(keys) == 1
    assert keys != {b""}
    assert [path.name for path in (private_home / "data").iterdir()] == ["case-key-salt"]


def test_folders_are_below_the_home_and_private(private_home: Path) -> None:
    for make in (folders.data_dir, folders.cache_dir, folders.log_dir):
        made = make()
        assert made.is_dir()
        assert made.parent == private_home
        if os.name == "posix":
            assert made.stat().st_mode & 0o077 == 0


def test_without_a_home_the_folders_of_the_system_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OVERREAD_HOME")
    if sys.platform != "linux":
        pytest.skip("only Linux lets a test move the folders of the system")
    for name, kind in (("DATA", "data"), ("CACHE", "cache"), ("STATE", "state")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / kind))
    assert folders.data_dir() == tmp_path / "data" / "Overread"
    assert folders.cache_dir() == tmp_path / "cache" / "Overread"
    assert folders.log_dir().is_relative_to(tmp_path / "state" / "Overread")
