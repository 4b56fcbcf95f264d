"""Commands that need torch in their own process: started, never imported."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from inference.child import environment
from resources.problem import Problem
from resources.text import translate

_END_S = 20.0


def why_not(needs: Sequence[str], extra: str = "train") -> Problem | None:
    """Return why such a process cannot be started here, None when it can; see ``run_child``."""
    if getattr(sys, "frozen", False):
        return Problem(
            translate("cli", "This packaged Overread can neither train nor measure models."),
            translate(
                "cli", "Install Overread with Python: pip install “overread[{extra}]”."
            ).format(extra=extra),
        )
    missing = [name for name in needs if find_spec(name) is None]
    if missing:
        return Problem(
            translate("cli", "Python packages are missing: {names}.").format(
                names=", ".join(missing)
            ),
            translate("cli", "Install them: pip install “overread[{extra}]”.").format(extra=extra),
        )
    return None


def run_child(
    module: str, arguments: Sequence[str], *, needs: Sequence[str] = (), extra: str = "train"
) -> int:
    """Run ``python -m module`` with the terminal of this process, until it ends.

    Output and Ctrl+C go straight to it. It ends with this process: its standard input does,
    which it is told to watch by ``OVERREAD_PARENT``.

    Parameters
    ----------
    module
        Such as ``"inference.training"``.
    arguments
        Its arguments; relative paths mean the same there as here.
    needs
        Packages that it imports and that only an extra of the installation brings.
    extra
        Name of that extra.

    Returns
    -------
    int
        Its exit code; a signal that ended it counts as 128 and its number, as in a shell.

    Raises
    ------
    Problem
        When this is a frozen bundle, or a package is not installed.
    KeyboardInterrupt
        When the process had to be killed after Ctrl+C; else its own exit code tells.
    """
    problem = why_not(needs, extra)
    if problem is not None:
        raise problem
    command = [sys.executable, "-m", module, *arguments]
    variables = {**environment(), "OVERREAD_PARENT": "stdin"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=variables) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = _end(process)
            if code < 0:
                raise
        except BaseException:
            _end(process)
            raise
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes]) -> int:
    """Let the process stop by itself, as Ctrl+C told it to; kill it when it does not."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        return process.wait(_END_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        return process.wait()
