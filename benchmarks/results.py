"""results.json: what the last full run measured. Documentation quotes nothing else."""

import re
from pathlib import Path

import msgspec

from benchmarks.model import Outcome

FILE = Path(__file__).with_name("results.json")


class Results(msgspec.Struct, frozen=True):
    """One run. busy_cores: how much the machine had to do besides, just before; more than a
    little, and the figures are worth little. quick: small sizes, for a look only."""

    date: str
    rounds: int
    quick: bool
    busy_cores: float
    machine: dict[str, str | int]
    versions: dict[str, str]
    cases: list[Outcome]


def read_results(file: Path = FILE) -> Results | None:
    """What was measured last; None: nothing was."""
    if not file.exists():
        return None
    return msgspec.json.decode(file.read_bytes(), type=Results)


def write_results(results: Results, file: Path = FILE) -> None:
    """Keep a run for the documentation."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")


def merge(old: Results | None, new: Results) -> Results:
    """The run, and of cases that it left out what an earlier run in the same manner measured."""
    if old is None or old.quick != new.quick or old.versions != new.versions:
        return new
    measured = {case.id for case in new.cases}
    kept = [case for case in old.cases if case.id not in measured]
    cases = sorted([*new.cases, *kept], key=lambda case: _place(case.id))
    return msgspec.structs.replace(new, cases=cases)


def _place(id: str) -> tuple[bool, int, str]:
    """P2, P6, P6C, P11; then those that have no number."""
    found = re.match(r"P(\d+)", id)
    return (found is None, int(found[1]) if found else 0, id)
