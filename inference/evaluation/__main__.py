"""Command line of the evaluation: ``python -m inference.evaluation``."""

from __future__ import annotations

import os
import sys

# Threads that wait for each other by spinning halve the speed on a machine that is shared;
# OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from inference import background
from resources.text import translate


def run() -> int:
    """Run it, or say which package is missing."""
    try:
        from inference.evaluation.cli import main
    except ModuleNotFoundError as error:
        if error.name != "PIL":
            raise
        print(
            translate(
                "evaluation", "The evaluation needs Pillow. Install it with: pip install pillow"
            ),
            file=sys.stderr,
        )
        return 2
    return main()


if os.environ.get("OVERREAD_PARENT") == "stdin":
    background.end_with_parent()
sys.exit(run())
