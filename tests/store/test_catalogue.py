"""Query files are read strictly, and calls are checked against them."""

from pathlib import Path

import pytest

from angarium.core.store.catalogue import QUERIES, Catalogue, load_queries
from angarium.core.store.errors import QueryMistake
from angarium.core.store.protocol import Dialect

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgres")


def load(folder: Path, dialect: Dialect = "sqlite", **files: str) -> Catalogue:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    return load_queries(dialect, (folder,))


def test_a_query_has_a_name_a_description_and_sql(tmp_path: Path) -> None:
    text = (
        "-- About the file.\n\n"
        "-- name: one\n-- Gives one.\nselect 1;\n\n"
        "-- name: two\n-- Gives two.\n-- In two lines.\nselect\n  2\n"
    )
    catalogue = load(tmp_path, numbers=text)

    assert {query.name: query.sql for query in catalogue} == {
        "one": "select 1",
        "two": "select\n  2",
    }


@pytest.mark.parametrize(("dialect", "sql"), [("sqlite", "select 1"), ("postgres", "select 2")])
def test_a_query_of_the_engine_wins_over_the_plain_one(
    tmp_path: Path, dialect: Dialect, sql: str
) -> None:
    text = "-- name: one\n-- Plain.\nselect 1\n-- name: one [postgres]\n-- Its own.\nselect 2"

    assert load(tmp_path, dialect, numbers=text)["one"].sql == sql


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select 1", "SQL before the first"),
        ("-- name: one two\n-- Gives one.\nselect 1", "cannot read"),
        ("-- name: one [oracle]\n-- Gives one.\nselect 1", "cannot read"),
        ("-- name: one\nselect 1", "lacks its line of description"),
        ("-- name: one\n-- Gives one.\n", "lacks its line of description"),
        ("-- name: one\n-- One.\nselect 1\n-- name: one\n-- One.\nselect 2", "stands already"),
        ("-- name: one [postgres]\n-- One.\nselect 1", "one is not written for sqlite"),
        ("-- name: one\n-- One.\nselect {on}", "numbers.sql: one: unknown macro"),
    ],
)
def test_a_wrong_file_is_a_mistake(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(QueryMistake, match=message):
        load(tmp_path, numbers=text)


def test_a_name_in_two_files_is_a_mistake(tmp_path: Path) -> None:
    text = "-- name: one\n-- Gives one.\nselect 1"
    with pytest.raises(QueryMistake, match=r"second\.sql: one stands already in .*first\.sql"):
        load(tmp_path, first=text, second=text)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_our_own_files_are_in_order(dialect: Dialect) -> None:
    names = [query.name for query in load_queries(dialect, (QUERIES,))]

    assert names == sorted(set(names))
    assert "schema_version" in names


def test_arguments_are_ordered_for_postgres(tmp_path: Path) -> None:
    text = (
        "-- name: one\n-- One.\nselect :b, :a, :b from {pairs:keys x text, y text}, {in:ids text}"
    )
    query = load(tmp_path, "postgres", numbers=text)["one"]
    params = {"a": 1, "b": 2, "keys": [("k", "l"), ("m", "n")], "ids": {"i": 0}.keys()}

    assert query.numbered(params) == [2, 1, ["k", "m"], ["l", "n"], ["i"]]


def test_lists_travel_to_sqlite_as_json(tmp_path: Path) -> None:
    text = "-- name: one\n-- One.\nselect :a from {pairs:keys x text, y text}"
    query = load(tmp_path, "sqlite", numbers=text)["one"]

    assert query.named({"a": [1], "keys": [("س", None)]}) == {"a": [1], "keys": '[["س",null]]'}
