"""Answers kept by key: who gets it, and when another may take over."""

import pytest

from angarium.core.store import idempotency
from angarium.core.store.idempotency import KEPT_MS, TAKEOVER_MS, Kept, Name
from angarium.core.store.protocol import Store

NOW = 1_795_262_400_000
NAME = Name("default", "key_1", "k")


async def begun(store: Store, fingerprint: str, at: int = NOW, name: Name = NAME) -> Kept | None:
    async with store.transaction() as tx:
        return await idempotency.begin(tx, name, fingerprint, at)


@pytest.mark.parametrize(
    ("fingerprint", "after", "taken"),
    [
        ("same", TAKEOVER_MS - 1, False),
        ("same", TAKEOVER_MS, True),  # its process died
        ("other", TAKEOVER_MS, False),  # it may still have taken effect
        ("other", KEPT_MS, True),
    ],
)
async def test_a_request_without_an_answer_is_taken_over_by_itself_only(
    store: Store, fingerprint: str, after: int, taken: bool
) -> None:
    await begun(store, "same")

    kept = await begun(store, fingerprint, NOW + after)

    assert kept == (None if taken else Kept("same", None, None))


@pytest.mark.parametrize(("after", "taken"), [(KEPT_MS - 1, False), (KEPT_MS, True)])
async def test_an_answer_is_kept_for_a_day(store: Store, after: int, taken: bool) -> None:
    await begun(store, "same")
    async with store.transaction() as tx:
        await idempotency.finish(tx, NAME, 201, "{}")

    kept = await begun(store, "same", NOW + after)

    assert kept == (None if taken else Kept("same", 201, "{}"))


async def test_a_forgotten_key_is_free_and_an_answered_one_is_not_forgotten(store: Store) -> None:
    await begun(store, "same")
    async with store.transaction() as tx:
        await idempotency.forget(tx, NAME)
    assert await begun(store, "other") is None

    async with store.transaction() as tx:
        await idempotency.finish(tx, NAME, 201, "{}")
        await idempotency.forget(tx, NAME)
    assert await begun(store, "other") == Kept("other", 201, "{}")


@pytest.mark.parametrize(
    "name",
    [Name("other", "key_1", "k"), Name("default", "key_2", "k"), Name("default", "key_1", "l")],
)
async def test_workspaces_credentials_and_keys_are_apart(store: Store, name: Name) -> None:
    await begun(store, "same")

    assert await begun(store, "other", name=name) is None
