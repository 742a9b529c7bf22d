"""What somebody who waits sees: the progress of a run, and its figures."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.model import Case, Outcome
from benchmarks.table import number


class Display:
    """Prints to the terminal; elsewhere, a line for each case."""

    def __init__(self, console: Console, count: int) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=count)

    @contextmanager
    def running(self) -> Generator[None]:
        with self._progress:
            yield

    def say(self, case: Case, text: str) -> None:
        """What is being done."""
        self._progress.update(self._task, description=f"{case.id} {text}")

    def show(self, outcome: Outcome) -> None:
        """A case that was measured."""
        self._progress.advance(self._task)
        self._console.print(_table(outcome))
        for bar in outcome.bars:
            sign = "[green]reached[/]" if bar.met else "[red]missed[/]"
            word = "at least" if bar.wanted == "at_least" else "at most"
            self._console.print(
                f"  {sign}  {bar.text}: {number(bar.value)}, wanted {word} {number(bar.limit)}"
            )
        self._console.print()


def _table(outcome: Outcome) -> Table:
    title = f"{outcome.id}  {outcome.title} ({outcome.unit})"
    table = Table(title=title, title_justify="left", caption=_floor(outcome))
    names = list(dict.fromkeys(name for row in outcome.rows for name in row.figures))
    table.add_column("size")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for row in outcome.rows:
        cells = [row.figures.get(name) for name in names]
        table.add_row(row.size, *(number(cell.median) if cell else "" for cell in cells))
    return table


def _floor(outcome: Outcome) -> str | None:
    return f"floor: {outcome.floor}" if outcome.floor else None
