"""Silence for the DICOM libraries: what they warn of and log quotes values of the file."""

from __future__ import annotations

import logging
import warnings

_LIBRARIES = ("pydicom", "pylibjpeg", "libjpeg", "openjpeg", "rle", "jpeg_ls")


def hush() -> None:
    """Silence warnings and loggers of the DICOM libraries, for those quote the patient."""
    mute_loggers()
    warnings.filterwarnings("ignore", module=rf"({'|'.join(_LIBRARIES)})(\.|$)")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"viewer\.study\.")


def mute_loggers() -> None:
    """Silence the loggers alone; needed after a late import, at which pydicom sets its level.

    For threads of a pool: to change the filters of warnings there opens a gap for the others.
    """
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
