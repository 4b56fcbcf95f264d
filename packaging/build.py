"""Build the bundle: ``python3 packaging/build.py``; it lands in ``dist/overread``.

The environment is the one of ``start.py`` with PyInstaller from ``bundle.lock`` on top, so
the bundle holds the versions that are tested. Check it with ``packaging/smoke.py``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

import bootstrap_install  # noqa: E402 - found through the line above
import bootstrap_system  # noqa: E402

from resources.problem import Problem  # noqa: E402


def main() -> int:
    """Build the bundle and say how large it is."""
    started = time.monotonic()
    try:
        bootstrap_system.prepare(display=False)
        python = bootstrap_install.prepare(ROOT, tools="bundle")
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    command = [
        str(python), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN",
        "--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build"),
        str(ROOT / "packaging" / "overread.spec"),
    ]  # fmt: skip
    code = subprocess.run(command, cwd=ROOT).returncode
    if code:
        return code
    folder = ROOT / "dist" / "overread"
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    minutes = (time.monotonic() - started) / 60
    print(f"{folder}: {size / 1e6:.0f} MB, built in {minutes:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
