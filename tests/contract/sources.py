"""The project's own Python sources, parsed once for the checks of this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("resources", "inference", "viewer")


@cache
def shipped() -> tuple[Path, ...]:
    """Return every Python file of the shipped packages."""
    return tuple(sorted(path for room in SHIPPED for path in (ROOT / room).rglob("*.py")))


@cache
def everything() -> tuple[Path, ...]:
    """Return every Python file of the project, tests and scripts too."""
    scripts = [ROOT / "start.py", *(ROOT / "packaging").glob("*.py")]
    return (*shipped(), *sorted(scripts), *sorted((ROOT / "tests").rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed source."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    """Return ``file:line`` of a node, for messages."""
    return f"{path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 0)}"


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Yield every module that a file imports, and names taken from it as ``module.name``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with the name called: ``a.b.c(…)`` as ``"a.b.c"``, else ``"….c"``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def dotted(node: ast.expr) -> str:
    """Return the dotted name of an expression; what is no name becomes ``…``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "…"
