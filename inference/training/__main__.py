"""Command line of the training: ``python -m inference.training fit`` and ``evaluate``."""

from __future__ import annotations

import sys

from inference.training.cli import main

sys.exit(main())
