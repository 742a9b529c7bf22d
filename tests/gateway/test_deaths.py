"""What an admin sees, and says, of a provider that calls most addresses dead."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.config.load import Loaded, load
from angarium.core.store.attempts import Suppressed
from angarium.core.store.open import open_store
from angarium.core.store.suppressions import list_suppressions
from angarium.core.workers.clock import now
from angarium.core.workers.tolls import permit
from angarium.gateway.cli import main
from angarium.gateway.doctor import examine
from angarium.gateway.first import prepare_store

NAME = "email_console"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "angarium.toml"
    path.write_text(
        f'[data]\ndir = "{tmp_path}"\n'
        f'[database]\nurl = "sqlite:///{tmp_path}/angarium.db"\n'
        f"[channels.{NAME}]\n"
    )
    return path


@pytest.fixture
def doubted(settings_file: Path) -> Loaded:
    """An instance with a provider that called 60 of 60 addresses dead."""
    loaded = load(settings_file, {})

    async def call() -> None:
        await prepare_store(loaded.settings, now())
        store = await open_store(loaded.settings.database.url)
        dead = [
            (NAME, Suppressed("default", "email", f"p{n:02}@b.example", "bounced", now()))
            for n in range(60)
        ]
        async with store.transaction() as tx:
            await permit(tx, dead, {NAME: 60}, now())
        await store.close()

    asyncio.run(call())
    return loaded


@pytest.fixture
def invoke(settings_file: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(
            main, ["--config", str(settings_file), "plugins", *arguments], catch_exceptions=False
        )

    return run


def suppressed(loaded: Loaded) -> int:
    async def count() -> int:
        store = await open_store(loaded.settings.database.url)
        async with store.reading() as tx:
            found = await list_suppressions(tx, "default", None, ("", ""), 1000)
        await store.close()
        return len(found)

    return asyncio.run(count())


def test_it_is_said_wherever_somebody_looks(doubted: Loaded, invoke: Callable[..., Result]) -> None:
    [finding] = [one for one in asyncio.run(examine(doubted)) if one.check == "addresses"]
    listed, deaths = invoke("list"), invoke("deaths")

    assert finding.well is False
    assert f"{NAME} called 60 addresses dead in its last 60 messages" in finding.detail
    assert "20 are held" in finding.detail
    assert f"angarium plugins deaths {NAME} --confirm" in finding.remedy
    assert finding.detail in listed.output
    assert listed.exit_code == 1
    assert finding.detail in deaths.output
    assert "@" not in listed.output + deaths.output + finding.detail + finding.remedy


@pytest.mark.parametrize(
    ("word", "done", "count"), [("confirm", "carried out", 20), ("discard", "forgotten", 0)]
)
def test_an_admin_decides(
    doubted: Loaded, invoke: Callable[..., Result], word: str, done: str, count: int
) -> None:
    result = invoke("deaths", NAME, f"--{word}")

    assert result.output == f"20 deaths {done}; {NAME} is believed again.\n"
    assert suppressed(doubted) == count
    assert invoke("deaths").output == ""
    assert invoke("list").exit_code == 0


def test_nothing_is_done_without_a_word(doubted: Loaded, invoke: Callable[..., Result]) -> None:
    result = invoke("deaths", NAME)

    assert result.exit_code == 1
    assert "say --confirm" in result.output
    assert suppressed(doubted) == 0
