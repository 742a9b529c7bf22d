"""Import a library without what it imports only because it happens to be installed."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def without(optional: str) -> Generator[None]:
    """Within it, imports of `optional` fail, and libraries that can do without it do.

    A module that has been imported already stays as it is. For starting quickly: processes of ours
    start together, on one machine, and spend most of that time on imports.
    """
    modules = cast("dict[str, Any]", sys.modules)
    if optional in modules:
        yield
        return
    modules[optional] = None
    try:
        yield
    finally:
        del modules[optional]
