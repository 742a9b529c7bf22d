"""The delivery worker, from planned rows to recorded answers, on both stores."""

import asyncio
from typing import Any

import msgspec
import pytest

from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import HOUR, MINUTE, SECOND
from angarium.core.store.attempts import Suppressed, suppress
from angarium.core.store.outcomes import find_delivery
from angarium.plugins import Accepted, Message
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row, states
from tests.workers.offices import Director, Office

S = DeliveryState


async def test_a_planned_delivery_is_rendered_sent_and_recorded(shop: Office) -> None:
    await shop.plan(new_delivery())
    mail = Director()
    async with shop.delivering(mail):
        await mail.received(1)
    (message,) = mail.messages
    assert (message.key, message.address) == ("dlv_1", "prf_1@example.org")
    assert (message.content.subject, message.test) == ("Hello Sara", False)
    assert (message.at, message.deadline) == (NOW, NOW + HOUR)
    assert message.unsubscribe_url == shop.links.unsubscribe("dlv_1")
    now = await row(shop.store)
    assert (now.state, now.provider, now.provider_id) == (
        S.ACCEPTED,
        "email_director",
        "recorded-dlv_1",
    )
    assert (now.attempt, now.accepted_at) == (1, NOW)
    assert (mail.open_count, mail.close_count) == (1, 1)


async def test_links_and_verdicts_are_kept_for_whoever_asks(office: Office) -> None:
    html = '<a href="https://shop.example/{{ profile.first_name }}">look</a>'
    await office.campaign(content={"email": {"subject": "Hi", "html": html}})
    await office.person()
    await office.plan(new_delivery())
    mail = Director()
    async with office.delivering(mail):
        await mail.received(1)
    assert office.links.click("dlv_1", 0) in mail.messages[0].content.html
    async with office.store.reading() as tx:
        found = await find_delivery(tx, "default", "dlv_1")
    assert found is not None
    assert found.context["links"] == ["https://shop.example/Sara"]
    assert found.context["event"]["name"] == "Visit"
    assert [(gate["gate"], gate["verdict"]) for gate in found.gates] == [
        ("campaign", "send"),
        ("expiry", "send"),
        ("person", "send"),
        ("audience", "send"),
        ("fallback", "send"),
        ("opt_in", "send"),
        ("address", "send"),
        ("suppression", "send"),
        ("app", "send"),
        ("limit", "send"),
        ("frequency_cap", "send"),
        ("quiet_hours", "send"),
        ("active_hours", "send"),
        ("provider", "send"),
    ]


async def test_many_are_sent_each_once(office: Office) -> None:
    await office.campaign()
    count = 300
    for n in range(count):
        await office.person(f"prf_{n}")
    await office.plan(*(new_delivery(f"dlv_{n:03}", profile_id=f"prf_{n}") for n in range(count)))
    mail = Director()
    async with office.delivering(mail, concurrency=16, batch=10):
        await mail.received(count)
    assert sorted(mail.keys) == [f"dlv_{n:03}" for n in range(count)]
    assert await states(office.store) == {"accepted": count}


async def test_two_workers_never_send_the_same(office: Office) -> None:
    await office.campaign()
    await office.person()
    await office.plan(*(new_delivery(f"dlv_{n:03}") for n in range(200)))
    first, second = Director(), Director()
    settings: dict[str, Any] = {"concurrency": 8, "batch": 5}
    async with (
        office.delivering(first, worker="w1", **settings),
        office.delivering(second, worker="w2", **settings),
    ):
        await office.became(accepted=200)
    assert sorted(first.keys + second.keys) == [f"dlv_{n:03}" for n in range(200)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"email_opt_in": False}, "opted_out"),
        ({"email": None}, "no_address"),
        ({"email": "a@b.example>\r\nRSET"}, "bad_address"),
    ],
)
async def test_who_may_not_be_mailed_is_skipped_with_the_reason(
    office: Office, changes: dict[str, Any], reason: str
) -> None:
    await office.campaign()
    await office.person(**changes)
    await office.person("prf_2")
    await office.plan(new_delivery(), new_delivery("dlv_2", profile_id="prf_2"))
    mail = Director()
    async with office.delivering(mail):
        await office.became(accepted=1, skipped=1)
    assert mail.keys == ["dlv_2"]
    assert (await row(office.store)).reason == reason


