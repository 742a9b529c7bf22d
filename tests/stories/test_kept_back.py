"""What holds a message back, what takes its place, and what its reader may choose, on a whole
instance: quiet hours, caps, fallback (S1.14), the page of preferences (S2.10)."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.parts.instance import SEEN_SECONDS, Instance, ago, running_instance
from tests.stories.test_links import Received, press
from tests.stories.test_published_uses import identify, person, track

SETTINGS = """
[messages]
quiet_hours = "22:00-08:00"
marketing_caps = ["1 per P1D"]

[channels.sms_console]
"""
HTML = (
    '<a href="https://shop.example/a">a</a><a href="https://shop.example/b">b</a>'
    '<a href="{{ links.unsubscribe }}">c</a>'
)
CONTENT: dict[str, Any] = {
    "order": ["email", "sms"],
    "email": {"subject": "Hello", "html": HTML},
    "sms": {"text": "Hello"},
}


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    folder = tmp_path_factory.mktemp("kept_back")
    (folder / "angarium.toml").write_text(SETTINGS)
    async with running_instance(folder) as running:
        yield running


def zone_where_it_is(hour: int) -> str:
    """An IANA zone in which the clock shows that hour now (their sign is POSIX's: turned round)."""
    offset = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/UTC"


async def campaign_of(instance: Instance, **members: Any) -> tuple[str, str]:
    """A campaign, and the event that fires it."""
    event = f"Event {uuid4().hex}"
    send_at = {"trigger": {"event": event}}
    return await instance.campaign(event, send_at, **({"content": CONTENT} | members)), event


async def reach(instance: Instance, hour: int, *events: str) -> tuple[str, str]:
    """Somebody for whom it is that hour does these things."""
    user, mail = person("held")
    zone = zone_where_it_is(hour)
    await instance.send(identify(user, mail, timezone=zone))
    for event in events:
        await instance.send(track(user, event, ago(seconds=1)))
    return user, mail


async def rows_of(instance: Instance, campaign: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await instance.ask("/v1/deliveries", campaign=campaign))["data"]
    return rows


async def test_at_night_a_message_waits_for_the_persons_morning(instance: Instance) -> None:
    campaign, event = await campaign_of(instance)
    asleep, their_mail = await reach(instance, 3, event)
    _, mail = await reach(instance, 13, event)

    await instance.until_stats(campaign, accepted=1, waiting=1)

    assert (len(instance.mails(mail)), instance.mails(their_mail)) == (1, [])
    explained = await instance.ask(f"/v1/profiles/{asleep}/explain", campaign=campaign)
    (decision,) = explained["decisions"]
    assert (decision["state"], decision["reason"]) == ("held", "quiet_hours")
    (gate,) = [gate for gate in decision["gates"] if gate["gate"] == "quiet_hours"]
    assert gate["saw"]["opensAt"] == decision["dueAt"] > datetime.now(UTC).isoformat()


async def test_a_receipt_does_not_wait_for_the_morning(instance: Instance) -> None:
    campaign, event = await campaign_of(instance, **{"class": "transactional"})
    _, mail = await reach(instance, 3, event)

    await instance.until_stats(campaign, accepted=1)

    assert len(instance.mails(mail)) == 1


async def test_who_had_enough_today_gets_the_next_message_later(instance: Instance) -> None:
    """S1.9, over all campaigns."""
    first, one = await campaign_of(instance)
    second, two = await campaign_of(instance)
    user, mail = await reach(instance, 13, one)
    await instance.until_stats(first, accepted=1)

    await instance.send(track(user, two, ago(seconds=1)))
    await instance.until_stats(second, waiting=1)

    async with asyncio.timeout(SEEN_SECONDS):
        while (row := (await rows_of(instance, second))[0])["state"] != "held":
            await asyncio.sleep(0.05)
    assert row["reason"] == "frequency_cap"
    assert len(instance.mails(mail)) == 1


async def test_the_next_channel_is_tried_where_nobody_opens(instance: Instance) -> None:
    """S1.14: one opens the mail, the other gets a text message as well."""
    content = CONTENT | {"fallback": {"after": "PT10S", "unless": ["opened", "clicked"]}}
    members = {"content": content, "class": "transactional"}
    campaign, event = await campaign_of(instance, **members)
    (reader, mail), (silent, other) = person("opens"), person("does-not")
    for user, address, mobile in ((reader, mail, "09121111111"), (silent, other, "09122222222")):
        await instance.send(identify(user, address, mobile=mobile))
        await instance.send(track(user, event, ago(seconds=1)))
    await instance.until_stats(campaign, planned=2, accepted=2)

    await press(Received(instance, mail).pixel)
    await instance.until_stats(campaign, planned=3, accepted=3)

    got = {(row["userId"], row["channel"]) for row in await rows_of(instance, campaign)}
    assert got == {(reader, "email"), (silent, "email"), (silent, "sms")}


async def test_whose_address_is_suppressed_is_reached_on_the_next_channel(
    instance: Instance,
) -> None:
    """S1.14: the first channel that may and can reach them; a test and a decision alike."""
    campaign, event = await campaign_of(instance, **{"class": "transactional"})
    user, mail = person("bounced")
    await instance.tell("/v1/suppressions", {"channel": "email", "address": mail.upper()})
    await instance.send(identify(user, mail, mobile="09124444444"))
    await instance.send(track(user, event, ago(seconds=1)))
    await instance.until_stats(campaign, planned=1, accepted=1)
    decision = {"decisionId": uuid4().hex, "campaign": campaign, "userId": user}
    await instance.tell("/v1/decisions", decision)
    await instance.tell(f"/v1/campaigns/{campaign}/test", {"to": [user]})
    await instance.until_stats(campaign, planned=3, accepted=3)

    sources = {(row["source"], row["channel"]) for row in await rows_of(instance, campaign)}
    assert sources == {("campaign", "sms"), ("decision", "sms"), ("test", "sms")}
    assert instance.mails(mail) == []
    await instance.tell("/v1/decisions", decision | {"decisionId": uuid4().hex, "channel": "email"})
    await instance.until_stats(campaign, planned=4, skipped=1)
    (skipped,) = [row for row in await rows_of(instance, campaign) if row["channel"] == "email"]
    assert (skipped["state"], skipped["reason"]) == ("skipped", "suppressed")


async def test_a_reader_chooses_what_they_want(instance: Instance) -> None:
    """S2.10: the page behind the link of every message; no path gets round the choice."""
    campaign, event = await campaign_of(instance, **{"class": "transactional"})
    user, mail = person("chooses")
    await instance.send(identify(user, mail, mobile="09123333333"))
    await instance.send(track(user, event, ago(seconds=1)))
    await instance.until_stats(campaign, accepted=1)
    link = Received(instance, mail).unsubscribe

    page = await press(link, headers={"Accept-Language": "fa"})
    offered = re.findall(r'name="offered" value="(\w+)"', page.text)
    saved = await press(link, "POST", data={"offered": offered, "wanted": ["email"]})

    assert ('dir="rtl"' in page.text, sorted(offered)) == (True, ["email", "sms"])
    assert saved.status_code == 200
    async with asyncio.timeout(SEEN_SECONDS):
        while True:
            consents = (await instance.ask(f"/v1/profiles/{user}"))["consents"]
            if consents["sms"]["state"] == "opted_out":
                break
            await asyncio.sleep(0.05)
    assert consents["email"]["state"] == "opted_in"
    decision = {"decisionId": uuid4().hex, "campaign": campaign, "userId": user, "channel": "sms"}
    await instance.tell("/v1/decisions", decision)
    await instance.until_stats(campaign, accepted=1, skipped=1)
    (skipped,) = [row for row in await rows_of(instance, campaign) if row["channel"] == "sms"]
    assert skipped["reason"] == "opted_out"
