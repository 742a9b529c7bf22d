"""Quiet hours and caps at work: held with a reason, sent when they may be, on both stores."""

from typing import Any

import pytest

from angarium.core.delivery.rules import Cap, MessageRules, parse_quiet_hours
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.store.outcomes import find_delivery
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row
from tests.workers.offices import Director, Office

S = DeliveryState
QUIET = MessageRules(parse_quiet_hours("22:00-08:30"))
"""NOW is 08:00 in UTC."""


def capped(most: int) -> MessageRules:
    return MessageRules(caps=(Cap(most, DAY),))


async def became(office: Office, mail: Director, rules: MessageRules, **expected: int) -> None:
    async with office.delivering(mail, rules=rules):
        await office.became(**expected)


async def verdict_of(office: Office, gate: str, id: str = "dlv_1") -> dict[str, Any]:
    async with office.store.reading() as tx:
        found = await find_delivery(tx, "default", id)
    assert found is not None
    (verdict,) = [each for each in found.gates if each["gate"] == gate]
    return dict(verdict)


async def test_a_message_in_quiet_hours_is_held_and_sent_at_their_end(shop: Office) -> None:
    await shop.plan(new_delivery(expires_at=NOW + DAY))
    mail = Director()
    await became(shop, mail, QUIET, held=1)
    held = await row(shop.store)
    assert (held.reason, held.due_at) == ("quiet_hours", NOW + 30 * MINUTE)
    saw = (await verdict_of(shop, "quiet_hours"))["saw"]
    assert saw == {"zone": "UTC", "opensAt": "2027-01-15T08:30:00.000Z"}
    assert mail.messages == []
    shop.now = held.due_at
    await became(shop, mail, QUIET, accepted=1)


async def test_the_persons_own_zone_decides(shop: Office) -> None:
    await shop.person("prf_2", timezone="Asia/Tehran")
    await shop.plan(
        new_delivery("dlv_1", expires_at=NOW + DAY),
        new_delivery("dlv_2", profile_id="prf_2", expires_at=NOW + DAY),
    )
    mail = Director()
    await became(shop, mail, QUIET, held=1, accepted=1)
    assert mail.keys == ["dlv_2"]


async def test_what_would_be_late_after_the_quiet_hours_says_so(shop: Office) -> None:
    await shop.plan(new_delivery(expires_at=NOW + 20 * MINUTE))
    await became(shop, Director(), QUIET, skipped=1)
    assert (await row(shop.store)).reason == "expires_in_quiet_hours"


async def test_a_capped_message_is_held_until_there_is_room(shop: Office) -> None:
    mail = Director()
    await shop.plan(new_delivery("dlv_1"))
    await became(shop, mail, capped(1), accepted=1)
    shop.now += HOUR
    await shop.plan(new_delivery("dlv_2", due_at=shop.now, expires_at=shop.now + 2 * DAY))
    await became(shop, mail, capped(1), accepted=1, held=1)
    held = await row(shop.store, "dlv_2")
    assert (held.reason, held.due_at) == ("frequency_cap", NOW + DAY + 1)
    saw = (await verdict_of(shop, "frequency_cap", "dlv_2"))["saw"]
    assert saw == {"caps": [{"sent": 1, "most": 1, "withinSeconds": 86_400}]}
    shop.now = held.due_at
    await became(shop, mail, capped(1), accepted=2)
    assert mail.keys == ["dlv_1", "dlv_2"]


async def test_a_capped_message_ends_when_it_is_of_no_use(shop: Office) -> None:
    mail = Director()
    await shop.plan(new_delivery("dlv_1"))
    await became(shop, mail, capped(1), accepted=1)
    await shop.plan(new_delivery("dlv_2"))
    await became(shop, mail, capped(1), accepted=1, held=1)
    held = await row(shop.store, "dlv_2")
    assert held.due_at == held.expires_at == NOW + HOUR
    shop.now = held.due_at
    await became(shop, mail, capped(1), accepted=1, skipped=1)
    assert (await row(shop.store, "dlv_2")).reason == "expired"


@pytest.mark.parametrize("most", [1, 2])
async def test_a_batch_counts_within_itself_and_across_campaigns(shop: Office, most: int) -> None:
    for n in (2, 3):
        await shop.campaign(f"cmp_{n}")
    await shop.plan(*(new_delivery(f"dlv_{n}", campaign=f"cmp_{n}") for n in (1, 2, 3)))
    mail = Director()
    await became(shop, mail, capped(most), accepted=most, held=3 - most)
    assert len(mail.messages) == most


async def test_two_workers_keep_a_cap_together(office: Office) -> None:
    people = [f"prf_{n}" for n in range(20)]
    for campaign in ("cmp_1", "cmp_2", "cmp_3"):
        await office.campaign(campaign)
    for id in people:
        await office.person(id)
    await office.plan(
        *(
            new_delivery(f"dlv_{id}_{n}", profile_id=id, campaign=f"cmp_{n}")
            for n in (1, 2, 3)
            for id in people
        )
    )
    one, two = Director(), Director()
    more: dict[str, Any] = {"rules": capped(1), "batch": 7}
    async with (
        office.delivering(one, worker="w1", **more),
        office.delivering(two, worker="w2", **more),
    ):
        await office.became(accepted=20, held=40)
    got = [message.address for message in one.messages + two.messages]
    assert sorted(got) == sorted(f"{id}@example.org" for id in people)


async def test_a_transactional_message_passes_and_counts(shop: Office) -> None:
    mail = Director()
    receipts = [new_delivery(f"dlv_{n}", class_="transactional") for n in (1, 2)]
    await shop.plan(*receipts)
    await became(shop, mail, capped(1), accepted=2)
    await shop.plan(new_delivery("dlv_3"))
    await became(shop, mail, capped(1), accepted=2, held=1)


async def test_a_test_send_is_neither_held_nor_counted(shop: Office) -> None:
    rules = MessageRules(QUIET.open_hours, (Cap(1, DAY),))
    mail = Director()
    await shop.plan(*(new_delivery(f"dlv_{n}", test=True, source="test") for n in (1, 2)))
    await became(shop, mail, rules, accepted=2)
    await shop.plan(new_delivery("dlv_3"))
    await became(shop, mail, capped(1), accepted=3)
