"""What a second trigger does, and what a run remembers of those that gave way to it (S1.10)."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from angarium.core.campaigns.runs import Cancel, Refuse, Start
from tests.campaigns.examples import CART, DAY, HOUR, MINUTE, T0, Journal, kinds, rule_of

PHONE, LAPTOP = "phone", "laptop"


@pytest.mark.parametrize(
    ("retrigger", "arrivals", "expected"),
    [
        ("restart", [0], [0]),
        ("restart", [0, 10, 20], [20]),
        ("restart", [20, 0, 10], [20]),
        ("ignore", [0, 10, 20], [0]),
        ("ignore", [20, 10, 0], [0]),
        ("ignore", [0, 60], [0, 60]),  # the first was due at 60
        ("ignore", [0, 59], [0]),
        ("ignore", [60, 0], [0, 60]),
        ("ignore", [40, 80, 0], [0, 80]),  # 80 had given way to 40, which gives way to 0
        ("each", [0, 10, 20], [0, 10, 20]),
        ("each", [20, 0, 10], [0, 10, 20]),
    ],
)
def test_a_second_trigger_while_waiting(
    retrigger: str, arrivals: list[int], expected: list[int]
) -> None:
    rule = rule_of({**CART, "delay": "PT1H", "retrigger": retrigger})
    journal = Journal(rule)
    for at in arrivals:
        journal.say("AddToCart", at * MINUTE, now=0)

    assert journal.waits_for == [at * MINUTE for at in expected]


@pytest.mark.parametrize(
    ("retrigger", "second", "expected"),
    [
        ("restart", 10, ["Cancel", "Start"]),
        ("restart", -10, Refuse("superseded", {"latest": "2026-11-22T10:00:00.000Z"})),
        ("ignore", 10, Refuse("already_waiting", {"since": "2026-11-22T10:00:00.000Z"})),
        ("ignore", -10, ["Cancel", "Start"]),
        ("each", 10, ["Start"]),
    ],
)
def test_what_becomes_of_it_is_told(retrigger: str, second: int, expected: Any) -> None:
    journal = Journal(rule_of({**CART, "retrigger": retrigger}))
    journal.say("AddToCart", 0)
    actions = journal.say("AddToCart", second * MINUTE)

    if isinstance(expected, Refuse):
        assert actions[-1] == expected
    else:
        assert kinds(actions) == expected


@pytest.mark.parametrize(
    ("retrigger", "reason"), [("restart", "restarted"), ("ignore", "replaced")]
)
def test_the_run_that_gives_way_says_to_what(retrigger: str, reason: str) -> None:
    journal = Journal(rule_of({**CART, "retrigger": retrigger}))
    journal.say("AddToCart", 0)
    cancel = journal.say("AddToCart", HOUR if retrigger == "restart" else -HOUR)[0]

    assert isinstance(cancel, Cancel)
    assert cancel.reason == reason
    assert list(cancel.saw) == ["trigger"]


def test_a_late_stop_brings_back_the_trigger_that_was_ignored() -> None:
    """By event time the first was stopped before the second came."""
    journal = Journal(rule_of({**CART, "retrigger": "ignore"}))
    journal.say("AddToCart", 10, item="book")
    journal.say("AddToCart", 30, item="lamp")
    actions = journal.say("Purchase", 20)

    assert kinds(actions) == ["CancelDeliveries", "Cancel", "Start"]
    (run,) = journal.waiting
    assert run.context["event"]["properties"] == {"item": "lamp"}
    assert "others" not in run.context
    assert run.due_at == T0 + 30 + DAY


def test_per_device_a_stop_brings_back_the_trigger_of_the_other_device() -> None:
    journal = Journal(rule_of({**CART, "same_device": True}))
    journal.say("AddToCart", 10, device=PHONE)
    journal.say("AddToCart", 30, device=LAPTOP)
    assert journal.waits_for == [30]
    journal.say("Purchase", 40, device=LAPTOP)

    assert journal.waits_for == [10]
    assert journal.waiting[0].device == PHONE


def test_a_run_remembers_a_bounded_number_of_others() -> None:
    journal = Journal(rule_of({**CART, "retrigger": "ignore"}))
    for at in range(100):
        journal.say("AddToCart", at)

    (run,) = journal.waiting
    remembered = [at for at, *_ in run.context["others"]]
    assert remembered == [T0 + at for at in (*range(1, 20), 99)]


def test_what_a_run_remembers_is_not_told_to_templates() -> None:
    journal = Journal(rule_of({**CART, "retrigger": "ignore"}))
    journal.say("AddToCart", 0)
    journal.say("AddToCart", 1)
    journal.tick(DAY)

    assert set(journal.messages[0].context) == {"event", "messageId"}


def test_runs_survive_the_store() -> None:
    """The context is JSON, and what comes back from it goes on as before."""
    journal = Journal(rule_of({**CART, "retrigger": "ignore"}))
    for at in (10, 30, 50):
        journal.say("AddToCart", at, item=at)
        stored = {
            id: replace(run, context=msgspec.json.decode(msgspec.json.encode(run.context)))
            for id, run in journal.runs.items()
        }
        assert stored == journal.runs
        journal.runs = stored
    journal.say("Purchase", 40)

    assert journal.waits_for == [50]


@pytest.mark.parametrize(
    ("retrigger", "late", "refused"),
    [
        ("restart", -30, "superseded"),  # would have given way to the one that was sent
        ("restart", -90, None),  # would have been sent before it
        ("restart", 30, None),
        ("ignore", 30, "already_waiting"),
        ("ignore", 60, None),
        ("ignore", -30, None),
        ("each", 30, None),
    ],
)
def test_a_trigger_that_comes_after_the_message_it_belonged_to_sends_no_second(
    retrigger: str, late: int, refused: str | None
) -> None:
    journal = Journal(rule_of({**CART, "delay": "PT1H", "retrigger": retrigger}))
    journal.say("AddToCart", 0)
    journal.tick(HOUR)
    (action,) = journal.say("AddToCart", late * MINUTE, now=HOUR + 1)

    if refused:
        assert isinstance(action, Refuse)
        assert action.reason == refused
    else:
        assert isinstance(action, Start)


def test_while_the_hours_are_closed_a_trigger_restarts_or_is_ignored() -> None:
    night = 12 * HOUR  # 22:00
    for retrigger, expected in (("restart", [1]), ("ignore", [0]), ("each", [0, 1])):
        send_at = {"trigger": {"event": "Signed Up"}, "retrigger": retrigger}
        hours = {"zone": "UTC", "mon": ["09:00-21:00"]}
        journal = Journal(rule_of(send_at, active_hours=hours))
        for at in (0, 1):
            journal.say("Signed Up", night + at)
        assert journal.waits_for == [night + at for at in expected]


def test_the_same_message_twice_changes_nothing_the_second_time() -> None:
    journal = Journal(rule_of(CART))
    journal.say("AddToCart", 0, id="m")
    before = dict(journal.runs)

    assert journal.say("AddToCart", 0, id="m") == []
    assert journal.runs == before
