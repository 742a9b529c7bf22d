"""A URL says which database it is, and a wrong one says what is wrong."""

from pathlib import Path

import pytest

from angarium.core.store.errors import StoreUnavailable
from angarium.core.store.open import open_store, sqlite_url


async def test_three_slashes_are_relative_and_four_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///relative.db", f"sqlite:///{tmp_path}/absolute.db"):
        store = await open_store(url)
        await store.migrate()
        await store.close()

    assert (tmp_path / "relative.db").exists()
    assert (tmp_path / "absolute.db").exists()


async def test_a_path_may_hold_any_characters(tmp_path: Path) -> None:
    path = tmp_path / "a b%20?#ü.db"
    store = await open_store(sqlite_url(path))
    await store.close()

    assert path.exists()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/file.db",
        "sqlite:///file.db?mode=ro",
        "mysql://localhost/x",
        "angarium.db",
        "",
    ],
)
async def test_other_urls_are_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"database\.url: .*sqlite:///file\.db"):
        await open_store(url)
