"""Whether a new model may take the place of the one that leads: what it may lose, at the worst.

The limits are those of ``resources/tables/promotion.json``.
"""

from __future__ import annotations

from typing import Any

from resources import table


def promotion(differences: dict[str, Any], patients: int) -> dict[str, Any]:
    """Say whether the new model may take the place of the old one, figure by figure.

    Parameters
    ----------
    differences
        As ``compare.differences_of`` returns them.
    patients
        How many were measured. Drawn again from a handful, they are much the same each time: the
        interval of one patient is a point, and a gate that looks at intervals stands open.
    """
    checks = []
    for row in table("promotion")["figures"]:
        low, high = differences[row["figure"]]["ci95"]
        worst = low if row["better"] == "higher" else high
        sign = 1 if row["better"] == "higher" else -1
        kept = worst is not None and sign * worst >= sign * row["limit"]
        checks.append({**row, "worst_of_the_interval": worst, "kept": kept})
    least = int(table("promotion")["least_patients"])
    return {
        "may_lead": patients >= least and all(check["kept"] for check in checks),
        "patients": patients,
        "least_patients": least,
        "checks": checks,
    }
