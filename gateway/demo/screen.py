"""How the demo says what it does: a bar that moves on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

WIDTH: Final = 116
"""Letters in a line where there is no terminal that says otherwise."""

Move = Callable[[int, int], None]
"""How much is done, and of how much."""


class Screen:
    """Writes to standard output."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.is_terminal = console.is_terminal

    @classmethod
    def open(cls) -> "Screen":
        """On a terminal its own width and colours."""
        console = Console()
        return cls(console if console.is_terminal else Console(width=WIDTH))

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(text, highlight=False)

    @contextmanager
    def working(self, what: str) -> Generator[Move, None, None]:
        """While entered, show that `what` is done, and how far it is."""
        reached = (0, 0)

        def move(done: int, of: int) -> None:
            nonlocal reached
            reached = (done, of)
            bar.update(task, completed=done, total=of or None)

        with self._bar() as bar:
            task = bar.add_task(what, total=None)
            yield move
            done, of = reached
            bar.update(task, completed=done or 1, total=of or 1)
        if not self.is_terminal:
            self.say(f"{what}: {done:,} of {of:,}" if of else f"{what}: done")

    def _bar(self) -> Progress:
        return Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            Elapsed(),
            console=self.console,
            disable=not self.is_terminal,
        )
