"""What an admin sees, and says, of providers that call most addresses dead."""

from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

from angarium.config.settings import Settings
from angarium.core.events.times import format_instant
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.store.tolls import HeldToll, list_held_tolls
from angarium.core.workers.clock import now
from angarium.core.workers.tolls import REMEDY, confirm, discard

PAGE: Final = 500
"""Addresses in one transaction: other writers wait no longer than for a usual batch."""

T = TypeVar("T")


def told(held: HeldToll) -> str:
    """In one line, without any address."""
    toll = held.toll
    since = format_instant(toll.held_since or 0)
    return (
        f"{held.provider} called {toll.all_deaths} addresses dead in its last"
        f" {max(toll.all_sends, toll.all_deaths)} messages; since {since} it is not believed,"
        f" {held.held} are held"
    )


def remedy(held: HeldToll) -> str:
    """What to do about it."""
    return REMEDY.replace("NAME", held.provider)


async def list_held(settings: Settings) -> list[HeldToll]:
    """The providers that are not believed now. Raises StoreError."""

    async def work(store: Store) -> list[HeldToll]:
        async with store.reading() as tx:
            return await list_held_tolls(tx)

    return await _on_store(settings, work)


async def decide(settings: Settings, provider: str, word: Literal["confirm", "discard"]) -> int:
    """Carry out, or forget, what is held of a provider; how many addresses. Raises StoreError."""

    async def page(tx: Transaction) -> int:
        return await confirm(tx, provider, PAGE, now())

    async def work(store: Store) -> int:
        if word == "discard":
            return await transact(store, lambda tx: discard(tx, provider))
        total = 0
        while count := await transact(store, page):
            total += count
        return total

    return await _on_store(settings, work)


async def _on_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    store = await open_store(settings.database.url)
    try:
        return await work(store)
    finally:
        await store.close()
