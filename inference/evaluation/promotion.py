"""Whether a new model may take the place of the one that leads: what it may lose, at the worst.

The limits are those of ``resources/tables/promotion.json``.
"""

from __future__ import annotations

from typing import Any

from resources import table


def promotion(differences: dict[str, Any]) -> dict[str, Any]:
    """Say whether the new model may take the place of the old one, figure by figure.

    Parameters
    ----------
    differences
        As ``compare.differences_of`` returns them.
    """
    checks = []
    for row in table("promotion")["figures"]:
        low, high = differences[row["figure"]]["ci95"]
        worst = low if row["better"] == "higher" else high
        sign = 1 if row["better"] == "higher" else -1
        kept = worst is not None and sign * worst >= sign * row["limit"]
        checks.append({**row, "worst_of_the_interval": worst, "kept": kept})
    return {"may_lead": all(check["kept"] for check in checks), "checks": checks}
