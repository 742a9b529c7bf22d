"""What conditions mean: api.md's operators on one person."""

from typing import Any

import pytest

from angarium.core.events.times import parse_instant
from angarium.core.segments.conditions import (
    EventTotals,
    Facts,
    events_used,
    matches,
    parse_condition,
    parse_where,
    saw,
    where_matches,
)

NOW = parse_instant("2026-11-22T10:00:00Z")
DAY = 86_400_000

SHOPPER = Facts(
    attributes={
        "city": "Tehran",
        "age": 30,
        "score": 4.5,
        "vip": True,
        "birth_date": "1990-05-01",
        "registered_on": "2026-11-20T08:00:00+03:30",
        "tags": ["tester", "beta"],
    },
    events={
        "Purchase": EventTotals(
            3, NOW - 40 * DAY, NOW - 5 * DAY, {"amount": [600, 100, 300, 200, NOW - 5 * DAY, 3]}
        )
    },
    known=True,
    reachable=frozenset({"sms"}),
)
NOBODY = Facts()


def holds(condition: Any, facts: Facts = SHOPPER) -> bool:
    return matches(parse_condition(condition), facts, NOW)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"attribute": "city", "is": "Tehran"}, True),
        ({"attribute": "city", "is": "tehran"}, False),
        ({"attribute": "city", "is_not": "Shiraz"}, True),
        ({"attribute": "city", "is_not": "Tehran"}, False),
        ({"attribute": "city", "in": ["Shiraz", "Tehran"]}, True),
        ({"attribute": "city", "in": ["Shiraz", 3, True]}, False),
        ({"attribute": "city", "not_in": ["Shiraz"]}, True),
        ({"attribute": "city", "contains": "hra"}, True),
        ({"attribute": "city", "contains": "Hra"}, False),
        ({"attribute": "city", "starts_with": "Teh"}, True),
        ({"attribute": "city", "starts_with": "ran"}, False),
        ({"attribute": "city", "exists": True}, True),
        ({"attribute": "city", "exists": False}, False),
        ({"attribute": "tags", "contains": "beta"}, True),
        ({"attribute": "tags", "contains": "bet"}, False),
        ({"attribute": "tags", "is": "beta"}, False),
        ({"attribute": "tags", "in": ["beta", "tester"]}, False),
        ({"tag": "tester"}, True),
        ({"tag": "test"}, False),
        ({"none": [{"tag": "tester"}]}, False),
        ({"attribute": "age", "is": 30}, True),
        ({"attribute": "age", "is": 30.0}, True),
        ({"attribute": "age", "in": [29, 30]}, True),
        ({"attribute": "age", "is": "30"}, False),
        ({"attribute": "age", "more_than": 30}, False),
        ({"attribute": "age", "at_least": 30}, True),
        ({"attribute": "age", "less_than": 31}, True),
        ({"attribute": "age", "at_most": 29}, False),
        ({"attribute": "age", "at_least": 18, "less_than": 30}, False),
        ({"attribute": "age", "at_least": 18, "less_than": 65}, True),
        ({"attribute": "age", "starts_with": "3"}, False),
        ({"attribute": "score", "more_than": 4}, True),
        ({"attribute": "vip", "is": True}, True),
        ({"attribute": "vip", "is": 1}, False),
        ({"attribute": "vip", "in": [1, "true"]}, False),
        ({"attribute": "vip", "at_least": 1}, False),
        ({"attribute": "age", "is": True}, False),
    ],
)
def test_an_attribute_is_compared_by_value_and_type(test: Any, expected: bool) -> None:
    assert holds(test) is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"attribute": "birth_date", "before": "2000-01-01"}, True),
        ({"attribute": "birth_date", "after": "2000-01-01"}, False),
        ({"attribute": "birth_date", "before": "1990-05-01"}, False),
        ({"attribute": "registered_on", "after": "-P3D"}, True),
        ({"attribute": "registered_on", "after": "-P2D"}, False),
        ({"attribute": "registered_on", "before": "-P1D"}, True),
        ({"attribute": "registered_on", "before": "P1D"}, True),
        ({"attribute": "registered_on", "before": "2026-11-20T04:30:00.001Z"}, True),
        ({"attribute": "registered_on", "before": "2026-11-20T04:30:00Z"}, False),
        ({"attribute": "city", "before": "2027-01-01"}, False),
        ({"attribute": "age", "before": "2027-01-01"}, False),
    ],
)
def test_dates_are_compared_as_instants(test: Any, expected: bool) -> None:
    assert holds(test) is expected


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"is": "x"}, False),
        ({"is_not": "x"}, True),
        ({"in": ["x", 1]}, False),
        ({"not_in": ["x", 1]}, True),
        ({"more_than": -1}, False),
        ({"at_least": 0}, False),
        ({"less_than": 1}, False),
        ({"at_most": 0}, False),
        ({"contains": "x"}, False),
        ({"starts_with": "x"}, False),
        ({"before": "P1D"}, False),
        ({"after": "-P1D"}, False),
        ({"exists": True}, False),
        ({"exists": False}, True),
    ],
)
def test_a_missing_value_passes_only_is_not_not_in_and_exists_false(
    comparison: Any, expected: bool
) -> None:
    assert holds({"attribute": "anything", **comparison}, NOBODY) is expected
    assert where_matches(parse_where({"property": "p", **comparison}), {}, NOW) is expected


