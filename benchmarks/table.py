"""The figures as a table in Markdown, written between two marks of a page."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.model import Bar, Outcome, Row, Spread
from benchmarks.results import Results

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/performance.md", "README.md", "README.fa.md")
"""Where the table stands."""

BEGIN = "<!-- benchmarks:begin -->"
END = "<!-- benchmarks:end -->"


class MarksMissing(ValueError):
    """The page has no place for the table."""


def write_tables(root: Path, results: Results | None) -> None:
    """Write the table into every page below `root`; None: nothing was measured, nothing changes.

    Where `root` has no such page yet, ours is taken: the rest of it is written by hand. Raises
    MarksMissing.
    """
    for name in PAGES:
        page = root / name
        if not page.exists():
            page.write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
        if results is not None:
            write_table(page, results)


def write_table(page: Path, results: Results) -> None:
    """Write the table between the marks in `page`, and nothing else. Raises MarksMissing."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MarksMissing(f"{page.name} needs the marks {BEGIN} and {END}, in this order")
    page.write_text(f"{before}{BEGIN}\n{table(results)}{END}{after}", encoding="utf-8")


def table(results: Results) -> str:
    """One line for each case at each size, and under it where and when it was measured."""
    lines = [
        "| | what | measured | floor | of the floor | besides |",
        "|---|---|---|---|---|---|",
        *(line for case in results.cases for line in _lines(case)),
        "",
        _where(results),
    ]
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """As many digits as mean something."""
    if value >= 1000:
        return f"{round(value, -2 if value >= 10_000 else -1):,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _lines(case: Outcome) -> Iterable[str]:
    floor = f"; floor: {case.floor}" if case.floor else ""
    yield f"| **{case.id}** | **{case.title}**{floor} | | | | {_bars(case.bars)} |"
    for row in case.rows:
        yield _line(row, case.unit)


def _line(row: Row, unit: str) -> str:
    figures = dict(row.figures)
    rate, floor, ratio = (figures.pop(name, None) for name in ("rate", "floor", "ratio"))
    cells = (
        row.size,
        f"{number(rate.median)} {unit}" if rate else "",
        number(floor.median) if floor else "",
        f"{ratio.median:.2f}" if ratio else "",
        _besides(figures),
    )
    return "| | " + " | ".join(cells) + " |"


def _besides(figures: dict[str, Spread]) -> str:
    """Other figures by name and unit: `p99_ms` is a p99 in ms."""
    words: list[str] = []
    for name, spread in figures.items():
        label, _, unit = name.rpartition("_")
        if unit in UNITS and label:
            words.append(f"{label.replace('_', ' ')} {number(spread.median)} {UNITS[unit]}")
        else:
            words.append(f"{name.replace('_', ' ')} {number(spread.median)}")
    return ", ".join(words)


UNITS = {"ms": "ms", "s": "s", "mib": "MiB"}


def _bars(bars: Iterable[Bar]) -> str:
    return "; ".join(
        f"{bar.text}: {number(bar.value)} ({'at least' if bar.wanted == 'at_least' else 'at most'}"
        f" {number(bar.limit)}{'' if bar.met else ', missed'})"
        for bar in bars
    )


def _where(results: Results) -> str:
    machine, versions = results.machine, results.versions
    software = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured on {results.date}, medians of {results.rounds} rounds in turn with the floor, "
        f"on {machine['cores']} cores ({machine['processor']}, {machine['memory_gib']} GiB), load "
        f"generator, broker, database and all processes on the same machine. {software}."
    )
