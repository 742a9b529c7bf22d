"""Which stops count for a trigger, and which of two is later."""

import pytest

from angarium.core.campaigns.triggers import Trigger, kills
from tests.campaigns.examples import CART, rule_of

PHONE, LAPTOP = "phone", "laptop"


def said(at: int, id: str = "t", device: str | None = PHONE, **properties: object) -> Trigger:
    return Trigger(at, id, device, properties)


@pytest.mark.parametrize(
    ("stop", "counts"),
    [
        (said(11, "s"), True),
        (said(10, "s"), True),
        (said(10, "a"), True),
        (said(9, "s"), False),
        (said(11, "t"), False),  # the same message
        (said(11, "s", LAPTOP), True),
        (said(11, "s", None), True),
    ],
)
def test_any_stop_at_or_after_the_trigger_counts(stop: Trigger, counts: bool) -> None:
    assert kills(rule_of(CART), stop, said(10)) is counts


@pytest.mark.parametrize(
    ("stop", "trigger", "counts"),
    [
        (said(11, "s", PHONE), said(10, "t", PHONE), True),
        (said(11, "s", LAPTOP), said(10, "t", PHONE), False),
        (said(11, "s", None), said(10, "t", PHONE), False),
        (said(11, "s", LAPTOP), said(10, "t", None), True),
        (said(11, "s", None), said(10, "t", None), True),
    ],
)
def test_per_device_the_trigger_says_whose_stop_counts(
    stop: Trigger, trigger: Trigger, counts: bool
) -> None:
    assert kills(rule_of({**CART, "same_device": True}), stop, trigger) is counts


@pytest.mark.parametrize(
    ("stop", "trigger", "counts"),
    [
        (said(10, "b", reset=True), said(10, "a", reset=True), True),
        (said(10, "a", reset=True), said(10, "b", reset=True), False),
        (said(10, "a", reset=True), said(10, "b", reset=False), True),  # the trigger is no stop
        (said(10, "b", reset=True), said(10, "a", reset=False), True),
    ],
)
def test_of_two_that_are_trigger_and_stop_in_one_the_larger_id_is_later(
    stop: Trigger, trigger: Trigger, counts: bool
) -> None:
    rule = rule_of(
        {
            "trigger": {"event": "LevelUp"},
            "stop": {"event": "LevelUp", "where": {"property": "reset", "is": True}},
            "delay": "P7D",
        }
    )

    assert kills(rule, stop, trigger) is counts
