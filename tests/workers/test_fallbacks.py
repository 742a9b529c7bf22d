"""S1.14: the next channel, if nobody reacted to the message on the first; on both stores."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from angarium.core.delivery.fallback import EXPIRES
from angarium.core.delivery.feedback import Feedback
from angarium.core.delivery.record import NewDelivery
from angarium.core.delivery.rules import Cap, MessageRules
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.store import fallbacks
from angarium.core.store.feedback import apply_feedback
from angarium.core.store.ledger import Withdrawal, cancel, move_profile
from angarium.core.store.outcomes import Filters, StoredDelivery, list_deliveries
from angarium.core.store.resends import resend
from angarium.core.workers.fallbacks import Fallbacks
from angarium.plugins import PermanentFailure
from angarium.plugins.channel import EMAIL, SMS
from tests.delivery.examples import NOW, new_delivery
from tests.workers.offices import CAMPAIGN, Director, Office, TextDirector, fails_with

S = DeliveryState
AFTER = 2 * HOUR
CONTENT: dict[str, Any] = {**CAMPAIGN["content"], "fallback": {"after": "PT2H"}}


class Desk:
    """An office, and whoever looks after the timers."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.mail = Director()
        self.text = TextDirector()
        channels = {"email": EMAIL, "sms": SMS}
        self.timers = Fallbacks(office.store, office.publisher, channels, lambda: office.now)

    async def deliver(self, **expected: int) -> None:
        async with self.office.delivering(self.mail, self.text):
            await self.office.became(**expected)

    async def at(self, moment: int) -> int:
        """Look after the timers at that instant; how many were looked at."""
        self.office.now = moment
        return await self.timers.fire()

    async def rows(self) -> Sequence[StoredDelivery]:
        """All deliveries as they came."""
        async with self.office.store.reading() as tx:
            found = await list_deliveries(tx, "default", Filters(), (2**60, ""), 100)
        return sorted(found, key=lambda one: (one.planned_at, one.channel != "email"))

    async def channels(self) -> list[str]:
        return [one.channel for one in await self.rows()]

    async def react(self, kind: str, id: str = "dlv_1") -> None:
        said = [Feedback(kind, self.office.now, id=f"{kind} {id}", delivery=id)]
        await self.office.publisher.commit(
            lambda tx, changes: apply_feedback(tx, "default", said, changes, self.office.now)
        )

    async def timer(self) -> int | None:
        async with self.office.store.reading() as tx:
            return await fallbacks.next_due(tx)


def first(**changes: Any) -> NewDelivery:
    given: dict[str, Any] = {"step": "send", "fallback_after": AFTER, **changes}
    return new_delivery(**given)


@pytest.fixture
async def desk(office: Office) -> Desk:
    """A campaign with a fallback, and somebody whose first message is planned."""
    await office.campaign(content=CONTENT)
    await office.person()
    await office.plan(first())
    return Desk(office)


async def test_who_does_not_react_is_tried_on_the_next_channel_once(desk: Desk) -> None:
    await desk.deliver(accepted=1)
    assert await desk.at(NOW + AFTER - 1) == 0
    assert await desk.channels() == ["email"]

    assert await desk.at(NOW + AFTER) == 1
    mail, text = await desk.rows()
    assert (text.channel, text.state, text.step, text.source) == (
        "sms",
        "planned",
        "send",
        "campaign",
    )
    assert (text.due_at, text.expires_at) == (NOW + AFTER, NOW + AFTER + HOUR)
    assert (text.campaign, text.version, text.triggered_at) == ("cmp_1", 1, mail.triggered_at)

    await desk.deliver(accepted=2)
    assert [message.content.text for message in desk.text.messages] == ["Hello Sara"]
    assert await desk.at(NOW + 9 * AFTER) == 0
    assert await desk.timer() is None


@pytest.mark.parametrize("kind", ["shown", "opened", "clicked"])
async def test_who_reacts_needs_no_other_message(desk: Desk, kind: str) -> None:
    await desk.deliver(accepted=1)
    await desk.react(kind)
    assert await desk.at(NOW + AFTER) == 1
    assert (await desk.channels(), await desk.timer()) == (["email"], None)


