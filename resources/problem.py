"""The one exception for what a user or the environment can cause."""

from __future__ import annotations


class Problem(Exception):
    """Something a person can mend: shown as a sentence with a remedy, never as a traceback.

    Everything else that is raised is a defect of the program.

    Parameters
    ----------
    sentence
        What happened, translated, one sentence.
    remedy
        What to do about it, translated, one sentence; may be empty when the sentence says it.
    detail
        Technical detail for the log. Must hold no patient data.
    """

    def __init__(self, sentence: str, remedy: str = "", detail: str = "") -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy
        self.detail = detail
