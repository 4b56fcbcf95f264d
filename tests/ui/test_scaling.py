"""Interface sizes: everything scales alike, and no text is cut at any of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("percent", [100, 150, 200, 250])
def test_no_text_is_cut(percent, phantom_folder, private_home, tmp_path):
    """The size comes from the settings, as it does at a start of the program."""
    data = private_home / "data"
    data.mkdir(exist_ok=True)
    (data / "settings.json").write_text(
        json.dumps({"interface_size": str(percent)}), encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("QT_SCALE_FACTOR", None)
    script = Path(__file__).with_name("measure_clipped.py")
    ran = subprocess.run(
        [sys.executable, str(script), str(phantom_folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    report = json.loads(ran.stdout.splitlines()[-1])
    assert report.pop("ratio") == percent / 100
    assert len(report) == 8
    assert not {where: found for where, found in report.items() if found}
