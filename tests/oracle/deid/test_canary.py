"""A patient searched for in all that a run leaves: output, home, temporary folder, log."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import _ROOT
from tests.deid_cases import FORBIDDEN, PATIENT_ID, hits, write
from viewer.deid.options import KEEP

PASSPHRASE = "seven green bottles"


@pytest.mark.parametrize("keep", [(), tuple(k for k in KEEP if k != "uids")], ids=["least", "most"])
def test_a_patient_is_in_nothing_that_a_run_leaves(tmp_path: Path, keep: tuple[str, ...]):
    study = tmp_path / "in" / "Quxworthy"
    for number in (1, 2):
        write(study / f"{PATIENT_ID}_{number}.dcm", number)
    write(study / "capture.dcm", 3, sc=True)
    (study / "broken.dcm").write_bytes((study / "capture.dcm").read_bytes()[:900])
    (study / "report.dcm").write_bytes(write(study / "x.dcm", 4, ValueType="TEXT").read_bytes())
    left = {name: tmp_path / name for name in ("home", "temp", "user")}
    for folder in left.values():
        folder.mkdir()
    environment = {
        **os.environ,
        "OVERREAD_HOME": str(left["home"]),
        "OVERREAD_PASSPHRASE": PASSPHRASE,
        "HOME": str(left["user"]),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(left["temp"])),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "viewer", "deidentify", *arguments],
            cwd=_ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=300,
        )  # fmt: skip

    out = tmp_path / "out"
    options = ["--keep", *keep] if keep else []
    done = run(str(study), "--out", str(out), "--json", *options)
    assert done.returncode == 1, done.stderr  # the capture was left out
    assert not [word for word in FORBIDDEN if word in done.stdout]
    # A run that fails writes a log, if any.
    assert run(str(study), "--out", str(out)).returncode == 2
    assert list(out.rglob("*.dcm"))
    for folder in (out, *left.values()):
        assert not hits(folder)
    assert (left["home"] / "data" / "deid" / "mapping.json").is_file()
    assert hits(study), "the search finds what is there"
    # Only who has the passphrase finds the patient again.
    (pseudonym,) = (path.name for path in out.iterdir() if path.is_dir())
    assert run("--whose", pseudonym).stdout.strip() == PATIENT_ID
    environment["OVERREAD_PASSPHRASE"] = "another one, wrong"
    assert run("--whose", pseudonym).returncode == 2
    shutil.rmtree(out)
