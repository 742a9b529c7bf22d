"""The four published uses work as written (S1.5)."""

import pytest

from angarium.core.campaigns.machine import on_event
from angarium.core.campaigns.runs import Occurrence
from angarium.core.events.totals import EventTotals, add_occurrence
from angarium.core.segments.conditions import Facts
from tests.campaigns.examples import DAY, HOUR, T0, Journal, kinds, rule_of

Story = list[tuple[str, int]]
"""(event, when in ms after T0), in order; `clock` lets time pass."""


def tell(journal: Journal, story: Story) -> list[int]:
    """When a message went out, for the triggers at which times."""
    for name, at in story:
        journal.tick(at)
        if name != "clock":
            journal.say(name, at)
    return journal.sent


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([("AddToCart", 0), ("clock", DAY - 1)], []),
        ([("AddToCart", 0), ("clock", DAY)], [0]),
        ([("AddToCart", 0), ("Purchase", DAY - 1), ("clock", 3 * DAY)], []),
        ([("AddToCart", 0), ("Purchase", DAY + 1), ("clock", 3 * DAY)], [0]),
        ([("Purchase", 0), ("AddToCart", 1), ("clock", 3 * DAY)], [1]),
        ([("AddToCart", 0), ("AddToCart", 20 * HOUR), ("clock", DAY)], []),
        ([("AddToCart", 0), ("AddToCart", 20 * HOUR), ("clock", 2 * DAY)], [20 * HOUR]),
        (
            [("AddToCart", 0), ("Purchase", 1), ("AddToCart", 2), ("clock", 2 * DAY)],
            [2],
        ),
    ],
)
def test_abandoned_cart(story: Story, expected: list[int]) -> None:
    """Who adds to the cart and does not buy within a day is reminded."""
    rule = rule_of(
        {"trigger": {"event": "AddToCart"}, "delay": "P1D", "stop": {"event": "Purchase"}}
    )

    assert tell(Journal(rule), story) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([("LevelUp", 0), ("clock", 7 * DAY)], [0]),
        ([("LevelUp", 0), ("LevelUp", 6 * DAY), ("clock", 12 * DAY)], []),
        ([("LevelUp", 0), ("LevelUp", 6 * DAY), ("clock", 13 * DAY)], [6 * DAY]),
        ([("LevelUp", 0), ("LevelUp", 8 * DAY), ("clock", 15 * DAY)], [0, 8 * DAY]),
    ],
)
def test_re_engagement(story: Story, expected: list[int]) -> None:
    """Who reaches no new level for a week is called back, once for each standstill."""
    rule = rule_of({"trigger": {"event": "LevelUp"}, "delay": "P7D", "stop": {"event": "LevelUp"}})

    assert tell(Journal(rule), story) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([("ArticleSaved", 0), ("clock", 3 * DAY)], [0]),
        ([("ArticleSaved", 0), ("ArticleRead", 2 * DAY), ("clock", 9 * DAY)], []),
        ([("ArticleSaved", 0), ("ArticleSaved", DAY), ("clock", 9 * DAY)], [0]),
    ],
)
def test_reminder(story: Story, expected: list[int]) -> None:
    """Who saved an article and did not read it for three days is reminded of the first one."""
    rule = rule_of(
        {
            "trigger": {"event": "ArticleSaved"},
            "delay": "P3D",
            "stop": {"event": "ArticleRead"},
            "retrigger": "ignore",
        }
    )

    assert tell(Journal(rule), story) == expected


def test_welcome_when_an_account_is_made() -> None:
    journal = Journal(rule_of({"trigger": {"event": "Signed Up"}}))

    assert kinds(journal.say("Signed Up", 0)) == ["Plan"]


def test_welcome_at_the_first_visit_and_at_no_other() -> None:
    """The trigger itself is counted when the audience is asked."""
    first_visit = {"event": "Page Viewed", "count": {"is": 1}}
    rule = rule_of({"trigger": {"event": "Page Viewed"}}, audience=first_visit)
    totals: EventTotals | None = None
    told: list[list[str]] = []
    for number in range(3):
        at = T0 + number * HOUR
        totals = add_occurrence(totals, at, {})
        facts = Facts(events={"Page Viewed": totals})
        occurrence = Occurrence("Page Viewed", {}, at, f"m{number}")
        told.append(kinds(on_event(rule, (), occurrence, facts, at, profile="prf_1")))

    assert told == [["Plan"], ["Refuse"], ["Refuse"]]
