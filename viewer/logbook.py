"""The log file: bounded in size, and never a tag value, a file name or a sentence of a study."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from resources.problem import Problem
from viewer import folders

_BYTES, _OLD_FILES = 1_000_000, 3
_log = logging.getLogger("overread")


def log_file() -> Path:
    """Return where the log lies."""
    return folders.log_dir() / "overread.log"


def open_log() -> Path | None:
    """Send all records from INFO on to the log file; return it, or None when it cannot be."""
    root = logging.getLogger()
    # The messages of these two may quote element values.
    for name in ("pydicom", "highdicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        file = log_file()
        if any(getattr(handler, "baseFilename", "") == str(file) for handler in root.handlers):
            return file
        handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8"
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return file


def note_problem(problem: Problem) -> None:
    """Keep the technical detail of a problem; its sentence may name files of a study."""
    if problem.detail:
        _log.warning("problem: %s", problem.detail)


def note_defect(error: BaseException) -> None:
    """Keep kind and place of a defect; its message may quote a study."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    _log.error("defect: %s at %s", type(error).__name__, " < ".join(reversed(places)))
