"""Silence for the DICOM libraries: what they warn of and log quotes values of the file."""

from __future__ import annotations

import logging
import warnings

_LIBRARIES = ("pydicom", "pylibjpeg", "libjpeg", "openjpeg", "rle", "jpeg_ls")


def hush() -> None:
    """Silence warnings and loggers of the DICOM libraries, for those quote the patient.

    Called after each late import of pydicom, which sets the level of its logger itself.
    """
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=rf"({'|'.join(_LIBRARIES)})(\.|$)")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"viewer\.study\.")
