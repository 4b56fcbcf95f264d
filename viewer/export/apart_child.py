"""The exporting process: writes the files of one export for ``viewer.export.apart``, and ends.

The case comes from stdin as ``wire`` writes it; each answer on stdout is a JSON object a line.
It prints nothing else, and ends when its parent does.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from inference.child_side import end_with_parent, take_pipes
from resources import labels
from resources.problem import Problem
from viewer.export.report import ExportReport


def main() -> int:
    """Write the export that is asked for; return the exit code."""
    requests, replies = take_pipes()
    lock = threading.Lock()

    def reply(**answer: Any) -> None:
        with lock:
            replies.write(json.dumps(answer).encode() + b"\n")

    try:
        reply(**_answer(requests, lambda done, total: reply(step=[done, total])))
    except OSError:
        return 1  # nobody listens any more
    return 0


def _answer(requests: BinaryIO, progress: Any) -> dict[str, Any]:
    gc.disable()  # highdicom's tables are two million objects that all stay
    from viewer.export import files, wire
    from viewer.export.problems import FileProblem, errno_of
    from viewer.export.sets import case_files
    from viewer.export.sets.task import Task

    gc.freeze()
    gc.enable()
    try:
        what, snapshot, folder, *rest = wire.receive(requests)
        labels.install(snapshot.terms)
        threading.Thread(target=end_with_parent, args=(requests,), daemon=True).start()
        if what == "set":
            task = Task(**rest[0])
            case_files.write_case(snapshot, folder, task, progress)
            return {"done": {"item": task.item}}
        part, formats = rest
        done = files.write_all(snapshot, folder, part, progress, formats=formats)
        return {"done": _told(done)}
    except FileProblem as problem:
        return {"problem": [problem.kind, problem.name, problem.detail]}
    except Problem as problem:
        return {"problem": [problem.sentence, problem.remedy, problem.detail]}
    except OSError as error:
        return {"os_error": errno_of(error)}
    except MemoryError:
        return {"memory": True}
    except Exception as error:
        return {"defect": _where(error)}


def _told(done: ExportReport) -> dict[str, Any]:
    return {
        "files": [[file.name, file.bytes, file.sha256] for file in done.files],
        "segments": done.segments,
        "reviewed": done.reviewed,
        "seconds": done.seconds,
        "checks": [[one.name, one.reader, one.compared] for one in done.checks],
        "left_out": done.left_out,
    }


def _where(error: BaseException) -> str:
    """Say what went wrong and where; the words of an error may quote a patient's value."""
    places = traceback.extract_tb(error.__traceback__)
    path = " < ".join(f"{Path(at.filename).name}:{at.lineno}" for at in reversed(places))
    return f"{type(error).__name__} at {path}"


if __name__ == "__main__":
    sys.exit(main())
