"""The checklist of conventions is walked once more at each larger interface size.

The suite itself runs at 100 %. Qt takes a scale factor before the application is made, so each
other one is a process of its own; the names of its tests are those of the lines.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_WALKS = ("tests/ui/test_conventions.py", "tests/ui/test_conventions_shown.py")


@pytest.mark.parametrize("factor", ["1.5", "2", "2.5"])
def test_every_line_of_the_checklist_holds_at_this_scale(factor, tmp_path):
    environment = os.environ | {
        "QT_SCALE_FACTOR": factor,
        "QT_QPA_PLATFORM": "offscreen",
        "OVERREAD_HOME": str(tmp_path / "home"),
    }
    environment = {k: v for k, v in environment.items() if not k.startswith("PYTEST_")}
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("--basetemp", str(tmp_path / "pytest"), *_WALKS),
            *("-k", "not any_scale"),  # that one makes its own factors
        ],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert "skipped" not in ended.stdout
    passed = ended.stdout.split(" passed")[0].split()[-1]
    assert int(passed) >= 40, ended.stdout[-500:]
