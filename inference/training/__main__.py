"""Command line of the training: ``python -m inference.training lung-nodule|pack|card``."""

from __future__ import annotations

import os
import sys

# Threads that wait for each other by spinning halve the speed on a machine that is shared;
# OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from inference import background
from inference.training import cli

if os.environ.get("OVERREAD_PARENT") == "stdin":
    background.end_with_parent()
sys.exit(cli.main())
