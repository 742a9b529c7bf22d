"""Addresses that get nothing, as the gate looks for them."""

from angarium.core.store.attempts import Suppressed, suppress
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.recipients import find_suppressed
from angarium.core.store.retry import transact
from angarium.core.store.suppressions import list_suppressions


async def dead(store: Store, *addresses: tuple[str, str]) -> None:
    found = [Suppressed("default", *address, "bounced", 5) for address in addresses]

    async def work(tx: Transaction) -> None:
        await suppress(tx, found)

    await transact(store, work)


async def test_the_gate_finds_an_email_address_however_its_letters_are_written(
    store: Store,
) -> None:
    await dead(store, ("email", "Ann@example.org"), ("email", "ANN@example.org"))
    written = ("Ann@example.org", "ann@example.org", "aNN@EXAMPLE.org", "bob@example.org")

    async with store.reading() as tx:
        keys = {("default", "email", address) for address in written}
        found = await find_suppressed(tx, keys)
        listed = await list_suppressions(tx, "default", None, ("", ""), 10)

    assert found == {("default", "email", address): "bounced" for address in written[:3]}
    assert [one.address.lower() for one in listed] == ["ann@example.org"]


async def test_tokens_differ_by_every_letter(store: Store) -> None:
    await dead(store, ("push", "Token"))

    async with store.reading() as tx:
        keys = {("default", "push", "Token"), ("default", "push", "token")}
        found = await find_suppressed(tx, keys)

    assert found == {("default", "push", "Token"): "bounced"}
