"""Transfer syntaxes: which are read straight from the file, which need a decoder."""

from __future__ import annotations

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

PLAIN = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE})
"""Pixel bytes stand in the file as a little endian machine wants them."""

NATIVE = PLAIN | {DEFLATED_LITTLE, EXPLICIT_BIG}
"""Pixels are not compressed, or only as a part of the whole data set."""

JPEG = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51"))
JPEG_LOSSLESS = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("57", "70"))
JPEG_LS = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("80", "81"))
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("90", "91", "201", "202", "203"))
"""JPEG 2000 and its high-throughput kin."""

ENCAPSULATED = JPEG | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | {RLE}
"""Compressed; the header is explicit little endian (PS3.5 A.4)."""

LOSSY = JPEG | {f"1.2.840.10008.1.2.4.{end}" for end in ("81", "91", "203")}
"""May have lost values: decoders may differ by a step."""
