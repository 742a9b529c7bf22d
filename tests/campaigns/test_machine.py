"""The machine, one behaviour at a time (S1.3, S1.4, S1.7 to S1.11)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from angarium.core.campaigns.machine import GRACE, on_change, on_event, on_tick
from angarium.core.campaigns.runs import (
    Cancel,
    CancelDeliveries,
    Occurrence,
    Plan,
    Refuse,
    Start,
    Wait,
)
from angarium.core.delivery.keys import make_id
from angarium.core.segments.conditions import EventTotals, Facts
from tests.campaigns.examples import (
    ANYBODY,
    CART,
    DAY,
    HOUR,
    T0,
    Journal,
    kinds,
    rule_of,
)

WELCOME = {"trigger": {"event": "Signed Up"}}
LEVEL = {"trigger": {"event": "LevelUp"}, "delay": "P7D", "stop": {"event": "LevelUp"}}


def test_without_a_delay_the_message_is_planned_at_once() -> None:
    journal = Journal(rule_of(WELCOME))
    (action,) = journal.say("Signed Up", 0, id="m-1", device="phone", plan="gold")

    assert isinstance(action, Plan)
    assert msgspec.to_builtins(action.run) == {
        "id": make_id("run_", "default", "cmp_1", "prf_1", "m-1"),
        "campaign": "cmp_1",
        "version": 1,
        "state": "sent",
        "step": "send",
        "due_at": T0,
        "triggered_at": T0,
        "device": "phone",
        "context": {
            "event": {
                "name": "Signed Up",
                "properties": {"plan": "gold"},
                "timestamp": "2026-11-22T10:00:00.000Z",
            },
            "messageId": "m-1",
        },
        "reason": None,
    }


def test_with_a_delay_it_waits_from_the_time_of_the_event() -> None:
    journal = Journal(rule_of(CART))
    (action,) = journal.say("AddToCart", 0, now=3 * HOUR)

    assert isinstance(action, Start)
    assert (action.run.state, action.run.step, action.run.due_at) == ("waiting", "wait", T0 + DAY)
    assert journal.tick(DAY - 1) == [Wait(action.run.id, T0 + DAY)]
    (plan,) = journal.tick(DAY)
    assert isinstance(plan, Plan)
    assert (plan.run.id, plan.run.state, plan.run.step) == (action.run.id, "sent", "send")
    assert journal.tick(2 * DAY) == []


def test_what_is_overdue_when_it_arrives_waits_for_the_clock_all_the_same() -> None:
    """So that a stop in the same late batch is heard first."""
    journal = Journal(rule_of(CART))

    assert kinds(journal.say("AddToCart", 0, now=2 * DAY)) == ["Start"]
    assert kinds(journal.say("Purchase", 9 * HOUR, now=2 * DAY)) == ["CancelDeliveries", "Cancel"]
    assert journal.tick(2 * DAY) == []


def test_an_event_that_is_not_meant_changes_nothing() -> None:
    where = {"property": "amount", "more_than": 100}
    rule = rule_of(
        {
            "trigger": {"event": "AddToCart", "where": where},
            "delay": "P1D",
            "stop": {"event": "Purchase", "where": where},
        }
    )
    journal = Journal(rule)

    assert journal.say("AddToCart", 0, amount=100) == ()
    assert kinds(journal.say("AddToCart", 1, amount=101)) == ["Start"]
    assert journal.say("Purchase", 2, amount=5) == ()
    assert kinds(journal.say("Purchase", 3, amount=500)) == ["CancelDeliveries", "Cancel"]


@pytest.mark.parametrize(
    ("stop_at", "arrives_at", "cancelled"),
    [
        (2 * HOUR, 2 * HOUR, True),
        (1, DAY - 1, True),
        (DAY + 1, DAY + 1, True),  # due, not yet fired: the stop came before the send
        (0, HOUR, True),  # at the very instant of the trigger
        (-1, HOUR, False),
        (-DAY, -DAY, False),
    ],
)
def test_a_stop_after_the_trigger_cancels_whenever_it_arrives(
    stop_at: int, arrives_at: int, cancelled: bool
) -> None:
    messages = [("AddToCart", 0, 0), ("Purchase", stop_at, arrives_at)]
    for order in (messages, messages[::-1]):
        journal = Journal(rule_of(CART))
        for name, at, now in order:
            journal.say(name, at, now=now)
        assert journal.waits_for == ([] if cancelled else [0])


def test_a_stop_says_whose_runs_and_deliveries_end_and_why() -> None:
    journal = Journal(rule_of(CART))
    (start,) = journal.say("AddToCart", 0)
    assert isinstance(start, Start)

    assert journal.say("Purchase", HOUR, device="phone") == [
        CancelDeliveries("cmp_1", 1, T0 + HOUR, same_device=False, device="phone"),
        Cancel(start.run.id, "stopped", {"event": "Purchase", "at": "2026-11-22T11:00:00.000Z"}),
    ]
    assert journal.say("AddToCart", HOUR // 2) == [
        Refuse("stopped", {"event": "Purchase", "last": "2026-11-22T11:00:00.000Z"})
    ]
    assert kinds(journal.say("AddToCart", HOUR + 1)) == ["Start"]


PHONE, LAPTOP = "phone", "laptop"


@pytest.mark.parametrize(
    ("trigger_device", "stop_device", "cancelled"),
    [
        (PHONE, PHONE, True),
        (PHONE, LAPTOP, False),
        (PHONE, None, False),
        (None, PHONE, True),
        (None, None, True),
    ],
)
def test_per_device_only_a_stop_from_the_device_of_the_trigger_counts(
    trigger_device: str | None, stop_device: str | None, cancelled: bool
) -> None:
    rule = rule_of({**CART, "same_device": True})
    for stop_first in (False, True):
        journal = Journal(rule)
        if stop_first:
            journal.say("Purchase", HOUR, device=stop_device)
        journal.say("AddToCart", 0, device=trigger_device)
        if not stop_first:
            journal.say("Purchase", HOUR, device=stop_device)
        assert journal.waits_for == ([] if cancelled else [0])


def test_the_device_of_a_stop_counts_for_planned_deliveries_too() -> None:
    (action,) = Journal(rule_of({**CART, "same_device": True})).say("Purchase", 0, device=PHONE)

    assert action == CancelDeliveries("cmp_1", 1, T0, same_device=True, device=PHONE)


def test_has_not_done_x_each_occurrence_starts_the_clock_again() -> None:
    journal = Journal(rule_of(LEVEL))

    assert kinds(journal.say("LevelUp", 0)) == ["CancelDeliveries", "Start"]
    assert kinds(journal.say("LevelUp", 2 * DAY)) == ["CancelDeliveries", "Cancel", "Start"]
    assert journal.waits_for == [2 * DAY]
    assert kinds(journal.say("LevelUp", DAY)) == ["CancelDeliveries", "Refuse"]
    assert journal.waits_for == [2 * DAY]
    assert kinds(journal.tick(9 * DAY)) == ["Plan"]
    assert journal.sent == [2 * DAY]


def test_an_occurrence_does_not_cancel_the_delivery_that_it_starts_itself() -> None:
    journal = Journal(rule_of({**LEVEL, "delay": "PT0S"}))
    cancel, plan = journal.say("LevelUp", 0)

    assert isinstance(cancel, CancelDeliveries)
    assert cancel.until == T0 - 1
    assert isinstance(plan, Plan)


@pytest.mark.parametrize("order", [("m1", "m2"), ("m2", "m1")])
def test_of_two_occurrences_at_one_instant_one_waits(order: tuple[str, str]) -> None:
    journal = Journal(rule_of(LEVEL))
    for message_id in order:
        journal.say("LevelUp", 0, id=message_id)

    assert [run.context["messageId"] for run in journal.waiting] == ["m2"]


IN_TEHRAN = {"attribute": "city", "is": "Tehran"}


def test_who_is_not_in_the_audience_at_the_trigger_gets_nothing_and_is_told_why() -> None:
    journal = Journal(rule_of(CART, audience=IN_TEHRAN), Facts(attributes={"city": "Shiraz"}))

    assert journal.say("AddToCart", 0) == [
        Refuse("not_in_audience", {"attribute": "city", "is": "Tehran", "value": "Shiraz"})
    ]
    journal.facts = Facts(attributes={"city": "Tehran"})
    assert kinds(journal.say("AddToCart", 1)) == ["Start"]


def test_relative_moments_count_from_the_time_of_the_trigger() -> None:
    lapsed = {"event": "Login", "last": {"before": "-P30D"}}
    facts = Facts(events={"Login": EventTotals(1, T0 - 31 * DAY, T0 - 31 * DAY, {})})
    journal = Journal(rule_of(CART, audience=lapsed), facts)

    assert kinds(journal.say("AddToCart", -2 * DAY, now=0)) == ["Refuse"]
    assert kinds(journal.say("AddToCart", 0)) == ["Start"]


@pytest.mark.parametrize("leave_cancels", [False, True])
def test_who_leaves_the_audience_while_waiting_gets_nothing_if_the_campaign_says_so(
    leave_cancels: bool,
) -> None:
    rule = rule_of(CART, audience=IN_TEHRAN, leave_cancels=leave_cancels)
    journal = Journal(rule, Facts(attributes={"city": "Tehran"}))
    journal.say("AddToCart", 0)
    (run,) = journal.waiting
    assert on_change(rule, [run], journal.facts, T0) == ()
    gone = Facts(attributes={"city": "Qom"})
    left = Cancel(run.id, "left_audience", {"attribute": "city", "is": "Tehran", "value": "Qom"})

    assert list(on_change(rule, [run], gone, T0)) == ([left] if leave_cancels else [])
    (at_due,) = on_tick(rule, run, gone, T0 + DAY)
    assert (at_due == left) is leave_cancels


DAYTIME = ["09:00-21:00"]
OFFICE = {"zone": "UTC", "sun": DAYTIME, "mon": DAYTIME, "tue": DAYTIME}
"""T0 is a Sunday, 10:00."""


@pytest.mark.parametrize(
    ("delay", "trigger_at", "due_at"),
    [
        ("PT1H", 0, HOUR),
        ("PT11H", 0, 23 * HOUR),  # at closing time
        ("P1D", 12 * HOUR, 47 * HOUR),
        ("PT0S", 12 * HOUR, 23 * HOUR),
        ("P3D", 0, 7 * DAY - HOUR),  # Wednesday is closed, and so on until Sunday
    ],
)
def test_active_hours_put_the_message_off(delay: str, trigger_at: int, due_at: int) -> None:
    journal = Journal(rule_of({**WELCOME, "delay": delay}, active_hours=OFFICE))
    (action,) = journal.say("Signed Up", trigger_at)

    assert isinstance(action, Start)
    assert action.run.due_at == T0 + due_at


def test_in_active_hours_nothing_is_put_off() -> None:
    journal = Journal(rule_of(WELCOME, active_hours=OFFICE))

    assert kinds(journal.say("Signed Up", 0)) == ["Plan"]
    assert kinds(journal.say("Signed Up", HOUR, now=12 * HOUR)) == ["Start"]
    (wait,) = journal.tick(12 * HOUR)
    assert isinstance(wait, Wait)
    assert wait.until == T0 + 23 * HOUR


def test_the_persons_own_zone_decides_when_it_is_open() -> None:
    hours = {"zone": "person", "sun": ["09:00-21:00"], "mon": ["09:00-21:00"]}
    rule = rule_of(WELCOME, active_hours=hours)
    tokyo = Journal(rule, Facts(attributes={"timezone": "Asia/Tokyo"}))  # 19:00 there
    later = 3 * HOUR

    assert kinds(tokyo.say("Signed Up", later)) == ["Start"]
    assert kinds(Journal(rule).say("Signed Up", later)) == ["Plan"]  # 16:30 in Tehran


def test_a_run_finishes_by_the_stop_of_the_version_that_it_began_with() -> None:
    old = rule_of(CART)
    new = replace(rule_of({**CART, "stop": {"event": "Order"}}), version=2)
    journal = Journal(old)
    journal.say("AddToCart", 0)
    journal.rule = new

    assert kinds(journal.say("Order", 1)) == ["CancelDeliveries"]
    assert journal.waits_for == [0]
    journal.rule = replace(old, entering=False)
    assert journal.say("AddToCart", 2) == ()
    assert kinds(journal.say("Purchase", 3)) == ["CancelDeliveries", "Cancel"]


def test_a_trigger_of_the_new_version_takes_the_place_of_a_run_of_the_old_one() -> None:
    journal = Journal(rule_of(CART))
    journal.say("AddToCart", 0)
    journal.rule = replace(journal.rule, version=2)
    journal.say("AddToCart", HOUR)

    assert [(run.version, run.triggered_at) for run in journal.waiting] == [(2, T0 + HOUR)]


def test_the_stop_of_an_old_version_leaves_the_runs_of_the_new_one_alone() -> None:
    new = replace(rule_of({**CART, "retrigger": "each"}), version=2)
    journal = Journal(new)
    journal.say("AddToCart", 0)
    journal.say("AddToCart", 1)
    journal.rule = replace(rule_of(CART), entering=False)
    journal.say("Purchase", 2)

    assert journal.waits_for == [0, 1]


def test_the_id_of_a_run_says_whose_it_is_and_what_began_it() -> None:
    def started(profile: str, message_id: str) -> str:
        occurrence = Occurrence("AddToCart", {}, T0, message_id)
        (start,) = on_event(rule_of(CART), (), occurrence, ANYBODY, T0, profile=profile)
        assert isinstance(start, Start)
        return start.run.id

    assert started("prf_1", "m1") == started("prf_1", "m1")
    assert len({started("prf_1", "m1"), started("prf_2", "m1"), started("prf_1", "m2")}) == 3


def test_a_run_that_does_not_wait_hears_no_clock() -> None:
    rule = rule_of(CART)
    journal = Journal(rule)
    journal.say("AddToCart", 0)
    (run,) = journal.waiting

    for state in ("sent", "cancelled"):
        assert on_tick(rule, replace(run, state=state), ANYBODY, T0 + DAY) == ()
    assert on_tick(rule, replace(run, due_at=None), ANYBODY, T0 + DAY) == ()


@pytest.mark.parametrize(
    ("send_at", "at", "begins"),
    [
        ({"trigger": {"event": "AddToCart"}}, 0, True),
        ({"trigger": {"event": "AddToCart"}}, -GRACE, True),
        ({"trigger": {"event": "AddToCart"}}, -GRACE - 1, False),
        ({"trigger": {"event": "AddToCart"}}, -DAY, False),
        (CART, -DAY, True),
        (CART, -DAY - GRACE - 1, False),
    ],
)
def test_what_was_due_well_before_the_activation_begins_nothing(
    send_at: Mapping[str, Any], at: int, begins: bool
) -> None:
    journal = Journal(rule_of(send_at, activated_at=T0))

    actions = journal.say("AddToCart", at, now=0)

    if begins:
        assert kinds(actions) in (["Plan"], ["Start"])
    else:
        assert actions == [Refuse("before_activation", {"activatedAt": "2026-11-22T10:00:00.000Z"})]
