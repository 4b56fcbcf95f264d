"""Programs of others that read our exports: where they are, and how to get one that is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

HOW = {
    "dciodvfy": "apt-get install dicom3tools",
    "dcentvfy": "apt-get install dicom3tools",
    "dsrdump": "apt-get install dcmtk",
    "segimage2itkimage": "pip install dcmqi in a venv, OVERREAD_DCMQI=its bin",
    "paramap2itkimage": "pip install dcmqi in a venv, OVERREAD_DCMQI=its bin",
    "tid1500reader": "pip install dcmqi in a venv, OVERREAD_DCMQI=its bin",
    "cornerstone": "npm install @cornerstonejs/adapters dcmjs @babel/runtime in a folder, "
    "OVERREAD_CORNERSTONE=the folder; and node 20",
    "nnunet": "pip install nnunetv2 in a venv, OVERREAD_NNUNET=its bin",
}
_SCRIPT = Path(__file__).with_name("cornerstone.mjs")


class NotHere(Exception):
    """A program that is not on this machine; says how to get it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not here: {HOW[name]}")


def program(name: str) -> str:
    """Return the path of a program: of dcmqi in ``OVERREAD_DCMQI``, of all on the path."""
    folder = os.environ.get("OVERREAD_DCMQI")
    found = (shutil.which(name, path=folder) if folder else None) or shutil.which(name)
    if found is None:
        raise NotHere(name)
    return found


def _ran(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        **options,
    )


def dciodvfy(path: Path) -> list[str]:
    """Return what dciodvfy calls an error; its exit code alone does not tell (it is 0 at times)."""
    done = _ran([program("dciodvfy"), "-new", path])
    lines = (done.stdout + done.stderr).splitlines()
    if not lines or done.returncode not in (0, 1):
        return [f"dciodvfy ended with {done.returncode}"]
    found = [line for line in lines if line.startswith("Error")]
    return found or ([] if done.returncode == 0 else ["dciodvfy ended with 1"])


def dsrdump(path: Path) -> list[str]:
    """Return what dsrdump complains of."""
    done = _ran([program("dsrdump"), path])
    said = [line for line in done.stderr.splitlines() if "Check for template" not in line]
    return said or ([] if done.returncode == 0 else [f"dsrdump ended with {done.returncode}"])


def printed(path: Path) -> str:
    """Return a report as dsrdump prints it, with codes."""
    return _ran([program("dsrdump"), "+Pl", "+Pc", path]).stdout


def dcentvfy(paths: Sequence[Path]) -> list[str]:
    """Return every line: what files of one study or series say differently of it."""
    done = _ran([program("dcentvfy"), *paths])
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def dcmqi_segments(seg: Path, folder: Path) -> dict[int, Path]:
    """Have dcmqi write each segment as NIfTI; return the files by number."""
    _convert("segimage2itkimage", seg, folder)
    return {int(file.name[2:].split(".")[0]): file for file in folder.glob("p-*.nii.gz")}


def dcmqi_map(path: Path, folder: Path) -> Path:
    """Have dcmqi write a parametric map as NIfTI."""
    _convert("paramap2itkimage", path, folder)
    (file,) = folder.glob("p*.nii.gz")
    return file


def dcmqi_report(path: Path, out: Path) -> dict[str, object]:
    """Have dcmqi read a report of TID 1500."""
    done = _ran([program("tid1500reader"), "--inputDICOM", path, "--outputMetadata", out])
    if done.returncode or not out.is_file():
        raise ValueError(f"tid1500reader ended with {done.returncode}")
    return json.loads(out.read_text(encoding="utf-8"))


def _convert(name: str, path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    given = ["-t", "nii", "--inputDICOM", path, "--outputDirectory", folder, "--prefix", "p"]
    done = _ran([program(name), *given])
    if done.returncode:
        raise ValueError(f"{name} ended with {done.returncode}")


def cornerstone(seg: Path, images: Sequence[Path]) -> dict[str, object]:
    """Have OHIF's own adapters read a segmentation under Node; see ``cornerstone.mjs``."""
    modules, node = os.environ.get("OVERREAD_CORNERSTONE"), shutil.which("node")
    if node is None or not modules or not (Path(modules) / "node_modules").is_dir():
        raise NotHere("cornerstone")
    done = _ran([node, _SCRIPT, modules, seg, *images])
    if done.returncode:
        raise ValueError(f"cornerstone: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def nnunet_python() -> str:
    """Return the Python that has nnunetv2."""
    folder = os.environ.get("OVERREAD_NNUNET")
    found = shutil.which("python", path=folder) if folder else None
    if found is None:
        raise NotHere("nnunet")
    return found
