"""A pytest plugin that counts, for each provider, what the conformance kit's classes found.

`pytest -p angarium.gateway.kit_tally` writes the counts, as JSON, to the file that the environment
names in KIT_TALLY_FILE. `angarium plugins check` reads them. It must not import the kit, which
pytest has to prepare first.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import pytest

VARIABLE: Final = "KIT_TALLY_FILE"
KIT: Final = "angarium.plugins.testing."
OWN: Final = "its own"


class Tally:
    """Counts outcomes by provider and contract while the tests run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._places: dict[str, tuple[str, str]] = {}
        self._counts: dict[tuple[str, str, str], int] = defaultdict(int)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which provider and which class of the kit each test belongs to."""
        for item in items:
            kind: Any = getattr(item, "cls", None)
            provider = getattr(kind, "provider", None)
            if provider is not None and _of_kit(kind):
                place = _contract(kind, getattr(item, "originalname", ""))
                self._places[item.nodeid] = (str(provider.name), place)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count it; what fails before or after the test itself counts as well."""
        if report.nodeid in self._places and (report.when == "call" or report.failed):
            self._counts[(*self._places[report.nodeid], report.outcome)] += 1

    def pytest_sessionfinish(self) -> None:
        """Write the counts."""
        rows = [[*key, count] for key, count in sorted(self._counts.items())]
        self._file.write_text(json.dumps(rows), encoding="utf-8")


def _of_kit(kind: type[Any]) -> bool:
    return any(one.__module__.startswith(KIT) for one in kind.__mro__)


def _contract(kind: type[Any], test: str) -> str:
    """The class of the kit that a test came from."""
    for one in kind.__mro__:
        if test in vars(one) and one.__module__.startswith(KIT):
            return one.__name__
    return OWN


def pytest_configure(config: pytest.Config) -> None:
    """Count, if somebody wants to know."""
    file = os.environ.get(VARIABLE)
    if file:
        config.pluginmanager.register(Tally(Path(file)), "angarium-tally")
