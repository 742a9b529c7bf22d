"""What may be written for each channel."""

from typing import Any

import pytest

from angarium.core.campaigns.content import Content, Fallback, Writing, read_content
from angarium.core.delivery.templates import check_template
from angarium.core.events.times import HOUR, SECOND
from angarium.core.segments.reader import Reader

CHANNELS = ("email", "sms", "push", "web_push", "carrier_pigeon")


def read(content: Any) -> tuple[Content | None, dict[str, str]]:
    reader = Reader()
    found = read_content(Writing(reader, CHANNELS, check_template), content, "")
    return found, dict(reader.faults)


def faults(content: Any) -> dict[str, str]:
    return read(content)[1]


@pytest.mark.parametrize(
    ("channel", "message", "pointer", "words"),
    [
        ("email", {"html": "x"}, "/subject", "is missing"),
        ("email", {"subject": "x"}, "", "needs html or text"),
        ("email", {"subject": "x", "text": "y", "cc": "z"}, "/cc", "subject, html, text, from"),
        ("email", {"subject": "", "text": "y"}, "/subject", "must not be empty"),
        ("email", {"subject": "x" * 1001, "text": "y"}, "/subject", "1000 are allowed"),
        ("email", {"subject": "x", "html": "y" * 65537}, "/html", "65536 are allowed"),
        ("email", {"subject": "x", "text": "y", "from": "a\r\nb"}, "/from", "must be one line"),
        ("email", {"subject": "{{ x", "text": "y"}, "/subject", "line 1"),
        ("sms", {}, "/text", "is missing"),
        ("sms", {"text": "x" * 4097}, "/text", "4096 are allowed"),
        ("sms", {"text": "a\n{% nosuch %}"}, "/text", "line 2"),
        ("sms", {"text": "{% if a %}"}, "/text", ""),
        ("sms", "hi", "", "must be an object"),
        ("push", {}, "", "needs a title or a body"),
        ("push", {"silent": False}, "", "needs a title or a body"),
        ("web_push", {"link": "https://x.org"}, "", "needs a title or a body"),
        ("push", {"title": "x", "link": "javascript:alert(1)"}, "/link", "must lead to a web page"),
        ("push", {"title": "x", "link": " Java\tScript:x"}, "/link", "must lead to a web page"),
        ("push", {"title": "x", "image": "data:image/png,x"}, "/image", "must lead to a web page"),
        ("push", {"title": "x", "ttl": "P29D"}, "/ttl", "between 0 seconds and 28 days"),
        ("push", {"title": "x", "silent": "no"}, "/silent", "true or false"),
        ("push", {"title": "x", "data": {"a": []}}, "/data/a", "must be text, a number"),
        ("push", {"title": "x", "data": {"a": "{{"}}, "/data/a", "line 1"),
        ("push", {"title": "x", "data": {str(i): i for i in range(51)}}, "/data", "50 are allowed"),
        ("push", {"title": "x", "buttons": [{"id": "a"}]}, "/buttons/0/title", "is missing"),
        ("push", {"title": "x", "buttons": {}}, "/buttons", "up to 5 buttons"),
        ("push", {"title": "x", "buttons": [{}] * 6}, "/buttons", "up to 5 buttons"),
        (
            "push",
            {"title": "x", "buttons": [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]},
            "/buttons/1/id",
            "on another button already",
        ),
        ("fax", {"text": "x"}, "", "is no channel of this instance; there are carrier_pigeon"),
        ("carrier_pigeon", {}, "", "1 to 50 members"),
        ("carrier_pigeon", {"ring": "{% nosuch %}"}, "/ring", "line 1"),
        ("carrier_pigeon", {"ring": ["a\0"]}, "/ring", "U+0000"),
    ],
)
def test_a_fault_is_told_where_it_lies(
    channel: str, message: Any, pointer: str, words: str
) -> None:
    found = faults({channel: message})

    assert words in found[f"/{channel}{pointer}"]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("email", {"subject": "سلام {{ profile.first_name | default: 'دوست' }}", "text": "x"}),
        ("email", {"subject": "x", "html": "<b>{{ profile.a }}</b>", "reply_to": "a@x.org"}),
        ("push", {"silent": True, "data": {"refresh": "cart"}}),
        ("push", {"body": "only this", "data": {"empty": ""}}),
        ("push", {"title": "x", "link": "{{ event.properties.url }}", "ttl": "PT0S"}),
        ("carrier_pigeon", {"ring": "{{ profile.city }}", "speed": 3, "route": {"via": ["Qom"]}}),
    ],
)
def test_what_may_be_written(channel: str, message: Any) -> None:
    content, found = read({channel: message})

    assert not found
    assert content is not None
    assert content.messages == {channel: message}


