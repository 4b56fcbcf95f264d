"""What is to be written of one case, as the window says it and another process does it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written of a case.

    Attributes
    ----------
    item
        Its name in the set.
    patient, scan
        Pseudonyms.
    revision
        From 1; one more each time the case was corrected since.
    digest
        Of all that is written of the case.
    side, fold
        As ``secret.side_of``.
    formats, classes
        Of the set.
    nnunet
        Name of the nnU-Net folder.
    """

    item: str
    patient: str
    scan: str
    revision: int
    digest: str
    side: str
    fold: int | None
    formats: tuple[str, ...]
    classes: tuple[str, ...]
    nnunet: str
