"""The nevers about code: no pickle, no eval, no network, no shell, no foreign paths."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest
from sources import ROOT, calls, everything, imports, place, shipped, tree

UNPICKLERS = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
# multiprocessing pickles what it sends; the model process has a pipe and a format of its own.
UNPICKLERS_BY_THE_BACK_DOOR = ("multiprocessing",)
NETWORK = (
    "ssl", "http", "urllib.request", "urllib3", "requests", "httpx", "aiohttp",
    "ftplib", "smtplib", "xmlrpc", "telnetlib", "asyncio", "webbrowser", "PySide6.QtNetwork",
    "PySide6.QtWebEngineCore", "torch.hub", "huggingface_hub", "pynetdicom",
)  # fmt: skip
LINES = 450
TEST_LINES = 600
FUNCTION_LINES = 80


def offences(files, modules):
    return [
        f"{place(path, node)} imports {name}"
        for path in files
        for name, node in imports(path)
        if any(name == module or name.startswith(module + ".") for module in modules)
    ]


def test_nothing_unpickles():
    tests = {path for path in everything() if path.is_relative_to(ROOT / "tests")}
    assert not offences(set(everything()) - tests, UNPICKLERS)
    # A test may forge a poisoned file; nothing may read one.
    readers = [
        f"{place(path, call)} calls {name}"
        for path in tests
        for name, call in calls(path)
        if re.fullmatch(r"(pickle|marshal|joblib|shelve)\.(load|loads|open|Unpickler)", name)
    ]
    assert not readers
    assert not offences(shipped(), UNPICKLERS_BY_THE_BACK_DOOR)


def test_nothing_reaches_for_the_network():
    assert not offences(shipped(), NETWORK)
    # The name of this machine, for the owner of a locked case, is all that sockets are for.
    found = [
        f"{place(path, call)} calls {name}"
        for path in shipped()
        for name, call in calls(path)
        if name.startswith("socket.") and name != "socket.gethostname"
    ]
    found += [
        f"{place(path, node)} imports {name}"
        for path in shipped()
        for name, node in imports(path)
        if name.startswith("socket.")
    ]
    assert not found


def test_nothing_evaluates_text_or_loads_objects():
    banned = {
        "eval", "exec", "compile", "__import__", "os.system", "os.popen",
        "torch.load", "torch.jit.load", "torch.save", "builtins.eval", "builtins.exec",
    }  # fmt: skip
    found = [
        f"{place(path, call)} calls {name}"
        for path in shipped()
        for name, call in calls(path)
        if name in banned
    ]
    assert not found


@pytest.mark.parametrize(
    ("keyword", "value"), [("weights_only", False), ("allow_pickle", True), ("shell", True)]
)
def test_no_call_switches_a_guard_off(keyword, value):
    found = [
        place(path, call)
        for path in everything()
        for _, call in calls(path)
        for given in call.keywords
        if given.arg == keyword
        and not (isinstance(given.value, ast.Constant) and given.value.value is not value)
    ]
    assert not found


def test_only_resources_knows_where_files_lie():
    found = [
        place(path, node)
        for path in shipped()
        if path.relative_to(ROOT).parts[0] != "resources"
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Name) and node.id == "__file__")
        or (isinstance(node, ast.Attribute) and node.attr == "_MEIPASS")
        or (isinstance(node, ast.Constant) and node.value == "_MEIPASS")
    ]
    assert not found


def test_no_shipped_file_leans_on_the_folder_beside_the_checkout():
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in shipped()
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\bshared/|/work/", line)
    ]
    assert not found


def test_files_and_functions_stay_small():
    long_files = {
        str(path.relative_to(ROOT)): lines
        for path in everything()
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > (TEST_LINES if path.is_relative_to(ROOT / "tests") else LINES)
    }
    assert not long_files
    long_functions = {
        f"{place(path, node)} {node.name}": node.end_lineno - node.lineno + 1
        for path in everything()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    }
    assert not long_functions


def test_packaging_is_no_package():
    # With an __init__.py it would hide PyPI's packaging from everything run from the root.
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_no_study_and_no_foreign_binary_is_committed():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    suffixes = (
        ".dcm", ".ima", ".nii", ".gz", ".nrrd", ".mha", ".npz", ".npy", ".zip", ".pkl", ".pt",
        ".pth", ".onnx", ".png", ".jpg", ".jpeg", ".tif", ".sqlite", ".exe", ".so", ".whl",
    )  # fmt: skip
    found = [
        name
        for name in listed.stdout.split("\0")
        if name.lower().endswith(suffixes) and not name.startswith("resources/docs/")
    ]
    assert not found
