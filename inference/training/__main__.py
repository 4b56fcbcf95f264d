"""Command line of the training: ``python -m inference.training fit`` and ``evaluate``."""

from __future__ import annotations

import os
import sys

# Threads that wait for each other by spinning halve the speed on a machine that is shared;
# OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from inference.training.cli import main

sys.exit(main())
