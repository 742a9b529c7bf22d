from pathlib import Path

import pytest

from angarium.core.bus.reference import BEGIN, END, with_table, write_reference

ROOT = Path(__file__).parents[2]


def test_the_pages_are_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()

    write_reference(tmp_path)
    write_reference(tmp_path)

    for name in ("nats-subjects.md", "asyncapi.json"):
        now = (ROOT / "docs" / name).read_text("utf-8")
        assert now == (tmp_path / "docs" / name).read_text("utf-8"), f"{name}: run `make docs`"


def test_writing_again_changes_nothing() -> None:
    once = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    assert with_table(once) == once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once


def test_a_page_without_its_markers_is_told() -> None:
    with pytest.raises(ValueError, match="subjects"):
        with_table("no markers")
