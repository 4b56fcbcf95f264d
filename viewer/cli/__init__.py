"""The commands that work without a window, from looking into a study to training a model.

What a program may read goes to stdout; progress, notes and problems go to stderr. Exit code
0 when done, 1 when there is nothing to outline at a point, 2 with one plain sentence and its
remedy when something went wrong, 130 after Ctrl-C.

Imports are late: this package is also imported when only the window is wanted.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from inference.evaluation import options as evaluation
from resources.problem import Problem
from resources.text import translate

COMMANDS = (
    "inspect", "analyze", "outline", "export", "import", "deidentify", "evaluate", "compare",
    "train", "retrain", "promote", "models",
)  # fmt: skip

_DONE, _FAILED, _STOPPED = 0, 2, 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(
            _FAILED,
            translate("cli", "{message}. See {program} --help.").format(
                message=message[:1].upper() + message[1:], program=self.prog
            )
            + "\n",
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        Arguments, the first of them one of ``COMMANDS``; ``sys.argv[1:]`` when None.

    Returns
    -------
    int
        The exit code.
    """
    try:
        options = _parser().parse_args(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else _FAILED
    run: Callable[[argparse.Namespace], int | None] = options.run
    # A pipe on Windows has no letters beyond its code page; a description may have.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run(options)
        sys.stdout.flush()
    except Problem as problem:
        return _say(_problem(problem), _FAILED)
    except KeyboardInterrupt:
        return _say(translate("cli", "Stopped."), _STOPPED)
    except BrokenPipeError:
        # Who read our output has closed it, as "head" does; Python's own flush at the end
        # must not stumble over it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except Exception as error:
        return _say(_defect(error), _FAILED)
    return _DONE if code is None else code


def _say(sentence: str, code: int) -> int:
    from viewer.cli import terminal

    terminal.note(sentence)
    return code


def _defect(error: Exception) -> str:
    """Log a defect of the program and return the sentence for it."""
    from viewer import logbook

    sentence = translate("cli", "Something in Overread went wrong; nothing was written.")
    file = logbook.open_log()
    if file is None:
        return sentence
    logbook.note_defect(error)
    return " ".join((sentence, translate("cli", "Please report it with {file}.").format(file=file)))


def _problem(problem: Problem) -> str:
    """Log the technical detail of a problem and return its sentence."""
    from viewer import logbook

    if problem.detail and logbook.open_log() is not None:
        logbook.note_problem(problem)
    return str(problem)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="overread", description=translate("cli", "Research use. Not for diagnosis.")
    )
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    one = commands.add_parser("inspect", help=translate("cli", "say what a study holds"))
    one.add_argument(
        "path", nargs="+", type=Path, help=translate("cli", "folder or file to look into")
    )
    one.add_argument(
        "--trust",
        action="store_true",
        help=translate("cli", "say what geometry and values of each volume rest on"),
    )
    one.add_argument(
        "--pixels",
        action="store_true",
        help=translate("cli", "read every file's pixels: their size, type, range and hash"),
    )
    _add_json(one)
    one.set_defaults(run=_inspect)

    one = commands.add_parser("analyze", help=translate("cli", "run a model and export the result"))
    _add_run(one)
    one.set_defaults(run=_analyze)

    one = commands.add_parser(
        "outline", help=translate("cli", "outline the nodule at a point and export it")
    )
    one.add_argument(
        "--at",
        required=True,
        nargs=3,
        type=_millimetres,
        metavar=("X", "Y", "Z"),
        help=translate("cli", "the point in mm: to the patient's left, to posterior, to the head"),
    )
    _add_run(one)
    one.set_defaults(run=_outline)

    _add_export(commands)
    _add_import(commands)
    _add_deidentify(commands)

    _add_model_making(commands)

    one = commands.add_parser("models", help=translate("cli", "list the models"))
    one.add_argument(
        "--lead", metavar="VERSION", help=translate("cli", "use this version from now on")
    )
    one.add_argument("--model", help=translate("cli", "of which model, see overread models"))
    _add_json(one)
    one.set_defaults(run=_models)
    return parser


def _add_model_making(commands: Any) -> None:
    """Add what makes models and measures them."""
    one = commands.add_parser("evaluate", help=translate("cli", "measure how good a model is"))
    evaluation.add_targets(one, _Parser)
    one.set_defaults(run=_evaluate)

    one = commands.add_parser("compare", help=translate("cli", "compare two models"))
    evaluation.add_compare(one)
    one.set_defaults(run=_compare)

    one = commands.add_parser("train", help=translate("cli", "train a model"))
    one.add_argument("model", choices=("lung-nodule",), help=translate("cli", "what to train"))
    one.add_argument(
        "--data", required=True, type=Path, help=translate("cli", "folder of the training data")
    )
    one.add_argument(
        "--out",
        required=True,
        type=Path,
        help=translate("cli", "folder of the run; what is in it is resumed"),
    )
    one.add_argument(
        "--config", type=Path, help=translate("cli", "recipe as JSON, instead of the program's own")
    )
    _add_where(one)
    one.set_defaults(run=_train)

    one = commands.add_parser("retrain", help=translate("cli", "fine-tune a model on corrections"))
    one.add_argument(
        "--data", required=True, type=Path, help=translate("cli", "folder of the corrected crops")
    )
    one.add_argument(
        "--base", required=True, help=translate("cli", "name of a model, or folder of its pack")
    )
    one.add_argument(
        "--out",
        required=True,
        type=Path,
        help=translate("cli", "folder of the run; what is in it is resumed"),
    )
    one.add_argument("--steps", type=int, help=translate("cli", "how many steps to take"))
    one.add_argument(
        "--minutes",
        type=float,
        help=translate("cli", "how long at most; fewer steps are taken then"),
    )
    one.add_argument("--version", help=translate("cli", "version of the new pack"))
    _add_where(one)
    one.set_defaults(run=_retrain)

    one = commands.add_parser(
        "promote", help=translate("cli", "use a new model, if its comparison allows it")
    )
    one.add_argument("pack", type=Path, help=translate("cli", "folder of the new pack"))
    one.add_argument(
        "--figures",
        required=True,
        type=Path,
        help=translate("cli", "JSON of overread compare with the model that leads"),
    )
    one.set_defaults(run=_promote)


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="auto",
        help=translate("cli", "auto, cpu, cuda or cuda:N; auto takes a GPU when there is one"),
    )
    parser.add_argument("--threads", type=int, help=translate("cli", "how many cores to use"))


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", nargs="+", type=Path, help=translate("cli", "folder or file to read")
    )
    parser.add_argument(
        "--out", required=True, type=Path, help=translate("cli", "folder for the export")
    )
    parser.add_argument("--model", help=translate("cli", "name of the model, see overread models"))
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help=translate("cli", "where the model runs; auto takes a GPU when there is one"),
    )
    _add_json(parser)


