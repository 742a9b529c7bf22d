"""Somebody withdraws by a link or a reply: whose profile learns it, and what the log keeps."""

from uuid import uuid4

import pytest

from angarium.core.events.message import RESERVED_IDS
from angarium.core.people.identity import profile_of_user
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.workers import consent
from angarium.core.workers.heard import REACTION_KIND
from angarium.core.workers.identities import Merge
from angarium.core.workers.people import merge_rows
from tests.workers.people import NOW, apply, everybody, said


@pytest.fixture
def workspace() -> str:
    return uuid4().hex


async def withdraw(store: Store, workspace: str, profile: str, at: int = NOW + 9) -> None:
    async def work(tx: Transaction) -> None:
        await consent.opt_out(tx, workspace, profile, "email", at, f"w{at}")

    await transact(store, work)


async def test_who_withdrew_is_opted_out_and_their_log_says_so(
    store: Store, workspace: str
) -> None:
    login = said("m1", "identify", user_id="u1", traits={"email": "a@b.com"})
    await apply(store, workspace, [login])

    for _ in range(2):
        await withdraw(store, workspace, profile_of_user(workspace, "u1"))

    (person,) = await everybody(store, workspace)
    assert person["consents"]["email"] == "opted_out"
    assert person["events"] == [f"consent:w{NOW + 9}", "m1"]


async def test_who_was_erased_does_not_come_back(store: Store, workspace: str) -> None:
    await withdraw(store, workspace, profile_of_user(workspace, "u1"))

    assert await everybody(store, workspace) == []
    async with store.reading() as tx:
        assert list(await tx.fetch("export_events", workspace=workspace)) == []


async def test_who_became_somebody_known_withdraws_as_that_person(
    store: Store, workspace: str
) -> None:
    await apply(store, workspace, [said("m1", anonymous_id="a1")])
    async with store.reading() as tx:
        ((visitor, *_),) = await tx.fetch("export_profiles", workspace=workspace)
    login = said("m2", "identify", user_id="u1", anonymous_id="a1", at=1)
    await apply(store, workspace, [login])

    await withdraw(store, workspace, visitor)

    (person,) = await everybody(store, workspace)
    assert (person["user"], person["consents"]["email"]) == ("u1", "opted_out")


def test_no_sender_may_take_the_ids_of_our_own_entries() -> None:
    ((_, merge_id, *_),) = merge_rows("w", [Merge("prf_1", "prf_2", "a1", NOW)], NOW)

    ours = (str(merge_id), f"{consent.KIND}:1", f"{REACTION_KIND}:1")
    assert all(id.startswith(RESERVED_IDS) for id in ours)
