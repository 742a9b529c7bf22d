"""What is refused in a condition, where, and with which remedy."""

from typing import Any

import pytest

from angarium.core.segments.conditions import InvalidDefinition, parse_condition, parse_where
from angarium.core.segments.parsing import MOST_NODES


def faults(condition: Any, **options: Any) -> dict[str, str]:
    with pytest.raises(InvalidDefinition) as raised:
        parse_condition(condition, **options)
    return dict(raised.value.errors)


@pytest.mark.parametrize(
    ("condition", "pointer", "words"),
    [
        (None, "", "must be an object"),
        ([], "", "must be an object"),
        ("city", "", "must be an object"),
        ({}, "", "must have one of all, any, none, attribute, event"),
        ({"atribute": "city", "is": "x"}, "", "must have one of"),
        ({"attribute": "city", "event": "A"}, "", "attribute and event at once"),
        ({"all": []}, "/all", "a list of 1 to"),
        ({"all": {"attribute": "city", "is": "x"}}, "/all", "must be a list"),
        ({"all": [{"known": True}], "limit": 3}, "/limit", "has no meaning here"),
        ({"attribute": "", "is": "x"}, "/attribute", "must not be empty"),
        ({"attribute": 5, "is": "x"}, "/attribute", "must be text"),
        ({"attribute": "x" * 51, "is": "x"}, "/attribute", "50 are allowed"),
        ({"attribute": "city"}, "", "compares nothing; add one of is, is_not"),
        ({"attribute": "city", "equals": "x"}, "/equals", "no operator here; use is, is_not"),
        ({"attribute": "city", "matches": ".*"}, "/matches", "no operator here"),
        ({"attribute": "a/b", "a/~b": 1}, "/a~1~0b", "no operator here"),
        ({"attribute": "city", "is": ["x"]}, "/is", "must be text, a number, true or false"),
        ({"attribute": "city", "is": ""}, "/is", '{"exists": false}'),
        ({"attribute": "city", "is": "x" * 1001}, "/is", "1000 are allowed"),
        ({"attribute": "city", "is": "a\0b"}, "/is", "U+0000"),
        ({"attribute": "city", "in": "x"}, "/in", "must be a list"),
        ({"attribute": "city", "in": []}, "/in", "must be a list of 1 to 1000"),
        ({"attribute": "city", "in": [{}]}, "/in/0", "must be text, a number"),
        ({"attribute": "age", "more_than": "3"}, "/more_than", "must be a number"),
        ({"attribute": "age", "more_than": True}, "/more_than", "must be a number"),
        ({"attribute": "age", "is": 2**63}, "/is", "at most 63 bits"),
        ({"attribute": "age", "is": 10**4999}, "/is", "at most 63 bits"),
        ({"attribute": "age", "at_most": float("inf")}, "/at_most", "finite"),
        ({"attribute": "age", "is": float("nan")}, "/is", "finite"),
        ({"attribute": "a", "exists": "yes"}, "/exists", "true or false"),
        ({"attribute": "a", "before": 5}, "/before", "-P30D for 30 days before now"),
        ({"attribute": "a", "before": "yesterday"}, "/before", "must be an instant"),
        ({"attribute": "a", "before": "-P1M"}, "/before", "must be an instant"),
        ({"attribute": "a", "before": "P99999W"}, "/before", "must be an instant"),
        ({"event": "A"}, "", "asks nothing of the event; add one of count, first, last"),
        ({"event": "", "count": {"is": 1}}, "/event", "must not be empty"),
        ({"event": "A", "count": 3}, "/count", '{"at_least": 3}'),
        ({"event": "A", "last": "-P30D"}, "/last", '{"before": "-P30D"}'),
        ({"event": "A", "count": {"before": "-P30D"}}, "/count/before", "use is, is_not, in"),
        ({"event": "A", "last": {"more_than": 3}}, "/last/more_than", "use before, after"),
        ({"event": "A", "count": {}}, "/count", "compares nothing"),
        ({"event": "A", "count": {"is": "3"}}, "/count/is", "must be a number"),
        ({"event": "A", "sum": {"is": 3}}, "/sum", 'add {"property": "…"}'),
        ({"event": "A", "property": "p", "count": {"is": 3}}, "/count", "stands without property"),
        ({"event": "A", "property": "p"}, "", "add one of sum, average, min, max, latest"),
        ({"event": "A", "count": {"is": 3}, "within": "P30D"}, "/within", "come with segments"),
        ({"event": "A", "count": {"is": 3}, "from": "2026-01-01"}, "/from", "come with segments"),
        ({"event": "A", "count": {"is": 3}, "where": {}}, "/where", "come with segments"),
        ({"event": "A", "median": {"is": 3}}, "/median", "has no meaning here"),
        ({"segment": "seg_1"}, "/segment", "come with segments"),
        ({"tag": 5}, "/tag", "must be text"),
        ({"tag": "a", "is": "b"}, "/is", "has no meaning here"),
        ({"known": "yes"}, "/known", "true or false"),
        ({"reachable": 5}, "/reachable", "must be text"),
    ],
)
def test_a_fault_names_its_place_and_the_remedy(condition: Any, pointer: str, words: str) -> None:
    found = faults(condition)

    assert pointer in found
    assert words in found[pointer]


