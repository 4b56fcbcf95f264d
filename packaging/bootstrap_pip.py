"""pip, with progress that a person can read and errors in one sentence."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from resources.problem import Problem
from resources.text import translate

NO_SPACE = ("No space left on device", "[Errno 28]", "[WinError 112]")
NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "getaddrinfo failed",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Read timed out",
    "ProxyError",
    "Max retries exceeded",
    "Connection refused",
    "Network is unreachable",
    "SSLError",
    "CERTIFICATE_VERIFY_FAILED",
)


class Pip:
    """pip of one environment.

    Parameters
    ----------
    python
        The environment's Python.
    log
        File that gets pip's own words.
    """

    def __init__(self, python: Path, log: Path) -> None:
        self.python = python
        self.log = log

    def install_lock(self, lock: Path, what: str) -> None:
        """Install all of a lock, every file checked against the lock's hashes."""
        packages = len(re.findall(r"^[a-z0-9].*==", lock.read_text(encoding="utf-8"), re.M))
        # The locks are complete, so nothing is to be resolved.
        self.install(["--no-deps", "--require-hashes", "-r", str(lock)], what, packages)

    def install(self, arguments: list[str], what: str, packages: int = 1) -> None:
        """Run ``pip install`` and show how far it is.

        Raises
        ------
        Problem
            When pip fails.
        """
        command = [
            str(self.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
            "--no-warn-script-location", "--progress-bar", "off", *arguments,
        ]  # fmt: skip
        progress = Progress(what, packages)
        words: list[str] = []
        with (
            self.log.open("a", encoding="utf-8") as log,
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                words.append(line)
                progress.line(line)
        progress.close(done=process.returncode == 0)
        if process.returncode:
            raise problem("".join(words), self.log)

    def version(self, package: str) -> str:
        """Return the installed version of a package."""
        code = f"from importlib.metadata import version; print(version({package!r}))"
        command = [str(self.python), "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def has_own_index(self) -> bool:
        """Tell whether pip is told, by file or variable, where else to look for packages."""
        command = [str(self.python), "-m", "pip", "config", "list"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        return re.search(r"\b(index-url|extra-index-url|find-links)=", done.stdout) is not None


class Progress:
    """One line that tells how far pip is; where no terminal reads it, its end only."""

    def __init__(self, what: str, packages: int) -> None:
        self.what = what
        self.packages = packages
        self.done = 0
        self.started = time.monotonic()
        self.shown = 0

    def line(self, line: str) -> None:
        """Take one line of pip."""
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            self.done += 1
            package = re.sub(r"^(Collecting|Requirement already satisfied:) ", "", line)
            self.show(re.split(r"[\s(]", package.strip(), maxsplit=1)[0])
        elif line.lstrip().startswith("Downloading "):
            self.show(line.strip().removeprefix("Downloading ").rpartition("/")[2])
        elif line.startswith("Installing collected packages"):
            self.show(translate("start", "unpacking"))

    def show(self, detail: str) -> None:
        """Show the state on a terminal."""
        if not sys.stdout.isatty():
            return
        text = translate("start", "Installing {what}: {done} of {packages}, {detail}").format(
            what=self.what,
            done=min(self.done, self.packages),
            packages=self.packages,
            detail=detail[:50],
        )
        sys.stdout.write("\r" + text.ljust(self.shown))
        sys.stdout.flush()
        self.shown = len(text)

    def close(self, *, done: bool) -> None:
        """End the line, with the time taken when it went well."""
        text = ""
        if done:
            text = translate("start", "Installed {what} in {seconds} s.").format(
                what=self.what, seconds=round(time.monotonic() - self.started)
            )
        if sys.stdout.isatty():
            print("\r" + text.ljust(self.shown), flush=True)
        elif done:
            print(text, flush=True)


def problem(words: str, log: Path) -> Problem:
    """Return what went wrong in one sentence with a remedy, from pip's output."""
    absent = re.search(r"No matching distribution found for (\S+)", words)
    if any(sign in words for sign in NO_SPACE):
        return Problem(
            translate("start", "The disk is full."),
            translate("start", "Overread needs 3 GB here and in the folder for temporary files."),
        )
    if "DO NOT MATCH THE HASHES" in words:
        return Problem(
            translate("start", "A downloaded package is not the one that was tested."),
            translate("start", "Start again; if it stays so, tell whoever runs the package index."),
        )
    if any(sign in words for sign in NO_NETWORK):
        return Problem(
            translate("start", "The package index cannot be reached."),
            translate(
                "start",
                "Check the network, and behind a proxy set HTTPS_PROXY=http://host:port, "
                "then start again.",
            ),
        )
    if absent:
        return Problem(
            translate("start", "The package index has no {package} for this Python.").format(
                package=absent[1]
            ),
            translate(
                "start",
                "Use Python 3.11, 3.12 or 3.13 on Linux, Windows, or a Mac with Apple's processor.",
            ),
        )
    return Problem(
        translate("start", "The packages could not be installed."),
        translate("start", "The reason is at the end of {file}.").format(file=log),
    )
