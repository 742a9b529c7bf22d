"""Campaigns and lists as no console asks for them: reliability.md's numbers 57 to 80."""

import json
from email import message_from_string, policy
from typing import Any

import pytest

from tests.parts.instance import Instance, ago
from tests.stories.test_published_uses import identify, person, track

CAMPAIGN: dict[str, Any] = {
    "name": "Tried",
    "send_at": {"trigger": {"event": "Tried"}},
    "content": {"email": {"subject": "x", "text": "y"}},
}


def nested(levels: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"known": True}
    for _ in range(levels):
        condition = {"all": [condition]}
    return condition


def text(template: str) -> dict[str, Any]:
    return {"content": {"email": {"subject": "x", "text": template}}}


def html(template: str) -> dict[str, Any]:
    return {"content": {"email": {"subject": "x", "html": template}}}


BUTTON = {"id": "buy", "title": "Buy", "link": "shop://buy"}


def push(**members: Any) -> dict[str, Any]:
    return {"content": {"push": {"title": "x", **members}}}


def waiting(delay: str) -> dict[str, Any]:
    return {"send_at": {"trigger": {"event": "Tried"}, "delay": delay}}


MANY = {"any": [{"attribute": "a", "is": number} for number in range(10_000)]}
INVALID: dict[str, dict[str, Any]] = {
    "57 50 levels": {"audience": nested(50)},
    "57 10,000 tests": {"audience": MANY},
    "57 an unknown operator": {"audience": {"attribute": "a", "resembles": 1}},
    "57 an unknown test": {"audience": {"moon": "full"}},
    "57 not a test": {"audience": "everyone"},
    "62 minus one day": waiting("-P1D"),
    "62 a million million": waiting("PT1000000000000S"),
    "62 a month": waiting("P1M"),
    "62 a number": {"send_at": {"trigger": {"event": "Tried"}, "delay": 5}},
    "66 a role": {"role": "admin"},
    "66 a workspace": {"workspace": "other"},
    "66 a state": {"state": "active"},
    "71 an unclosed block": text("line\n{% if profile.city %}x"),
    "71 an unknown tag": text("{% explode %}"),
    "71 an unknown filter": text("{{ profile.city | explode }}"),
    "72 20,000 braces": text("{" * 20_000),
    "72 too long": text("x" * 70_000),
    "73 a wide range": text("{% assign x = (1..99999999) %}"),
    "73 a wide loop": text("{% for i in (1..99999999) %}x{% endfor %}"),
    "75 include": text("{% include '/etc/passwd' %}"),
    "75 render": text("{% render '/etc/passwd' %}"),
    "80 javascript:": html('<a href="javascript:alert(1)">x</a>'),
    "80 data:": html('<a href="data:text/html,x">x</a>'),
    "80 javascript: in a notification": push(link="javascript:alert(1)"),
    "80 javascript: on a button": push(buttons=[{**BUTTON, "link": "java\tscript:alert(1)"}]),
    "80 an image that is no web address": push(image="file:///etc/passwd"),
    "a link that leads nowhere": push(link="shop.example/cart"),
    "more buttons than a phone shows": push(buttons=[{**BUTTON, "id": str(n)} for n in range(4)]),
    "a button twice": push(buttons=[BUTTON, BUTTON]),
    "a ttl beyond four weeks": push(ttl="P29D"),
    "a ttl that is a number": push(ttl=3600),
    "a collapse key that is a number": push(collapse=17),
    "silent and live": push(silent=True, live=True),
    "live that is no flag": push(live="yes"),
    "live and nothing to say": {"content": {"push": {"live": True}}},
    "silent in a browser": {"content": {"web_push": {"silent": True, "data": {"a": 1}}}},
    "live in a browser": {"content": {"web_push": {"title": "x", "live": True}}},
    "84 a channel that nobody knows": {"content": {"pigeon": {"text": "x"}}},
    "no content": {"content": {}},
    "an empty name": {"name": ""},
    "a long name": {"name": "x" * 201},
}


@pytest.mark.parametrize("name", INVALID)
async def test_a_campaign_that_cannot_work_is_refused_with_its_place(
    instance: Instance, name: str
) -> None:
    answer = await instance.http.post("/v1/campaigns", json=CAMPAIGN | INVALID[name])

    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["code"] == "invalid"
    assert body["errors"]
    assert all(error["pointer"].startswith("/") and error["detail"] for error in body["errors"])


async def test_a_mistake_in_a_template_is_told_with_its_line(instance: Instance) -> None:
    """71"""
    body = CAMPAIGN | text("one\ntwo\n{% if profile.city %}three")

    answer = await instance.http.post("/v1/campaigns", json=body)

    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/content/email/text"
    assert "line" in error["detail"]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"name": "x"' * 10_000, b"\xff"])
async def test_what_is_no_campaign_at_all_is_refused(instance: Instance, body: bytes) -> None:
    """20, 21, 22, 26 at the admin's door"""
    answer = await instance.http.post("/v1/campaigns", content=body)

    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] in ("unreadable_body", "invalid", "bad_request")


LISTS = ["/v1/profiles", "/v1/campaigns", "/v1/deliveries", "/v1/rejects", "/v1/events"]
ODD_PAGES = ["limit=1000000000", "limit=0", "limit=-1", "limit=x", "cursor=x", "cursor=%00",
             "cursor=" + "A" * 5_000]  # fmt: skip


