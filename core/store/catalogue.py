"""The named queries: read once from `queries/*.sql`, expanded for one engine.

-- name: find_profile
-- One profile by its id, merged or not.
select … where workspace = :workspace and id = :id

-- name: claim_deliveries [postgres]
-- …the same name again, for one engine only: it wins there over the plain one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from angarium.core.store.errors import QueryMistake
from angarium.core.store.macros import Expanded, expand
from angarium.core.store.protocol import Dialect

QUERIES = Path(__file__).with_name("queries")

_HEADER = re.compile(r"-- name: (\S+)(?: \[(sqlite|postgres)\])?")
_DESCRIPTION = re.compile(r"-- \S.*")


@dataclass(frozen=True, slots=True)
class Query:
    """One named query as one engine understands it."""

    name: str
    expanded: Expanded

    @property
    def sql(self) -> str:
        return self.expanded.sql

    def named(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """SQLite's arguments: values by name, lists as JSON arrays. Raises QueryMistake."""
        self._check(params)
        lists = self.expanded.lists
        return {name: _array(value) if name in lists else value for name, value in params.items()}

    def numbered(self, params: Mapping[str, Any]) -> list[Any]:
        """PostgreSQL's $1, $2, …; a list of tuples gives an array per column."""
        self._check(params)
        lists = {name: list(params[name]) for name in self.expanded.lists}
        return [
            lists.get(name, params[name])
            if column is None
            else [row[column] for row in lists[name]]
            for name, column in self.expanded.slots
        ]

    def _check(self, params: Mapping[str, Any]) -> None:
        if self.expanded.columns:
            raise QueryMistake(f"{self.name} has {{rows:}}: call it with many()")
        if frozenset(params) != self.expanded.parameters:
            wanted = ", ".join(sorted(self.expanded.parameters)) or "no parameters"
            given = ", ".join(sorted(params)) or "none"
            raise QueryMistake(f"{self.name} takes {wanted}; given: {given}")


class Catalogue:
    """The queries of one engine by name."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = queries

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())

    def __getitem__(self, name: str) -> Query:
        """The query of this name. Raises QueryMistake."""
        try:
            return self._queries[name]
        except KeyError:
            raise QueryMistake(f"there is no query {name!r} in core/store/queries") from None

    def rows(self, name: str, rows: Sequence[tuple[Any, ...]]) -> Query:
        """The query of this name, fit for `many(rows)`. Raises QueryMistake."""
        query = self[name]
        if not (columns := query.expanded.columns):
            raise QueryMistake(f"{name} has no {{rows:}}: call it with run() or fetch()")
        if any(len(row) != columns for row in rows):
            raise QueryMistake(f"{name} takes rows of {columns} values")
        return query


def load_queries(dialect: Dialect, folders: Sequence[Path] = (QUERIES,)) -> Catalogue:
    """Read every `*.sql` in `folders` for `dialect`. Raises QueryMistake, naming file and query."""
    texts: dict[tuple[str, str | None], tuple[Path, str]] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.sql"))):
        for name, only, text in _split(path):
            if (name, only) in texts:
                raise QueryMistake(f"{path.name}: {name} stands already in {texts[name, only][0]}")
            texts[name, only] = path, text
    queries: dict[str, Query] = {}
    for name in sorted({name for name, _ in texts}):
        found = texts.get((name, dialect)) or texts.get((name, None))
        if not found:
            raise QueryMistake(f"{name} is not written for {dialect}")
        queries[name] = _query(name, *found, dialect)
    return Catalogue(queries)


def _query(name: str, path: Path, text: str, dialect: Dialect) -> Query:
    try:
        return Query(name, expand(text, dialect))
    except QueryMistake as error:
        raise QueryMistake(f"{path.name}: {name}: {error}") from None


def _split(path: Path) -> Iterator[tuple[str, str | None, str]]:
    """Cut a file into (name, engine or None, SQL)."""
    before, *parts = re.split(r"^(?=-- name:)", path.read_text(encoding="utf-8"), flags=re.M)
    if any(line and not line.startswith("--") for line in before.splitlines()):
        raise QueryMistake(f"{path.name}: SQL before the first `-- name:`")
    for part in parts:
        lines = part.rstrip().splitlines()
        if not (header := _HEADER.fullmatch(lines[0].rstrip())):
            raise QueryMistake(f"{path.name}: cannot read {lines[0]!r}")
        if len(lines) < 3 or not _DESCRIPTION.fullmatch(lines[1]):
            raise QueryMistake(f"{path.name}: {header[1]} lacks its line of description or its SQL")
        sql = "\n".join(line for line in lines[1:] if not line.lstrip().startswith("--"))
        yield header[1], header[2], sql.strip().removesuffix(";")


def _array(items: Sequence[Any]) -> str:
    return msgspec.json.encode(list(items)).decode()
