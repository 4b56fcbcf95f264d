"""The label file of a site: in the data folder, read at the start, changed from the settings."""

from __future__ import annotations

from pathlib import Path

from resources import labels
from resources.problem import Problem
from resources.text import translate
from viewer import folders

NAME = "labels.json"


def file() -> Path:
    """Return where the file of the site lies, whether there is one or not."""
    return folders.data_dir() / NAME


def load() -> Problem | None:
    """Use the labels of the site's file, if there is one; return why it cannot be used.

    Then the labels are those that came with Overread.
    """
    labels.install({})
    try:
        found = file()
        if not found.exists():
            return None
        labels.install(labels.parse(_text(found)))
    except Problem as problem:
        return Problem(problem.sentence, problem.remedy, problem.detail)
    except OSError as error:
        return _unreadable(error)
    return None


def check() -> None:
    """Use the labels of the site's file, if there is one.

    Raises
    ------
    Problem
        When it cannot be used: nothing is to be written with other names and codes.
    """
    problem = load()
    if problem is not None:
        raise problem


def use(chosen: Path) -> None:
    """Take a file as that of the site, from now on.

    Raises
    ------
    Problem
        When it cannot be used; all stays as it was.
    """
    try:
        text = _text(chosen)
        terms = labels.parse(text)
        part = file().with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(file())
    except OSError as error:
        raise _unreadable(error) from error
    labels.install(terms)


def take_away() -> None:
    """Go back to the labels that came with Overread; the site's file is kept beside.

    Raises
    ------
    Problem
        When it cannot be moved.
    """
    try:
        if file().exists():
            file().replace(file().with_suffix(".json.old"))
    except OSError as error:
        raise _unreadable(error) from error
    labels.install({})


def _text(found: Path) -> str:
    try:
        return found.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(
            translate("labels", "The label file is no text in UTF-8."),
            translate("labels", "Mend the file; until then the labels stay as they were."),
        ) from error


def _unreadable(error: OSError) -> Problem:
    return Problem(
        translate("labels", "The label file cannot be read or written."),
        translate("labels", "See who may use the file and its folder."),
        f"{type(error).__name__} {error.errno}",
    )
