"""Whether anybody is named in what leaves the program: the corpus of marks, and a canary."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.deid_cases import FORBIDDEN, hits, identified
from tests.export_cases import findings_for, on_disk
from tests.exports.dicom import checked
from tests.exports.faults import half_files, half_versions
from tests.exports.marks import MARK, top, uids_in, uids_of, walked
from tests.fault_session import ROOT
from tests.outcomes import Outcome
from viewer.annotate.key_images import TOPIC, KeyImage
from viewer.session import Case, Reader
from viewer.study import order, read, scan

_CORPUS = ROOT.parent / "shared" / "corpus-deid"
READER = "Brannigham Ada"
WORDS = (*FORBIDDEN, READER)
# The case's own work, and the list of studies, which shows whose they are: documented.
_OWN = ("cases", "worklist")


def corpus() -> Path | None:
    """Return the file of marks; None where it is not here."""
    named = os.environ.get("OVERREAD_CORPUS_DEID")
    path = (Path(named) if named else _CORPUS) / "DEID_PHI_CANARY_614.dcm"
    return path if path.is_file() else None


def marks(home: Path) -> Outcome:
    """De-identify the file in which 614 attributes are marked; read what is left byte by byte."""
    what, expected = "corpus-deid", "0 marks, 0 original UIDs, 0 private elements left"
    planted = corpus()
    if planted is None:
        absent = "corpus-deid is not here: OVERREAD_CORPUS_DEID=its folder"
        return Outcome(what, 0, expected, skipped=absent)
    _run(home, "deidentify", str(planted), "--out", str(home / "out"))
    (left,) = (home / "out").rglob("*.dcm")
    return judged_marks(planted, left)


def judged_marks(planted: Path, left: Path) -> Outcome:
    """Say what of the planted file is left in another."""

    def look() -> dict:
        actions = json.loads(planted.with_name("expected_actions.json").read_text())
        data, uids = left.read_bytes(), uids_of(planted)
        found = {
            "marks": len(MARK.findall(data)),
            "UIDs": len(uids_in(uids, data)),
            "private": sum(group % 2 for group, *_ in walked(left)),
        }
        there = sum((int(tag[:4], 16), int(tag[4:], 16)) in top(planted) for tag in actions)
        wrong = [f"{n} {name} are left" for name, n in found.items() if n]
        wrong += [] if len(MARK.findall(planted.read_bytes())) > 300 else ["nothing was planted"]
        return {
            "attributes planted": there,
            "original UIDs": len(uids),
            **{f"{name} left": n for name, n in found.items()},
            "wrong": wrong,
        }

    expected = "0 marks, 0 original UIDs, 0 private elements left"
    return checked("corpus-deid", "614 attributes", expected, look)


def canary(home: Path, how: tuple[str, ...] = ()) -> Outcome:
    """Have a patient read, exported in all formats and failed at; search all that is left.

    ``how`` are further options of the export: with ``--with-identity`` it must be found.
    """

    def look() -> dict:
        study = home / "study"
        on_disk(study)
        identified(study)
        left = {name: home / name for name in ("out", "home", "temp", "user")}
        for folder in left.values():
            folder.mkdir()
        work = "from tests.exports.identity import work; import sys; work(sys.argv[1])"
        _run(home, "-c", work, str(study))
        _run(home, "export", str(study), "--out", str(left["out"]), "--format", "all", *how)
        if not how:
            # Of several cases one set; identity never stays in it, so it is asked for once.
            given = ("--format", "training", "--test-share", "0")
            _run(home, "export", str(study), "--out", str(left["out"] / "set"), *given)
        # Failed at, too: where the folder is a file, and where nobody worked.
        (home / "file").write_text("")
        for bad in ((study, home / "file"), (home / "out", left["out"])):
            _run(home, "export", str(bad[0]), "--out", str(bad[1]), code=2)
        half = [name for folder in left["out"].glob("overread-*") for name in half_files(folder)]
        half += half_versions(left["out"] / "set")
        _unpack(left["out"])
        found = [hit for folder in left.values() for hit in hits(folder, WORDS)]
        found = [hit for hit in found if not _own(hit, left["home"])]
        files = [path for path in left["out"].rglob("*") if path.is_file()]
        return {
            "files written": len(files),
            "words": len(WORDS),
            "hits": len(found),
            "wrong": [hit.replace(str(home), "…") for hit in found]
            + [f"{name} is not as the manifest says" for name in half]
            + ([] if len(files) > 12 else ["too few files were written"]),
        }

    return checked("canary", "a patient and a reader", "0 hits in export, home, temp, log", look)


def work(study: str) -> None:
    """Read a study as a reader does; in a process and a home of its own."""
    plan = order.order(scan.scan([Path(study)]).series[0])
    volume = read.read(plan)
    case = Case.open(plan.series, plan, volume, reader=Reader(READER, "radiologist"))
    case.add_findings(findings_for(volume))
    for lesion in case.shown:
        case.set_verdict(lesion.id, "accepted")
    case.set_note("comment", case.shown[0].id, {"text": f"{FORBIDDEN[0]} was here before"})
    mark = KeyImage("axial", 5, 5, (-500.0, 1500.0), READER, "2026-11-21T08:01:00Z")
    case.set_note(TOPIC, mark.note_id, mark.note())
    assert case.close() == 0


def _run(home: Path, *arguments: str, code: int = 0) -> str:
    for name in ("home", "temp", "user"):
        (home / name).mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "OVERREAD_HOME": str(home / "home"),
        "OVERREAD_PASSPHRASE": "seven green bottles",
        "HOME": str(home / "user"),
        "PYTHONPATH": str(ROOT),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(home / "temp")),
    }
    command = arguments if arguments[0] == "-c" else ("-m", "viewer", *arguments)
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True,
        encoding="utf-8", timeout=600, check=False,
    )  # fmt: skip
    if done.returncode != code:
        raise AssertionError(f"{arguments[0]} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout + done.stderr


def _unpack(folder: Path) -> None:
    for path in folder.rglob("*.gz"):
        path.with_suffix(".unpacked").write_bytes(gzip.decompress(path.read_bytes()))


def _own(hit: str, home: Path) -> bool:
    path = Path(hit.split(" in ", 1)[1])
    if not path.is_relative_to(home):
        return False
    return any(part.startswith(_OWN) for part in path.relative_to(home).parts)


CHECKS = (marks, canary)
