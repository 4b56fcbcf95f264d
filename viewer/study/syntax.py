"""Transfer syntaxes: which are read straight from the file, which need a decoder."""

from __future__ import annotations

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

PLAIN = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE})
"""Pixel bytes stand in the file as a little endian machine wants them."""

ENCAPSULATED = frozenset(
    f"1.2.840.10008.1.2.{end}"
    for end in (
        *("4.50", "4.51", "4.57", "4.70"),  # JPEG
        *("4.80", "4.81"),  # JPEG-LS
        *("4.90", "4.91", "4.201", "4.202", "4.203"),  # JPEG 2000, HTJ2K
        "5",  # RLE
    )
)
"""Compressed; the header is explicit little endian (PS3.5 A.4)."""