async def test_a_test_send_does_not_get_round_an_opt_out(office: Office) -> None:
    """S2.10."""
    await office.campaign(state="draft")
    await office.person(email_opt_in=False)
    await office.person("prf_2")
    await office.plan(new_delivery(test=True), new_delivery("dlv_2", profile_id="prf_2", test=True))
    mail = Director()
    async with office.delivering(mail):
        await office.became(accepted=1, skipped=1)
    assert [(message.key, message.test) for message in mail.messages] == [("dlv_2", True)]


async def test_a_suppressed_address_gets_nothing(shop: Office) -> None:
    async with shop.store.transaction() as tx:
        dead = Suppressed("default", "email", "prf_1@example.org", "bounced", NOW)
        await suppress(tx, [dead])
    await shop.plan(new_delivery())
    async with shop.delivering(Director()):
        await shop.became(skipped=1)
    assert (await row(shop.store)).reason == "suppressed"


async def test_nobody_hears_of_a_paused_campaign_until_it_goes_on(shop: Office) -> None:
    await shop.set_campaign("paused")
    await shop.plan(new_delivery())
    mail = Director()
    async with shop.delivering(mail):
        await shop.became(held=1)
        assert (await row(shop.store)).reason == "campaign_paused"
        await shop.set_campaign("active")
        shop.now += MINUTE
        await mail.received(1)
    assert await states(shop.store) == {"accepted": 1}


async def test_the_limit_holds_within_one_batch(office: Office) -> None:
    """S1.9."""
    await office.campaign(limit={"per_person": 2, "within": "P1D"})
    await office.person()
    await office.plan(*(new_delivery(f"dlv_{n}") for n in range(5)))
    mail = Director()
    async with office.delivering(mail):
        await office.became(accepted=2, skipped=3)
    assert len(mail.messages) == 2


async def test_the_limit_counts_a_sliding_window(office: Office) -> None:
    await office.campaign(limit={"per_person": 1, "within": "PT1H"})
    await office.person()
    mail = Director()
    async with office.delivering(mail):
        await office.plan(new_delivery("dlv_1"))
        await office.became(accepted=1)
        office.now += HOUR - SECOND
        await office.plan(new_delivery("dlv_2", expires_at=NOW + 9 * HOUR))
        await office.became(accepted=1, skipped=1)
        office.now += 2 * SECOND
        await office.plan(new_delivery("dlv_3", expires_at=NOW + 9 * HOUR))
        await office.became(accepted=2, skipped=1)


async def test_outside_the_active_hours_a_message_waits(office: Office) -> None:
    """S1.9. NOW is a Friday, 08:00 UTC."""
    await office.campaign(active_hours={"zone": "UTC", "fri": ["09:30-10:00"]})
    await office.person()
    await office.plan(new_delivery(expires_at=NOW + 9 * HOUR))
    mail = Director()
    async with office.delivering(mail):
        await office.became(held=1)
        held = await row(office.store)
        assert (held.reason, held.due_at) == ("active_hours", NOW + 90 * MINUTE)
        office.now = held.due_at
        await mail.received(1)


async def test_who_left_the_audience_is_skipped_if_the_campaign_says_so(office: Office) -> None:
    """S1.7."""
    audience = {"attribute": "city", "is": "Tehran"}
    await office.campaign(audience=audience, leave_cancels=True)
    await office.campaign("cmp_2", audience=audience)
    await office.person(city="Shiraz")
    await office.plan(new_delivery("dlv_1"), new_delivery("dlv_2", campaign="cmp_2"))
    mail = Director()
    async with office.delivering(mail):
        await office.became(accepted=1, skipped=1)
    assert mail.keys == ["dlv_2"]
    assert (await row(office.store, "dlv_1")).reason == "left_audience"