async def test_only_the_reactions_that_are_named_count(office: Office) -> None:
    content = {**CONTENT, "fallback": {"after": "PT2H", "unless": ["clicked"]}}
    await office.campaign(content=content)
    await office.person()
    await office.plan(first())
    desk = Desk(office)
    await desk.deliver(accepted=1)
    await desk.react("opened")
    await desk.at(NOW + AFTER)
    assert await desk.channels() == ["email", "sms"]


async def test_a_late_reaction_still_counts_before_the_next_message_goes(desk: Desk) -> None:
    await desk.deliver(accepted=1)
    await desk.at(NOW + AFTER)
    await desk.react("opened")
    await desk.deliver(accepted=1, skipped=1)
    _, text = await desk.rows()
    assert (text.state, text.reason, desk.text.messages) == ("skipped", "reacted", [])


async def test_the_time_runs_from_the_hand_over(desk: Desk) -> None:
    await desk.office.set_campaign("paused")
    await desk.deliver(held=1)
    assert await desk.at(NOW + AFTER) == 1  # not sent yet
    assert await desk.timer() == NOW + 2 * AFTER
    desk.office.now = NOW + MINUTE
    await desk.office.set_campaign("active")
    await desk.deliver(accepted=1)
    assert await desk.at(NOW + 2 * AFTER) == 1
    assert await desk.channels() == ["email", "sms"]


async def test_a_message_that_goes_out_late_is_given_its_time(desk: Desk) -> None:
    await desk.office.set_campaign("paused")
    await desk.deliver(held=1)
    await desk.office.set_campaign("active")
    desk.office.now = NOW + 30 * MINUTE
    await desk.deliver(accepted=1)
    await desk.at(NOW + AFTER)
    assert (await desk.channels(), await desk.timer()) == (["email"], NOW + AFTER + 30 * MINUTE)
    await desk.at(NOW + AFTER + 30 * MINUTE)
    assert await desk.channels() == ["email", "sms"]


async def test_what_failed_was_not_seen_by_anybody(desk: Desk) -> None:
    desk.mail = Director(fails_with(PermanentFailure("email_director: no such box")))
    await desk.deliver(failed=1)
    await desk.at(NOW + AFTER)
    await desk.deliver(failed=1, accepted=1)
    assert len(desk.text.messages) == 1


@pytest.mark.parametrize("opened", [False, True])
async def test_what_was_sent_again_is_given_its_time_too(desk: Desk, opened: bool) -> None:
    """Who opens the second sending needs no other message, though the first one failed."""
    desk.mail = Director(fails_with(PermanentFailure("email_director: away")))
    await desk.deliver(failed=1)
    desk.office.now = NOW + HOUR
    again = await desk.office.publisher.commit(
        lambda tx, changes: resend(tx, "default", "dlv_1", changes, NOW + HOUR)
    )
    assert again is not None
    desk.mail = Director()
    await desk.deliver(failed=1, accepted=1)
    if opened:
        await desk.react("opened", again)

    await desk.at(NOW + AFTER)
    await desk.at(NOW + HOUR + AFTER)

    assert await desk.channels() == ["email", "email", "sms"][: 2 + (not opened)]
    assert await desk.timer() is None


async def test_what_a_gate_refused_was_not_seen_either(desk: Desk) -> None:
    await desk.office.person(revision=2, email_opt_in=False)
    await desk.deliver(skipped=1)
    await desk.at(NOW + AFTER)
    await desk.deliver(skipped=1, accepted=1)


async def test_the_next_message_passes_the_gates_as_any_other(desk: Desk) -> None:
    """S2.10: fallbacks included."""
    await desk.deliver(accepted=1)
    await desk.office.person(revision=2, sms_opt_in=False)
    await desk.at(NOW + AFTER)
    await desk.deliver(accepted=1, skipped=1)
    _, text = await desk.rows()
    assert (text.reason, desk.text.messages) == ("opted_out", [])


@pytest.mark.parametrize("planned", [False, True])
async def test_a_stop_ends_it(desk: Desk, planned: bool) -> None:
    """S1.4: before the next channel is tried, or after it is planned."""
    await desk.deliver(accepted=1)
    if planned:
        await desk.at(NOW + AFTER)
    stop = [Withdrawal("default", "prf_1", "cmp_1", NOW)]
    await desk.office.publisher.commit(lambda tx, c: cancel(tx, stop, "stopped", c, NOW))
    assert await desk.timer() is None
    await desk.at(NOW + AFTER)
    states = [one.state for one in await desk.rows()]
    assert states == ["accepted", "cancelled"][: 1 + planned]


