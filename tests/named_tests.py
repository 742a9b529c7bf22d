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
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = (
        node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, functions)
    )
    return frozenset(name for name in found if name.startswith("test_"))
