"""What the model expects radiologists to say, in words, alike in window, terminal and files."""

from __future__ import annotations

from inference.findings import Impression
from resources.text import translate

# English: what programs and other people read beside the figures in an exported file.
SOURCE = "radiologists' impression in LIDC, not pathology"


def source_text() -> str:
    """Return whose impression it is, and what it is not."""
    return translate("impression", "radiologists' impression in LIDC, not pathology")


def malignancy_text(impression: Impression) -> str:
    """Return the likelihood of malignancy on its scale, such as ``"3.2 of 5"``."""
    return translate("impression", "{value} of 5").format(value=f"{impression.malignancy:.1f}")


def texture_text(impression: Impression) -> str:
    """Return the texture as radiologists call it."""
    return {
        "ground-glass": translate("impression", "ground-glass"),
        "part-solid": translate("impression", "part-solid"),
        "solid": translate("impression", "solid"),
    }[impression.texture_name]


def impression_text(impression: Impression) -> str:
    """Return malignancy and texture, such as ``"Malignancy 3.2 of 5, solid"``."""
    return translate("impression", "Malignancy {value}, {texture}").format(
        value=malignancy_text(impression), texture=texture_text(impression)
    )


def agreement_text(uncertainty: float) -> str:
    """Return how far the outlines agree, such as ``"Outlines agree 93 %"``."""
    return translate("impression", "Outlines agree {percent} %").format(
        percent=agreement_percent(uncertainty)
    )


def agreement_percent(uncertainty: float) -> int:
    """Return the agreement as a whole number; 100 only where all are alike."""
    share = 1.0 - min(max(uncertainty, 0.0), 1.0)
    return 100 if share == 1.0 else min(99, round(100 * share))
