"""Tests named by other files, `tests/x/test_y.py::test_z`: whether they are there."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def missing(names: Iterable[str]) -> list[str]:
    """Those of `names` that name no test function."""
    return [name for name in names if name.partition("::")[2] not in _tests(name.split("::")[0])]


@cache
def _tests(path: str) -> frozenset[str]:
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(file.read_text()))
    functions = [n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(name for name in functions if name.startswith("test_"))