@pytest.mark.parametrize(
    "stop",
    [
        Withdrawal("default", "prf_1", "cmp_1", NOW - HOUR),
        Withdrawal("default", "prf_2", "cmp_1", NOW),
        Withdrawal("default", "prf_1", "cmp_2", NOW),
        Withdrawal("other", "prf_1", "cmp_1", NOW),
    ],
)
async def test_a_stop_of_something_else_does_not(desk: Desk, stop: Withdrawal) -> None:
    await desk.deliver(accepted=1)
    await desk.office.publisher.commit(lambda tx, c: cancel(tx, [stop], "stopped", c, NOW))
    await desk.at(NOW + AFTER)
    assert await desk.channels() == ["email", "sms"]


async def test_what_was_cancelled_has_no_next_channel(desk: Desk) -> None:
    gone = [Withdrawal("default", "prf_1")]
    await desk.office.publisher.commit(lambda tx, c: cancel(tx, gone, "erased", c, NOW))
    await desk.at(NOW + AFTER)
    assert await desk.channels() == ["email"]


async def test_after_a_merge_the_one_person_gets_it(desk: Desk) -> None:
    await desk.deliver(accepted=1)
    await desk.office.person("prf_2")
    await desk.office.publisher.commit(
        lambda tx, c: move_profile(tx, "default", "prf_1", "prf_2", c, NOW)
    )
    await desk.at(NOW + AFTER)
    assert [one.profile_id for one in await desk.rows()] == ["prf_2", "prf_2"]


async def test_whoever_looks_at_once_plans_it_once(desk: Desk) -> None:
    for n in range(2, 30):
        await desk.office.person(f"prf_{n}")
    await desk.office.plan(*(first(id=f"dlv_{n}", profile_id=f"prf_{n}") for n in range(2, 30)))
    await desk.deliver(accepted=29)
    desk.office.now = NOW + AFTER
    await asyncio.gather(*(desk.timers.fire() for _ in range(4)))
    await desk.timers.fire()
    channels = await desk.channels()
    assert (channels.count("email"), channels.count("sms")) == (29, 29)


async def test_a_campaigns_limit_does_not_stop_what_goes_in_place_of_the_first(
    office: Office,
) -> None:
    await office.campaign(content=CONTENT, limit={"per_person": 1, "within": "P1D"})
    await office.person()
    await office.plan(first())
    desk = Desk(office)
    await desk.deliver(accepted=1)
    await desk.at(NOW + AFTER)
    await desk.deliver(accepted=2)


async def test_the_operators_cap_holds_the_second(desk: Desk) -> None:
    rules = MessageRules(caps=(Cap(1, DAY),))
    await desk.deliver(accepted=1)
    await desk.at(NOW + AFTER)
    async with desk.office.delivering(desk.mail, desk.text, rules=rules):
        await desk.office.became(accepted=1, held=1)
    _, text = await desk.rows()
    assert text.reason == "frequency_cap"


async def test_no_message_of_a_decision_goes_after_its_end(desk: Desk) -> None:
    until = NOW + AFTER + MINUTE
    decided = first(id="dlv_2", source="decision", context={"data": {}, EXPIRES: until})
    await desk.office.plan(decided)
    await desk.deliver(accepted=2)
    await desk.at(NOW + AFTER)
    assert sorted(one.expires_at for one in await desk.rows() if one.channel == "sms") == [
        until,
        NOW + AFTER + HOUR,
    ]


async def test_nobody_can_be_reached_elsewhere_and_the_gates_say_why(office: Office) -> None:
    await office.campaign(content=CONTENT)
    await office.person(mobile=None)
    await office.plan(first())
    desk = Desk(office)
    await desk.deliver(accepted=1)
    await desk.at(NOW + AFTER)
    await desk.deliver(accepted=1, skipped=1)
    assert [one.reason for one in await desk.rows()] == ["", "no_address"]


async def test_a_timer_of_a_delivery_that_is_gone_is_dropped(desk: Desk) -> None:
    async with desk.office.store.transaction() as tx:
        await fallbacks.set_timers(tx, {("default", "dlv_that_is_gone"): NOW})
    assert await desk.at(NOW) == 1
    assert await desk.timer() == NOW + AFTER
