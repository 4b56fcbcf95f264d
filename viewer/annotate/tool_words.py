"""What a reader reads of the tools that change outlines: names of their undo steps."""

from __future__ import annotations

from resources.text import translate


def reshaped_text(made_by: str) -> str:
    """Return the pattern of an undo step of ``edits.Reshape`` or ``edits.Together``.

    ``{what}`` stands for the lesion or segment.
    """
    known = {
        "lasso-add": translate("annotate", "Lasso: add to {what}"),
        "lasso-subtract": translate("annotate", "Lasso: cut from {what}"),
        "lasso-intersect": translate("annotate", "Lasso: keep of {what}"),
        "fill-between": translate("annotate", "Fill {what} between slices"),
        "largest-piece": translate("annotate", "Largest piece of {what}"),
        "small-pieces": translate("annotate", "Remove small pieces of {what}"),
        "fill-holes": translate("annotate", "Fill holes in {what}"),
        "smooth": translate("annotate", "Smooth {what}"),
        "median": translate("annotate", "Even out {what}"),
        "margin": translate("annotate", "Margin of {what}"),
        "hollow": translate("annotate", "Hollow {what}"),
        "grow": translate("annotate", "Grow {what} to the edges"),
        "walk": translate("annotate", "Random walker on {what}"),
        "refine-add": translate("annotate", "Take a point into {what}"),
        "refine-cut": translate("annotate", "Cut a point from {what}"),
        "box-new": translate("annotate", "Outline {what} in a box"),
        "box-outline": translate("annotate", "Outline {what} in its box"),
        "box-keep": translate("annotate", "Keep of {what} what the box holds"),
        "copy": translate("annotate", "Copy {what} from another series"),
        "union": translate("annotate", "Add another outline to {what}"),
        "subtract": translate("annotate", "Cut another outline from {what}"),
        "intersect": translate("annotate", "Keep of {what} what another outline shares"),
        "split": translate("annotate", "Split {what}"),
        "merge": translate("annotate", "Merge into {what}"),
        "adjudicate-first": translate("annotate", "Settle {what} as in the first reading"),
        "adjudicate-second": translate("annotate", "Settle {what} as in the second reading"),
        "adjudicate-both": translate("annotate", "Settle {what} as in both readings"),
        "adjudicate-own": translate("annotate", "Settle {what} in another way"),
        "adjudicate-agreed": translate("annotate", "Take over what both readings agree on"),
    }
    return known.get(made_by, translate("annotate", "Change {what}"))


def rule_text(rule: str, mode: str) -> str:
    """Return the pattern of an undo step of a brush that follows values or edges."""
    if rule == "edge":
        if mode == "erase":
            return translate("annotate", "Edge eraser on {what}")
        return translate("annotate", "Edge brush on {what}")
    if mode == "erase":
        return translate("annotate", "Eraser by values on {what}")
    return translate("annotate", "Brush by values on {what}")
