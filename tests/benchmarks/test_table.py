from pathlib import Path

import msgspec
import pytest

from benchmarks.model import Bar, Outcome, Row, Spread
from benchmarks.results import Results, merge, read_results, write_results
from benchmarks.table import (
    BEGIN,
    END,
    PAGES,
    ROOT,
    MarksMissing,
    number,
    table,
    write_table,
    write_tables,
)


def spread(value: float) -> Spread:
    return Spread(value, value, value)


def outcome(id_: str = "P1", rate: float = 50_000.0) -> Outcome:
    figures = {"rate": spread(rate), "floor": spread(100_000.0), "ratio": spread(0.5)}
    row = Row("batches of 100", {**figures, "p99_ms": spread(12.34)})
    bars = [Bar("of the floor", 0.5, 0.25), Bar("events/s", rate, 60_000)]
    return Outcome(id_, "HTTP ingest", "decoded and dropped", "events/s", [row], bars)


def results(*cases: Outcome, quick: bool = False) -> Results:
    machine: dict[str, str | int] = {
        "cores": 2, "processor": "Some CPU", "memory_gib": 24, "system": "Linux x86_64",
    }  # fmt: skip
    return Results("2026-11-22", 5, quick, 0.0, machine, {"python": "3.11.7"}, list(cases))


def test_the_table_is_written_between_the_marks_and_nothing_else_is_touched(
    tmp_path: Path,
) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nafter | with bars\n")
    write_table(page, results(outcome()))
    text = page.read_text()
    assert text.startswith(f"# Before\n\n{BEGIN}\n| ")
    assert text.endswith(f"{END}\n\nafter | with bars\n")
    assert "old" not in text


def test_writing_the_table_twice_changes_nothing(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"{BEGIN}{END}")
    write_table(page, results(outcome()))
    once = page.read_text()
    write_table(page, results(outcome()))
    assert page.read_text() == once


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_page_without_both_marks_is_left_alone(tmp_path: Path, text: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(MarksMissing, match=r"README\.md needs the marks"):
        write_table(page, results(outcome()))
    assert page.read_text() == text


def test_the_table_tells_figures_floor_ratio_and_bars_that_were_missed() -> None:
    lines = table(results(outcome())).splitlines()
    assert "**HTTP ingest**; floor: decoded and dropped" in lines[2]
    assert "events/s: 50,000 (at least 60,000, missed)" in lines[2]
    assert lines[3] == "| | batches of 100 | 50,000 events/s | 100,000 | 0.50 | p99 12.3 ms |"
    assert "5 rounds" in lines[-1]
    assert "2 cores (Some CPU, 24 GiB)" in lines[-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.12"), (12.34, "12.3"), (123.4, "123"), (1234.0, "1,230"), (45_678.0, "45,700")],
)
def test_a_number_has_as_many_digits_as_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    written = results(outcome())
    write_results(written, file)
    assert read_results(file) == written


def test_there_are_no_results_before_the_first_run(tmp_path: Path) -> None:
    assert read_results(tmp_path / "results.json") is None


def test_a_run_of_some_cases_keeps_what_was_measured_of_the_others() -> None:
    old = results(outcome("P1", 1.0), outcome("P11"))
    merged = merge(old, results(outcome("P2"), outcome("P1", 2.0)))
    assert [case.id for case in merged.cases] == ["P1", "P2", "P11"]
    assert merged.cases[0].rows[0].figures["rate"].median == 2.0


@pytest.mark.parametrize("change", [{"quick": True}, {"versions": {"python": "3.13.0"}}])
def test_figures_of_another_kind_of_run_are_not_mixed_in(change: dict[str, object]) -> None:
    old = msgspec.structs.replace(results(outcome("P2")), **change)
    assert merge(old, results(outcome("P1"))).cases == [outcome("P1")]


def test_cases_stand_in_the_order_of_their_numbers_and_others_after_them() -> None:
    ids = ["HOL", "P11", "P6C", "P6", "P2"]
    merged = merge(results(outcome("P7")), results(*[outcome(id_) for id_ in ids]))
    assert [case.id for case in merged.cases] == ["P2", "P6", "P6C", "P7", "P11", "HOL"]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_with_the_table_has_its_place(tmp_path: Path, name: str) -> None:
    (tmp_path / "docs").mkdir()
    write_tables(tmp_path, results(outcome()))
    assert table(results(outcome())) in (tmp_path / name).read_text(encoding="utf-8")


def test_what_is_written_around_the_table_is_ours_or_stays(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(f"Mine\n{BEGIN}{END}\n", encoding="utf-8")
    write_tables(tmp_path, None)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == f"Mine\n{BEGIN}{END}\n"
    ours = (ROOT / "README.fa.md").read_text(encoding="utf-8")
    assert (tmp_path / "README.fa.md").read_text(encoding="utf-8") == ours
