"""Who wrote the files."""

from __future__ import annotations

import resources

NAME = "Overread"
VERSION = resources.VERSION
RESEARCH_USE = "Research use, not for diagnosis."
