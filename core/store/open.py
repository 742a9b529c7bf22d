"""Open the store that a URL names. Only its own driver is imported, for quick starts."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from angarium.core.store.catalogue import QUERIES, load_queries
from angarium.core.store.errors import StoreUnavailable
from angarium.core.store.migrate import MIGRATIONS, load_migrations
from angarium.core.store.protocol import Store


async def open_store(
    url: str, *, queries: Sequence[Path] = (QUERIES,), migrations: Path = MIGRATIONS
) -> Store:
    """Open `sqlite:///file.db`, `sqlite:////absolute/file.db` or `postgresql://user@host/name`.

    It does not migrate. `queries`: folders of named queries. Raises StoreUnavailable.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from angarium.core.store.sqlite import SqliteStore

        path = _path(url)
        return await SqliteStore.open(
            path, load_queries("sqlite", queries), load_migrations("sqlite", migrations)
        )
    if scheme in ("postgresql", "postgres"):
        from angarium.core.store.postgres import PostgresStore

        return await PostgresStore.open(
            url, load_queries("postgres", queries), load_migrations("postgres", migrations)
        )
    raise StoreUnavailable(
        f"database.url: unknown scheme {scheme!r}; use sqlite:///file.db or postgresql://…"
    )


def sqlite_url(path: Path) -> str:
    """The URL of a file, absolute or relative to where the process runs."""
    return f"sqlite:///{quote(str(path))}"


def _path(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path[1:])  # as elsewhere, a fourth slash makes it absolute
    if parts.netloc or not path or parts.query or path == ":memory:":
        raise StoreUnavailable("database.url: write it as sqlite:///file.db, with a file on disk")
    return Path(path)