@pytest.mark.parametrize(
    ("test", "shopper", "nobody"),
    [
        ({"event": "Purchase", "count": {"at_least": 3}}, True, False),
        ({"event": "Purchase", "count": {"is": 0}}, False, True),
        ({"event": "Purchase", "count": {"in": [2, 3]}}, True, False),
        ({"event": "Purchase", "count": {"at_least": 1, "at_most": 2}}, False, False),
        ({"event": "Purchase", "last": {"before": "-P4D"}}, True, False),
        ({"event": "Purchase", "last": {"before": "-P30D"}}, False, False),
        ({"event": "Purchase", "first": {"before": "-P30D"}}, True, False),
        (
            {"event": "Purchase", "first": {"after": "2026-10-01", "before": "2026-11-01"}},
            True,
            False,
        ),
        ({"event": "Purchase", "property": "amount", "sum": {"more_than": 500}}, True, False),
        ({"event": "Purchase", "property": "amount", "average": {"is": 200}}, True, False),
        ({"event": "Purchase", "property": "amount", "min": {"less_than": 100}}, False, False),
        ({"event": "Purchase", "property": "amount", "max": {"at_least": 300}}, True, False),
        ({"event": "Purchase", "property": "amount", "latest": {"is": 200}}, True, False),
        ({"event": "Purchase", "property": "weight", "sum": {"at_least": 0}}, False, False),
        ({"event": "Purchase", "count": {"is": 3}, "last": {"after": "-P6D"}}, True, False),
        ({"event": "Purchase", "count": {"is": 3}, "last": {"after": "-P4D"}}, False, False),
    ],
)
def test_an_events_totals_are_compared(test: Any, shopper: bool, nobody: bool) -> None:
    assert holds(test) is shopper
    assert holds(test, NOBODY) is nobody


@pytest.mark.parametrize(
    ("test", "shopper", "nobody"),
    [
        ({"known": True}, True, False),
        ({"known": False}, False, True),
        ({"reachable": "sms"}, True, False),
        ({"reachable": "email"}, False, False),
    ],
)
def test_people_are_known_and_reachable_or_not(test: Any, shopper: bool, nobody: bool) -> None:
    assert holds(test) is shopper
    assert holds(test, NOBODY) is nobody


YES: Any = {"attribute": "city", "is": "Tehran"}
NO: Any = {"attribute": "city", "is": "Shiraz"}