SMS = {"text": "x"}
PUSH = {"title": "x"}


@pytest.mark.parametrize(
    ("content", "order"),
    [
        ({"sms": SMS}, ("sms",)),
        ({"order": ["sms"], "sms": SMS}, ("sms",)),
        ({"order": ["push", "sms"], "sms": SMS, "push": PUSH}, ("push", "sms")),
        ({"order": ["push"], "sms": SMS, "push": PUSH}, ("push",)),
    ],
)
def test_the_order_of_preference(content: Any, order: tuple[str, ...]) -> None:
    found, wrong = read(content)

    assert not wrong
    assert found is not None
    assert found.order == order


@pytest.mark.parametrize(
    ("content", "pointer", "words"),
    [
        ({"sms": SMS, "push": PUSH}, "/order", "say which channel is to be preferred"),
        ({"order": [], "sms": SMS}, "/order", "a list of 1 to 1"),
        ({"order": "sms", "sms": SMS}, "/order", "must be a list"),
        ({"order": ["email"], "sms": SMS}, "/order/0", "for which nothing is written"),
        ({"order": [["sms"]], "sms": SMS}, "/order/0", "for which nothing is written"),
        ({"order": ["sms", "sms"], "sms": SMS, "push": PUSH}, "/order/1", "twice"),
        ({"fallback": {"after": "PT2H"}, "sms": SMS}, "/fallback", "a second channel"),
    ],
)
def test_an_order_that_makes_no_sense(content: Any, pointer: str, words: str) -> None:
    assert words in faults(content)[pointer]


TWO: dict[str, Any] = {"order": ["push", "sms"], "sms": SMS, "push": PUSH}


@pytest.mark.parametrize(
    ("fallback", "expected"),
    [
        ({"after": "PT2H"}, Fallback(2 * HOUR, frozenset({"shown", "opened", "clicked"}))),
        ({"after": "PT1S", "unless": ["clicked"]}, Fallback(SECOND, frozenset({"clicked"}))),
        (None, None),
    ],
)
def test_a_fallback_is_read(fallback: Any, expected: Fallback | None) -> None:
    """S1.14"""
    found, wrong = read({**TWO, "fallback": fallback})

    assert not wrong
    assert found is not None
    assert found.fallback == expected


@pytest.mark.parametrize(
    ("fallback", "pointer", "words"),
    [
        ("PT2H", "/fallback", "must be an object"),
        ({}, "/fallback/after", "is missing"),
        ({"after": "2 hours"}, "/fallback/after", "ISO 8601"),
        ({"after": "PT0S"}, "/fallback/after", "between 1 second and 365 days"),
        ({"after": "P366D"}, "/fallback/after", "between 1 second and 365 days"),
        ({"after": "PT1H", "unless": []}, "/fallback/unless", "1 to 3"),
        ({"after": "PT1H", "unless": ["delivered"]}, "/fallback/unless/0", "one of shown"),
        ({"after": "PT1H", "unless": [["shown"]]}, "/fallback/unless/0", "one of shown"),
        ({"after": "PT1H", "then": "sms"}, "/fallback/then", "has no meaning"),
    ],
)
def test_a_fallback_that_makes_no_sense(fallback: Any, pointer: str, words: str) -> None:
    assert words in faults({**TWO, "fallback": fallback})[pointer]
