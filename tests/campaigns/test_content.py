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
        ("push", {"title": "x", "link": 5}, "/link", "must be text"),
        ("push", {"title": "x", "link": ""}, "/link", "must not be empty"),
        ("push", {"title": "x", "link": "{{ x"}, "/link", "line 1"),
        ("push", {"title": "x", "link": "shop://" + "x" * 2048}, "/link", "2048 are allowed"),
        ("push", {"title": "x", "image": "shop://a.png"}, "/image", "must be an image's address"),
        ("push", {"title": "x", "image": "//x.org/a.png"}, "/image", "must be an image's address"),
        ("push", {"title": "x", "image": "https:///a"}, "/image", "must be an image's address"),
        ("push", {"title": "x", "image": "data:image/png,x"}, "/image", "must be an image's"),
        ("push", {"title": "x", "image": "{% nosuch %}"}, "/image", "line 1"),
        ("push", {"title": "x", "ttl": "PT-1H"}, "/ttl", "ISO 8601"),
        ("push", {"title": "x", "ttl": "-PT1H"}, "/ttl", "between 0 seconds and 28 days"),
        ("push", {"title": "x", "ttl": 3600}, "/ttl", "ISO 8601"),
        ("push", {"title": "x", "collapse": ""}, "/collapse", "must not be empty"),
        ("push", {"title": "x", "collapse": 5}, "/collapse", "must be text"),
        ("push", {"title": "x", "collapse": "x" * 1001}, "/collapse", "1000 are allowed"),
        ("push", {"title": "x", "collapse": "{{"}, "/collapse", "line 1"),
        ("push", {"title": "x", "live": "yes"}, "/live", "true or false"),
        ("push", {"title": "x", "live": 1}, "/live", "true or false"),
        ("push", {"live": True}, "", "needs a title or a body"),
        ("push", {"live": True, "data": {}}, "", "needs a title or a body"),
        ("push", {"live": True, "silent": True}, "/live", "stands beside silent"),
        ("push", {"title": "x", "track": "no"}, "/track", "true or false"),
        ("push", {"title": "x", "policy": "live"}, "/policy", "has no meaning here"),
        ("web_push", {"silent": True}, "/silent", "is for phones"),
        ("web_push", {"title": "x", "live": True}, "/live", "is for phones"),
        ("sms", {"text": "x", "live": True}, "/live", "has no meaning here"),
        ("push", {"title": "x", "ttl": "P29D"}, "/ttl", "between 0 seconds and 28 days"),
        ("push", {"title": "x", "silent": "no"}, "/silent", "true or false"),
        ("push", {"title": "x", "data": {"a": []}}, "/data/a", "must be text, a number"),
        ("push", {"title": "x", "data": {"a": "{{"}}, "/data/a", "line 1"),
        ("push", {"title": "x", "data": {str(i): i for i in range(51)}}, "/data", "50 are allowed"),
        ("push", {"title": "x", "buttons": [{"id": "a"}]}, "/buttons/0/title", "is missing"),
        ("push", {"title": "x", "buttons": {}}, "/buttons", "up to 3 buttons"),
        ("push", {"title": "x", "buttons": [{}] * 4}, "/buttons", "up to 3 buttons"),
        ("web_push", {"title": "x", "buttons": [{}] * 3}, "/buttons", "up to 2 buttons"),
        ("push", {"title": "x", "buttons": ["buy"]}, "/buttons/0", "must be an object"),
        ("push", {"title": "x", "buttons": [{"title": "A"}]}, "/buttons/0/id", "is missing"),
        (
            "push",
            {"title": "x", "buttons": [{"id": "x" * 65, "title": "A"}]},
            "/buttons/0/id",
            "64 are allowed",
        ),
        (
            "push",
            {"title": "x", "buttons": [{"id": "a", "title": "A", "link": "javascript:x()"}]},
            "/buttons/0/link",
            "must lead to a web page or into an app",
        ),
        (
            "push",
            {"title": "x", "buttons": [{"id": "a", "title": "A", "icon": "b.png"}]},
            "/buttons/0/icon",
            "has no meaning here",
        ),
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
        ("push", {"title": "x", "image": "{{ profile.photo }}", "track": False}),
        ("push", {"title": "x", "link": "HTTPS://shop.example?a={{ profile.a }}"}),
        ("push", {"title": "x", "link": "shop:cart", "ttl": "P28D", "collapse": "سبد {{ x }}"}),
        ("push", {"title": "x", "live": True, "silent": False, "ttl": "PT1M"}),
        ("push", {"live": True, "data": {"refresh": "cart"}}),
        ("push", {"title": "x", "buttons": [{"id": i, "title": i} for i in ("a", "b", "c")]}),
        ("web_push", {"title": "x", "live": False, "silent": False}),
        ("carrier_pigeon", {"ring": "{{ profile.city }}", "speed": 3, "route": {"via": ["Qom"]}}),
    ],
)
def test_what_may_be_written(channel: str, message: Any) -> None:
    content, found = read({channel: message})

    assert not found
    assert content is not None
    assert content.messages == {channel: message}


@pytest.mark.parametrize(
    "link",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", " javascript:x", "java\nscript:x"),
        *("\tdata:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://x.org/1"),
        *("shop.example/cart", "/cart", "//x.org", "cart", "?a=1", "#top", "://x", ":", "shop:"),
        *("http:", "https:shop.example", "https://", "http:///cart", "https://?a", "https:// x"),
        *("1shop://cart", "سبد://cart"),
    ],
)
def test_a_link_that_leads_nowhere_or_astray_is_refused(link: str) -> None:
    """S1.17: at the save, for the notification and its buttons alike."""
    found = faults({"push": {"title": "x", "link": link}})
    button = {"id": "a", "title": "A", "link": link}
    on_button = faults({"web_push": {"title": "x", "buttons": [button]}})

    assert "must lead to a web page or into an app" in found["/push/link"]
    assert found["/push/link"] == on_button["/web_push/buttons/0/link"]


SMS = {"text": "x"}
PUSH = {"title": "x"}


@pytest.mark.parametrize(
    ("channel", "message", "lifetime", "live"),
    [
        ("push", {"title": "x"}, None, False),
        ("push", {"title": "x", "ttl": "PT5M"}, 300 * SECOND, False),
        ("web_push", {"title": "x", "ttl": "PT0S"}, 0, False),
        ("push", {"title": "x", "live": True}, None, True),
        ("carrier_pigeon", {"ttl": "soon", "live": True}, None, False),
    ],
)
def test_how_long_a_notification_is_of_use_and_to_whom(
    channel: str, message: Any, lifetime: int | None, live: bool
) -> None:
    """S1.15"""
    content, wrong = read({channel: message})

    assert not wrong
    assert content is not None
    assert (content.lifetime(channel), content.is_live(channel)) == (lifetime, live)
    assert (content.lifetime("sms"), content.is_live("sms")) == (None, False)


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