@pytest.mark.parametrize(
    ("members", "all_", "any_", "none"),
    [
        ([YES], True, True, False),
        ([NO], False, False, True),
        ([YES, NO], False, True, False),
        ([NO, YES], False, True, False),
        ([NO, NO], False, False, True),
        ([YES, {"none": [NO]}], True, True, False),
        ([{"any": [NO, {"all": [YES, YES]}]}], True, True, False),
    ],
)
def test_groups_combine(members: list[Any], all_: bool, any_: bool, none: bool) -> None:
    assert holds({"all": members}) is all_
    assert holds({"any": members}) is any_
    assert holds({"none": members}) is none


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"property": "amount", "more_than": 100}, True),
        ({"property": "amount", "more_than": 150}, False),
        ({"property": "category", "is": "shoes"}, True),
        ({"property": "colours", "contains": "red"}, True),
        ({"property": "colours", "contains": "re"}, False),
        ({"property": "check_in", "before": "P7D"}, True),
        ({"property": "check_in", "before": "P1D"}, False),
        (
            {"all": [{"property": "amount", "more_than": 100}, {"property": "gift", "is": True}]},
            True,
        ),
        ({"none": [{"property": "category", "in": ["shoes", "hats"]}]}, False),
        ({"any": [{"property": "none", "exists": True}, {"property": "gift", "is": True}]}, True),
    ],
)
def test_a_where_looks_at_the_event_at_hand(test: Any, expected: bool) -> None:
    properties = {
        "amount": 150,
        "category": "shoes",
        "colours": ["red", "blue"],
        "gift": True,
        "check_in": "2026-11-25",
    }

    assert where_matches(parse_where(test), properties, NOW) is expected


@pytest.mark.parametrize("text", ["'; DROP TABLE profiles; --", "100%", "a\\b", "$.city", "a_b"])
def test_text_with_meaning_elsewhere_is_plain_text_here(text: str) -> None:
    facts = Facts(attributes={"x": text})

    assert holds({"attribute": "x", "is": text}, facts)
    assert holds({"attribute": "x", "contains": text}, facts)
    assert not holds({"attribute": "x", "is": text}, Facts(attributes={"x": text + "x"}))


def test_the_events_that_a_condition_reads_are_known() -> None:
    condition = parse_condition(
        {
            "all": [
                {"event": "A", "count": {"is": 1}},
                {"none": [{"event": "B", "last": {"after": "-P1D"}}]},
            ]
        }
    )

    assert events_used(condition) == {"A", "B"}
    assert not condition.asks_reachable
    assert parse_condition({"any": [{"reachable": "sms"}]}).asks_reachable


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (NO, {"attribute": "city", "is": "Shiraz", "value": "Tehran"}),
        ({"all": [YES, NO]}, {"attribute": "city", "is": "Shiraz", "value": "Tehran"}),
        (
            {"any": [NO, {"event": "Purchase", "count": {"more_than": 5}}]},
            {
                "any": [
                    {"attribute": "city", "is": "Shiraz", "value": "Tehran"},
                    {"event": "Purchase", "count": {"more_than": 5}, "value": 3},
                ]
            },
        ),
        ({"none": [NO, YES]}, {"none": [{"attribute": "city", "is": "Tehran", "value": "Tehran"}]}),
        (
            {"event": "Purchase", "last": {"before": "-P30D"}},
            {
                "event": "Purchase",
                "last": {"before": "-P30D"},
                "value": "2026-11-17T10:00:00.000Z",
            },
        ),
        (
            {"event": "Login", "last": {"before": "-P30D"}},
            {"event": "Login", "last": {"before": "-P30D"}, "value": None},
        ),
        (
            {"event": "Purchase", "property": "amount", "sum": {"less_than": 5}},
            {"event": "Purchase", "property": "amount", "sum": {"less_than": 5}, "value": 600},
        ),
        ({"known": False}, {"known": False, "value": True}),
        ({"reachable": "email"}, {"reachable": "email", "value": False}),
    ],
)
def test_what_was_looked_at_is_told(condition: Any, expected: Any) -> None:
    assert saw(parse_condition(condition), SHOPPER, NOW) == expected


def test_what_is_told_is_short() -> None:
    facts = Facts(attributes={"bio": "ا" * 900, "list": ["x"] * 50, "object": {"a": 1}})

    bio = saw(parse_condition({"attribute": "bio", "is": "y" * 900}), facts, NOW)
    assert len(bio["value"]) == len(bio["is"]) == 101
    cities = saw(parse_condition({"attribute": "list", "in": ["y"] * 50}), facts, NOW)
    assert len(cities["value"]) == len(cities["in"]) == 5
    assert saw(parse_condition({"attribute": "object", "is": "y"}), facts, NOW)["value"] == "{…}"
