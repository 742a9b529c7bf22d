"""Opens, clicks and unsubscribing: from the mail that came to what the API tells (G13.97-102)."""

import asyncio
import email
import re
from email.message import EmailMessage
from email.policy import default
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.parts.instance import Instance, ago
from tests.stories.test_published_uses import identify, person, track

SHOP = "https://shop.example/cart?item=1&size=m"
HELP = "https://shop.example/help"
HTML = (
    f'<p>Hello</p><a href="{SHOP.replace("&", "&amp;")}">Cart</a> <a href="{HELP}">Help</a>'
    '<a href="{{ links.unsubscribe }}">Unsubscribe</a>'
)
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


class Received:
    """A mail as its recipient has it: with its links."""

    def __init__(self, instance: Instance, address: str) -> None:
        (caught,) = instance.mails(address)
        parsed = email.message_from_string(caught["raw"], policy=default)
        assert isinstance(parsed, EmailMessage)
        self.mail = parsed
        body = parsed.get_body(("html",))
        assert body is not None
        self.html = body.get_content()
        hrefs = [unescape(href) for href in re.findall(r'href="([^"]+)"', self.html)]
        self.cart, self.help, self.unsubscribe = hrefs
        (self.pixel,) = [unescape(src) for src in re.findall(r'<img src="([^"]+)"', self.html)]

    @property
    def one_click(self) -> str:
        """The address that mail programs use (RFC 8058)."""
        return str(self.mail["List-Unsubscribe"]).strip("<>")


class Story:
    """One person who got one mail of a campaign of their own."""

    def __init__(self, instance: Instance, user: str, mail: str, event: str, campaign: str) -> None:
        self.instance = instance
        self.user, self.mail, self.event, self.campaign = user, mail, event, campaign
        self.received = Received(instance, mail)

    async def reactions(self) -> dict[str, int]:
        """What the campaign's figures count."""
        stats = await self.instance.stats(self.campaign)
        return {kind: count for kind, count in stats["reactions"].items() if count}

    async def until_reacted(self, **expected: int) -> dict[str, Any]:
        """Wait until the person's delivery has these reactions so often; gives the delivery."""
        return await until_reacted(self.instance, self.campaign, expected)

    async def flush(self) -> None:
        """All reactions told so far are applied: that to another mail, told last, is."""
        other = await begin(self.instance)
        await press(other.received.pixel)
        await other.until_reacted(opened=1)


async def begin(instance: Instance) -> Story:
    user, mail = person("reader")
    event = f"Event {uuid4().hex}"
    content = {"email": {"subject": "Your cart", "html": HTML}}
    send_at = {"trigger": {"event": event}, "retrigger": "each"}
    campaign = await instance.campaign(event, send_at, content=content)
    await instance.send(identify(user, mail), track(user, event, ago(seconds=2)))
    await instance.until_stats(campaign, accepted=1)
    return Story(instance, user, mail, event, campaign)


@pytest.fixture
async def story(instance: Instance) -> Story:
    return await begin(instance)


async def until_reacted(
    instance: Instance, campaign: str, expected: dict[str, int]
) -> dict[str, Any]:
    async with asyncio.timeout(45):
        while True:
            (row,) = (await instance.ask("/v1/deliveries", campaign=campaign))["data"]
            found = {kind: reaction["count"] for kind, reaction in row["reactions"].items()}
            if found == expected:
                return dict(row)
            await asyncio.sleep(0.05)


async def press(url: str, method: str = "GET", **more: Any) -> httpx.Response:
    headers = BROWSER | more.pop("headers", {})
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.request(method, url, headers=headers, **more)


async def test_opens_and_clicks_are_counted_once_and_each_time(story: Story) -> None:
    """B4, G13.100: the figures count people, the delivery counts how often."""
    received = story.received

    for _ in range(3):
        shown = await press(received.pixel)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/gif")
        assert "no-store" in shown.headers["cache-control"]
    targets = [(await press(url)).headers["location"] for url in (received.cart, received.help)]
    await press(received.cart)

    row = await story.until_reacted(opened=3, clicked=3)
    assert targets == [SHOP, HELP]
    assert await story.reactions() == {"opened": 1, "clicked": 1}
    assert row["state"] == "accepted"


async def test_a_click_leads_only_where_the_record_says(story: Story) -> None:
    """G13.97, G13.98"""
    cart = story.received.cart

    for odd in ("?url=https://evil.example", "?next=//evil", "?x=%0d%0aSet-Cookie:%20a=b"):
        answer = await press(cart + odd)
        assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
        assert "set-cookie" not in answer.headers


def spoilt(url: str) -> list[str]:
    head, _, token = url.rpartition("/")
    token, dot, tail = token.partition(".")
    return [
        f"{head}/{odd}{dot}{tail}"
        for odd in (token[:-1], token[1:], "A" + token[1:], token + "A", token[::-1], "x", "%00")
        if odd != token
    ]


@pytest.mark.parametrize("kind", ["pixel", "cart", "unsubscribe"])
async def test_a_token_that_is_not_ours_is_an_unknown_page(story: Story, kind: str) -> None:
    """G13.97: also for the unsubscribing POST."""
    for url in spoilt(getattr(story.received, kind)):
        answer = await press(url, "POST" if kind == "unsubscribe" else "GET")
        assert answer.status_code == 404
        assert "location" not in answer.headers
    assert await story.reactions() == {}