def _add_export(commands: Any) -> None:
    from viewer.cli import export_options

    one = commands.add_parser("export", help=translate("cli", "export the work on cases"))
    export_options.add_arguments(one)
    _add_json(one)
    one.set_defaults(run=_export)


def _add_import(commands: Any) -> None:
    one = commands.add_parser(
        "import", help=translate("cli", "take outlines of other files into a case")
    )
    one.add_argument(
        "case", metavar="CASE", help=translate("cli", "folder of a study, or key in the worklist")
    )
    one.add_argument(
        "file",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=translate("cli", "DICOM SEG, SR or RTSTRUCT, NIfTI, NRRD or MetaImage labels"),
    )
    one.add_argument(
        "--list", action="store_true", help=translate("cli", "say what they hold, change nothing")
    )
    one.add_argument(
        "--anyway",
        action="store_true",
        help=translate("cli", "take also what was drawn on other voxels or another series"),
    )
    _add_json(one)
    one.set_defaults(run=_import)


def _add_deidentify(commands: Any) -> None:
    from viewer.cli import deidentify_options

    one = commands.add_parser(
        "deidentify", help=translate("cli", "copy DICOM files without the identity of the patient")
    )
    deidentify_options.add_arguments(one)
    _add_json(one)
    one.set_defaults(run=_deidentify)


def _millimetres(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(
            translate("cli", "{text} is no number of millimetres").format(text=text)
        )
    return value


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help=translate("cli", "print JSON for programs")
    )


def _inspect(options: Any) -> None:
    from viewer.cli import listing

    listing.inspect_command(
        options.path, as_json=options.json, trust=options.trust, pixels=options.pixels
    )


def _analyze(options: Any) -> None:
    from viewer.cli import analyze

    analyze.analyze_command(
        options.path, options.out, options.model, options.device, as_json=options.json
    )


def _outline(options: Any) -> int:
    from viewer.cli import outline

    x, y, z = options.at
    return outline.outline_command(
        options.path, options.out, (x, y, z), options.model, options.device, as_json=options.json
    )


def _export(options: Any) -> int:
    from viewer.cli import export, export_sets

    if export_sets.asked(options):
        return export_sets.set_command(options)
    leave = None if options.with_identity else _leave(options)
    return export.export_command(
        options.case, options.out, options.format, as_json=options.json, leave=leave
    )


def _import(options: Any) -> int:
    from viewer.cli import take_in

    return take_in.import_command(
        options.case,
        options.file,
        only_list=options.list,
        anyway=options.anyway,
        as_json=options.json,
    )


def _leave(options: Any) -> Any:
    """Return how identity goes: it does, unless somebody says otherwise."""
    from viewer.cli import deidentify
    from viewer.deid.options import options as options_of
    from viewer.export.leaving import Leave

    chosen = options_of(options.keep, pixels_seen=options.pixels_seen, boxes=options.box)
    return Leave(*deidentify.open_keys(once=options.once), chosen)


def _deidentify(options: Any) -> int:
    from viewer.cli import deidentify

    return deidentify.deidentify_command(options)


def _evaluate(options: Any) -> int:
    from viewer.cli import evaluate

    return evaluate.evaluate_command(options)


def _compare(options: Any) -> int:
    from viewer.cli import evaluate

    return evaluate.compare_command(options)


def _train(options: Any) -> int:
    from viewer.cli import train

    return train.train_command(
        options.model,
        options.data,
        options.out,
        config=options.config,
        device=options.device,
        threads=options.threads,
    )


def _retrain(options: Any) -> int:
    from viewer.cli import train

    return train.retrain_command(
        options.data,
        options.base,
        options.out,
        steps=options.steps,
        minutes=options.minutes,
        version=options.version,
        device=options.device,
        threads=options.threads,
    )


def _promote(options: Any) -> None:
    from viewer.cli import leading

    leading.promote_command(options.pack, options.figures)


def _models(options: Any) -> None:
    from viewer.cli import leading, listing

    if options.lead is not None:
        leading.lead_command(options.lead, options.model)
    listing.models_command(as_json=options.json)