def test_all_faults_are_named_at_once_below_the_pointer_of_the_condition() -> None:
    condition = {"all": [{"attribute": "a", "like": 1}, {"any": [{"tag": ""}, {"known": 1}]}, 7]}

    assert list(faults(condition, pointer="/audience")) == [
        "/audience/all/0/like",
        "/audience/all/1/any/0/tag",
        "/audience/all/1/any/1/known",
        "/audience/all/2",
    ]


def test_a_channel_that_does_not_exist_is_refused_with_those_that_do() -> None:
    found = faults({"reachable": "fax"}, channels=("email", "sms"))

    assert found == {"/reachable": "must be one of email, sms"}


def nested(depth: int) -> Any:
    condition: Any = {"known": True}
    for _ in range(depth - 1):
        condition = {"all": [condition]}
    return condition


def test_twenty_levels_are_allowed_and_no_more() -> None:
    parse_condition(nested(20))
    (found,) = faults(nested(21)).values()
    assert "20 levels" in found
    assert len(faults(nested(10_000))) == 1


def test_five_hundred_conditions_are_allowed_and_no_more() -> None:
    leaf = {"known": True}
    parse_condition({"all": [{"any": [leaf] * (MOST_NODES - 2)}]})
    assert len(faults({"all": [{"any": [leaf] * 400}, {"any": [leaf] * 400}]})) == 1
    assert len(faults({"all": [leaf] * 10_000})) == 1


def test_a_thousand_faults_are_not_all_told() -> None:
    assert len(faults({"attribute": "a", **{f"x{i}": 1 for i in range(1000)}})) == 100


def test_a_key_of_a_megabyte_does_not_come_back() -> None:
    (pointer,) = faults({"attribute": "a", "k" * 1_000_000: 1})

    assert len(pointer) == 101


def test_a_member_that_is_null_counts_as_left_out() -> None:
    parse_condition({"attribute": "city", "is": "Tehran", "in": None, "event": None})


@pytest.mark.parametrize(
    ("where", "pointer", "words"),
    [
        ({"attribute": "city", "is": "x"}, "", "must have one of all, any, none, property"),
        ({"event": "A", "count": {"is": 1}}, "", "must have one of"),
        ({"property": "amount"}, "", "compares nothing"),
        ({"property": "amount", "over": 3}, "/over", "no operator here"),
        ({"any": [{"property": "a", "more_than": "x"}]}, "/any/0/more_than", "must be a number"),
    ],
)
def test_a_where_speaks_of_properties_only(where: Any, pointer: str, words: str) -> None:
    with pytest.raises(InvalidDefinition) as raised:
        parse_where(where)

    assert words in dict(raised.value.errors)[pointer]
    assert (pointer or "/") in str(raised.value)