@pytest.mark.parametrize("page", ODD_PAGES)
@pytest.mark.parametrize("path", LISTS)
async def test_an_odd_page_of_a_list_is_refused(instance: Instance, path: str, page: str) -> None:
    """68"""
    answer = await instance.http.get(f"{path}?{page}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


@pytest.mark.parametrize("column", ["address", "password", "reason;drop", "'", "reason,reason,x"])
async def test_figures_are_grouped_by_what_is_listed_only(instance: Instance, column: str) -> None:
    """67"""
    answer = await instance.http.get("/v1/deliveries/stats", params={"group_by": column})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def send(instance: Instance, **change: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One message of a campaign to one person: its figures and the mails."""
    traits = change.pop("traits", {})
    user, mail = person("reader")
    event = f"Event {user}"
    campaign = await instance.campaign(event, {"trigger": {"event": event}}, **change)
    await instance.send(identify(user, mail, **traits))
    await instance.send(track(user, event, ago(seconds=1), name="<b>&", lines="a\r\nBcc: x@y.z"))
    stats = await instance.until_stats(campaign, planned=1, waiting=0)
    return stats, instance.mails(mail)


TEXTS = {
    "74 of Python": ("[{{ profile.__class__ }}{{ event.__dict__ }}]", "[]"),
    "74 of a text": ("[{{ profile.first_name.__class__.__mro__ }}]", "[]"),
    "76 with a default": ("Hello {{ profile.nothing | default: 'you' }},", "Hello you,"),
    "73 loops in loops": (
        "{% for a in (1..1000) %}{% for b in (1..1000) %}x{% endfor %}{% endfor %}",
        None,
    ),
    "73 a text that doubles": (
        "{% assign x = 'xxxxxxxxxx' %}{% for a in (1..40) %}{% assign x = x | append: x %}"
        "{% endfor %}{{ x }}",
        None,
    ),
    "79 nothing": ("{{ profile.nothing }}  ", None),
}


def said_in(mail: dict[str, Any]) -> str:
    """All that a reader of the mail sees."""
    parts = message_from_string(mail["raw"], policy=policy.default).walk()
    return "\n".join(part.get_content() for part in parts if not part.is_multipart())


@pytest.mark.parametrize("name", TEXTS)
async def test_a_template_is_rendered_within_its_limits_or_fails_alone(
    instance: Instance, name: str
) -> None:
    template, expected = TEXTS[name]

    stats, mails = await send(instance, **text(template))

    if expected is None:
        assert (stats["totals"]["failed"], mails) == (1, [])
    else:
        assert [expected in said_in(mail) for mail in mails] == [True]


async def test_what_people_say_is_escaped_in_html_and_plain_in_text(instance: Instance) -> None:
    """77"""
    hole = "[{{ event.properties.name }}]"
    content = {"email": {"subject": hole, "html": f"<p>{hole}</p>", "text": hole}}

    _, (mail,) = await send(instance, content=content)

    assert mail["headers"]["subject"] == "[<b>&]"
    assert "<p>[&lt;b&gt;&amp;]</p>" in said_in(mail)
    assert "\n[<b>&]" in "\n" + said_in(mail)


async def test_line_breaks_in_a_value_make_no_header(instance: Instance) -> None:
    """78"""
    subject = "Hi {{ event.properties.lines }}{{ profile.odd }}"
    content = {"email": {"subject": subject, "text": "x"}}

    _, (mail,) = await send(instance, content=content, traits={"odd": "\u2028a\x85b\x0bc"})

    assert mail["headers"]["subject"] == "Hi a Bcc: x@y.z a b c"
    assert len(mail["rcpt"]) == 1
    assert "\nbcc:" not in mail["raw"].lower()


VALUES = ["'; DROP TABLE profiles; --", "%", "\\", '$.city"', "*", "a' OR '1'='1"]


@pytest.mark.parametrize("value", VALUES)
async def test_a_value_in_a_condition_is_compared_and_nothing_else(
    instance: Instance, value: str
) -> None:
    """58"""
    user, mail = person("compared")
    other, other_mail = person("other")
    event = f"Event {user}"
    audience = {"attribute": "motto", "is": value}
    campaign = await instance.campaign(event, {"trigger": {"event": event}}, audience=audience)

    await instance.send(identify(user, mail, motto=value), identify(other, other_mail, motto="x"))
    await instance.send(track(user, event, ago(seconds=1)), track(other, event, ago(seconds=1)))

    await instance.until_stats(campaign, accepted=1, enrolled=1)
    assert (len(instance.mails(mail)), len(instance.mails(other_mail))) == (1, 0)


async def test_a_campaign_that_is_activated_twice_runs_once(instance: Instance) -> None:
    """70"""
    user, mail = person("double")
    event = f"Event {user}"
    campaign = await instance.campaign(event, {"trigger": {"event": event}})
    for _ in range(2):
        await instance.tell(f"/v1/campaigns/{campaign}/activate")

    await instance.send(identify(user, mail), track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, planned=1, accepted=1, enrolled=1)


async def test_of_two_editors_the_second_is_told(instance: Instance) -> None:
    """64"""
    made = await instance.http.post("/v1/campaigns", json=CAMPAIGN)
    path, tag = f"/v1/campaigns/{made.json()['id']}", {"If-Match": made.headers["etag"]}

    first = await instance.http.patch(path, json={"name": "First"}, headers=tag)
    second = await instance.http.patch(path, json={"name": "Second"}, headers=tag)

    assert (first.status_code, second.status_code) == (200, 412)
    assert (await instance.ask(path))["name"] == "First"


async def test_a_definition_of_two_megabytes_is_refused_and_a_megabyte_is_read(
    instance: Instance,
) -> None:
    """5, 30 at the admin's door"""
    for size, statuses in ((1_000_000, {422}), (3_000_000, {413})):
        body = json.dumps(CAMPAIGN | {"name": "x" * size}).encode()
        answer = await instance.http.post("/v1/campaigns", content=body)
        assert answer.status_code in statuses