async def test_a_token_of_one_kind_is_no_token_of_another(story: Story) -> None:
    received = story.received
    base = urlsplit(received.cart)
    tokens = {url: urlsplit(url).path.split("/")[2].removesuffix(".gif")
              for url in (received.pixel, received.cart)}  # fmt: skip

    for token in tokens.values():
        answer = await press(f"{base.scheme}://{base.netloc}/u/{token}", "POST")
        assert answer.status_code == 404


SCANNERS = [
    {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    {"User-Agent": "BarracudaCentral/1.0"},
    {"Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
]


async def test_what_scanners_do_changes_nothing(story: Story) -> None:
    """G13.99, G13.101: they follow every link, and are served, and are nobody."""
    received = story.received
    links = (received.pixel, received.cart, received.help, received.unsubscribe)

    for url in links:
        for headers in SCANNERS:
            answer = await press(url, headers=headers)
            assert answer.status_code in (200, 302)
        assert (await press(url, "HEAD")).status_code in (200, 302, 405)
    for _ in range(3):
        assert (await press(received.unsubscribe)).status_code == 200

    await story.flush()
    assert await story.reactions() == {}
    profile = await story.instance.ask(f"/v1/profiles/{story.user}")
    assert profile["consents"]["email"]["state"] == "opted_in"


async def check_nothing_comes(story: Story) -> None:
    """After an opt-out: no campaign, no decision and no test send reaches the person."""
    instance, user, mail = story.instance, story.user, story.mail
    before = len(instance.mails(mail))
    other = await instance.campaign("Another", {"trigger": {"event": f"Another {story.event}"}})
    await instance.send(track(user, f"Another {story.event}", ago(seconds=1)))
    await instance.until_stats(other, skipped=1)

    decision = {"decisionId": uuid4().hex, "campaign": other, "userId": user}
    await instance.tell("/v1/decisions", decision)
    await instance.until_stats(other, skipped=2)

    await instance.tell(f"/v1/campaigns/{other}/test", {"to": [user]})
    await instance.until_stats(other, skipped=3)

    stats = await instance.ask("/v1/deliveries/stats", campaign=other, group_by="reason")
    assert [group["reason"] for group in stats["groups"]] == ["opted_out"]
    assert len(instance.mails(mail)) == before


async def until_opted_out(story: Story) -> None:
    await story.until_reacted(unsubscribed=1)
    profile = await story.instance.ask(f"/v1/profiles/{story.user}")
    standing = profile["consents"]["email"]
    assert (standing["state"], standing["reason"]) == ("opted_out", "unsubscribed")


async def test_who_presses_the_button_gets_nothing_more(story: Story) -> None:
    """S2.10, G13.101: GET asks, POST acts, whatever path asks afterwards."""
    asked = await press(story.received.unsubscribe, headers={"Accept-Language": "en"})
    assert '<form method="post">' in asked.text
    assert story.mail not in asked.text

    done = await press(story.received.unsubscribe, "POST", headers={"Accept-Language": "en"})

    assert (done.status_code, "You are unsubscribed" in done.text) == (200, True)
    await until_opted_out(story)
    await check_nothing_comes(story)


async def test_a_mail_programs_one_click_unsubscribes(story: Story) -> None:
    """RFC 8058: the header's address, a POST with its own body, no cookies, no redirect."""
    assert story.received.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    form = {"List-Unsubscribe": "One-Click"}
    done = await press(story.received.one_click, "POST", data=form)

    assert done.status_code == 200
    await until_opted_out(story)
    await check_nothing_comes(story)


async def test_unsubscribing_twice_is_the_same_state(story: Story) -> None:
    """G13.101"""
    for _ in range(2):
        assert (await press(story.received.unsubscribe, "POST")).status_code == 200

    await story.until_reacted(unsubscribed=2)
    assert await story.reactions() == {"unsubscribed": 1}


async def test_an_unsubscription_stops_what_was_planned_before_it(instance: Instance) -> None:
    """G13.102: the gate stands at the moment of sending."""
    story = await begin(instance)
    later = {
        "decisionId": uuid4().hex,
        "campaign": story.campaign,
        "userId": story.user,
        "notBefore": ago(seconds=-4),
    }
    planned = await instance.tell("/v1/decisions", later)

    await press(story.received.unsubscribe, "POST")

    await instance.until_stats(story.campaign, accepted=1, skipped=1)
    row = await instance.ask(f"/v1/deliveries/{planned['delivery']}")
    assert (row["state"], row["reason"]) == ("skipped", "opted_out")
    assert len(instance.mails(story.mail)) == 1


async def test_an_opt_in_that_the_person_gives_later_counts_again(story: Story) -> None:
    """S2.10: the last explicit word rules."""
    await press(story.received.unsubscribe, "POST")
    await until_opted_out(story)

    again = identify(story.user, story.mail, email_opt_in=True) | {"timestamp": ago()}
    await story.instance.send(again, track(story.user, story.event, ago()))

    await story.instance.until_stats(story.campaign, accepted=2)
    assert len(story.instance.mails(story.mail)) == 2