async def test_a_template_that_fails_for_one_person_fails_for_no_other(office: Office) -> None:
    subject = "{{ 10 | divided_by: profile.n }}"
    await office.campaign(content={"email": {"subject": subject, "text": "hello"}})
    await office.person("prf_1", n=0)
    await office.person("prf_2", n=1)
    await office.plan(new_delivery("dlv_1"), new_delivery("dlv_2", profile_id="prf_2"))
    mail = Director()
    async with office.delivering(mail):
        await office.became(accepted=1, failed=1)
    assert mail.keys == ["dlv_2"]
    assert (await row(office.store, "dlv_1")).reason == "render_failed"


async def test_a_channel_without_a_provider_is_held(shop: Office) -> None:
    await shop.plan(new_delivery(channel="sms"))
    async with shop.delivering(Director()):
        await shop.became(held=1)
    assert (await row(shop.store)).reason == "no_provider"


class Unopened(Director):
    async def open(self) -> None:
        raise ValueError("channels.email_director.key_file: there is no such file")


async def test_a_provider_that_cannot_be_opened_leaves_its_channel_held(shop: Office) -> None:
    await shop.plan(new_delivery())
    mail = Unopened()
    async with shop.delivering(mail):
        await shop.became(held=1)
    assert (await row(shop.store)).reason == "no_provider"
    assert mail.messages == []


async def test_a_stopped_worker_ends_what_it_began_and_gives_back_the_rest(shop: Office) -> None:
    """D20, G11: no message in doubt from a clean stop."""
    await shop.plan(*(new_delivery(f"dlv_{n}") for n in range(10)))
    go_on = asyncio.Event()

    async def slow(message: Message) -> Accepted:
        await go_on.wait()
        return Accepted(message.key)

    mail = Director(slow)
    stop = asyncio.Event()
    working = asyncio.create_task(shop.deliverer(mail, concurrency=4).run(stop))
    await mail.received(4)
    stop.set()
    go_on.set()
    await working
    assert await states(shop.store) == {"accepted": 4, "planned": 6}
    assert mail.close_count == 1


async def test_an_unreadable_person_is_held_and_spoils_no_one_else(office: Office) -> None:
    """A gate, or what feeds it, fails closed."""
    await office.campaign()
    await office.person("prf_1", state={"consents": "nonsense"})
    await office.person("prf_2")
    await office.plan(new_delivery("dlv_1"), new_delivery("dlv_2", profile_id="prf_2"))
    mail = Director()
    async with office.delivering(mail):
        await office.became(accepted=1, held=1)
    assert mail.keys == ["dlv_2"]
    assert (await row(office.store, "dlv_1")).reason == "gate_error"


async def test_every_outcome_comes_back_as_a_report(shop: Office) -> None:
    """B4."""
    await shop.person("prf_2", email_opt_in=False)
    await shop.plan(new_delivery("dlv_1"), new_delivery("dlv_2", profile_id="prf_2"))
    async with shop.bus.pull("REPORTS", after=0) as puller:
        async with shop.delivering(Director()):
            await shop.became(accepted=1, skipped=1)
        told: list[tuple[str, str, str]] = []
        while len(told) < 4:
            for received in await puller.get(10):
                body = msgspec.json.decode(received.body)
                told.append((received.subject, body["delivery"], body["reason"]))
    subject = "angarium.reports.default.email"
    assert sorted(told) == [
        (f"{subject}.accepted", "dlv_1", ""),
        (f"{subject}.planned", "dlv_1", ""),
        (f"{subject}.planned", "dlv_2", ""),
        (f"{subject}.skipped", "dlv_2", "opted_out"),
    ]


async def test_a_message_that_the_store_cannot_hold_spoils_no_other(office: Office) -> None:
    """PostgreSQL's JSON holds no NUL; SQLite does, and there it is sent."""
    html = '<a href="https://a.example/{{ profile.path | url_decode }}">look</a>'
    await office.campaign(content={"email": {"subject": "Hi", "html": html}})
    await office.person("prf_1", path="a%00b")
    await office.person("prf_2", path="ab")
    await office.plan(new_delivery("dlv_1"), new_delivery("dlv_2", profile_id="prf_2"))
    mail = Director()
    async with office.delivering(mail):
        if office.store.dialect == "postgres":
            await office.became(accepted=1, held=1)
        else:
            await office.became(accepted=2)
    assert "dlv_2" in mail.keys
