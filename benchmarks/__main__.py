"""Measure: `python -m benchmarks`, or `make bench`.

A full run writes results.json, and brings the tables of the documentation up to date.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from benchmarks.cases import CASES
from benchmarks.display import Display
from benchmarks.machine import busy_cores, describe_machine, versions
from benchmarks.model import Bench, Case, Outcome
from benchmarks.results import FILE, Results, merge, read_results, write_results
from benchmarks.table import ROOT, write_tables

BUSY = 0.2
"""Cores' worth of other work from which on figures are not to be trusted."""


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option(
    "--case",
    "names",
    multiple=True,
    type=click.Choice([case.id for case in CASES], case_sensitive=False),
    help="Only this one; may be given several times.",
)
@click.option("--rounds", type=click.IntRange(1), default=5, help="Rounds of each measurement.")
@click.option("--quick", is_flag=True, help="Small sizes, to see that it runs; keeps nothing.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where to put databases and streams: the disk that is measured.",
)
def main(names: Sequence[str], rounds: int, quick: bool, folder: Path | None) -> None:
    console = Console()
    chosen = [case for case in CASES if not names or case.id in names]
    busy = busy_cores()
    if busy > BUSY:
        console.print(f"[yellow]The machine is busy ({busy:.1f} cores): figures will be low.[/]")
    outcomes = asyncio.run(_run(chosen, console, rounds, quick, folder))
    results = Results(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        rounds=rounds,
        quick=quick,
        busy_cores=round(busy, 1),
        machine=describe_machine(),
        versions=versions(),
        cases=outcomes,
    )
    if not quick:
        results = merge(read_results(), results)
        write_results(results)
        console.print(f"written: {FILE.name}")
        write_tables(ROOT, results)


async def _run(
    cases: Sequence[Case], console: Console, rounds: int, quick: bool, folder: Path | None
) -> list[Outcome]:
    display = Display(console, len(cases))
    outcomes: list[Outcome] = []
    with display.running():
        for case in cases:
            place = Path(tempfile.mkdtemp(prefix=f"angarium-{case.id}-", dir=folder))
            try:
                bench = Bench(place, rounds, quick, partial(display.say, case))
                rows, bars = await case.measure(bench)
            finally:
                shutil.rmtree(place, ignore_errors=True)
            outcome = Outcome(case.id, case.title, case.floor, case.unit, rows, bars)
            outcomes.append(outcome)
            display.show(outcome)
    return outcomes


if __name__ == "__main__":
    main()
