"""The program: a command without a window, or the window.

``overread STUDY`` opens the window; ``overread COMMAND``, one of ``cli.COMMANDS`` or ``sample``,
works without one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from inference import versions
from resources.text import translate
from viewer import cli, folders


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0 done, 2 not, with one sentence why."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Also for the processes that this one starts. Nothing is made: there may be no such folder.
    os.environ.setdefault(versions.FOLDER, str(folders.place("data") / "models"))
    if arguments == ["--decode-child"]:  # of viewer.study.decode, in the bundle
        from viewer.study import decode_child

        return decode_child.main()
    if arguments == ["--export-child"]:  # of viewer.export.apart, in the bundle
        from viewer.export import apart_child

        return apart_child.main()
    if arguments == ["--import-child"]:  # of viewer.imports.apart, in the bundle
        from viewer.imports import apart_child as import_child

        return import_child.main()
    if arguments and arguments[0] in cli.COMMANDS:
        return cli.main(arguments)
    if arguments and arguments[0] == "sample":
        return _sample(arguments[1:])
    return _window(arguments)


def _window(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="overread",
        description=translate("cli", "Overread an AI: see, correct and export its findings."),
        epilog=translate(
            "cli",
            "Without a window: overread {commands} (each with --help). "
            "Research use. Not for diagnosis.",
        ).format(commands=", ".join((*cli.COMMANDS, "sample"))),
    )
    parser.add_argument(
        "study", nargs="*", type=Path, help=translate("cli", "folders or files to open")
    )
    parser.add_argument(
        "--sample", action="store_true", help=translate("cli", "open the synthetic sample study")
    )
    options = parser.parse_args(arguments)
    missing = [path for path in options.study if not _exists(path)]
    if missing:
        print(
            translate("cli", "There is no file or folder {path}. Check the name.").format(
                path=missing[0]
            ),
            file=sys.stderr,
        )
        return 2
    from viewer.ui import app

    return app.run(options.study, sample=options.sample)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long for the system, or no right to look
        return False


def _sample(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="overread sample",
        description=translate(
            "cli", "Analyse the synthetic sample study, export it and draw the window."
        ),
    )
    parser.add_argument("--out", type=Path, default=Path("overread-output"))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--study", type=Path, help=translate("cli", "another study than the sample")
    )
    options = parser.parse_args(arguments)
    # The window is drawn without a screen, whether there is one or not.
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from viewer.ui import headless

    return headless.run(options.out, device=options.device, study=options.study)


if __name__ == "__main__":
    sys.exit(main())
