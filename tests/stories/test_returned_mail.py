"""Bounces and complaints, from the campaign's mail to the figures, by way of an IMAP mailbox."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.channels.bounces.cases import CASES
from tests.channels.bounces.letters import complaint
from tests.channels.bounces.servers import exchange
from tests.counterparts.imap import Mail, imap_server
from tests.parts.instance import SEEN_SECONDS, Instance, ago, running_instance
from tests.stories.test_published_uses import identify, person, track
from tests.stories.visits import settle


@pytest.fixture(scope="module")
async def mail(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mail]:
    async with imap_server(tmp_path_factory.mktemp("imap")) as served:
        yield served


@pytest.fixture(scope="module")
async def instance(mail: Mail, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    section = {
        "return_path": "bounce+{id}@returns.example.org",
        "bounce_secret": "a secret of sixteen letters",
        "bounces_poll_seconds": 0.1,
        **mail.section(),
    }
    environ = {f"ANGARIUM_CHANNELS_EMAIL_SMTP_{k.upper()}": str(v) for k, v in section.items()}
    async with running_instance(tmp_path_factory.mktemp("instance"), environ) as running:
        yield running


async def sent(instance: Instance, mail: str, user: str) -> tuple[str, str]:
    """A campaign's mail to somebody: the campaign, and the return path of the mail."""
    event = f"Event {uuid4().hex}"
    campaign = await instance.campaign(f"For {event}", {"trigger": {"event": event}})
    await instance.send(identify(user, mail), track(user, event, ago(seconds=1)))
    await instance.until_stats(campaign, accepted=1)
    [caught] = instance.mails(mail)
    return campaign, str(caught["sender"])


async def heard(instance: Instance, campaign: str, kind: str, word: str) -> dict[str, Any]:
    """Wait until the figures of the campaign have it."""
    async with asyncio.timeout(SEEN_SECONDS):
        while not (stats := await instance.stats(campaign))[kind].get(word):
            await asyncio.sleep(0.05)
    return stats


async def read(mail: Mail, name: str) -> None:
    """Wait until a mail is marked."""
    async with asyncio.timeout(SEEN_SECONDS):
        while mail.flags(name) != "S":
            await asyncio.sleep(0.05)


async def another_bounce(instance: Instance, mail: Mail) -> None:
    user, address = person("other")
    campaign, path = await sent(instance, address, user)
    mail.deliver(exchange(CASES[0], path))
    await heard(instance, campaign, "receipts", "bounced")


async def suppressions(instance: Instance) -> dict[str, str]:
    page: dict[str, Any] = await instance.ask("/v1/suppressions")
    return {row["address"]: row["reason"] for row in page["data"]}


async def test_a_bounce_in_the_mailbox_suppresses_the_address_once(
    instance: Instance, mail: Mail
) -> None:
    user, address = person("gone")
    campaign, path = await sent(instance, address, user)
    raw = exchange(CASES[0], path)

    mail.deliver(raw)
    stats = await heard(instance, campaign, "receipts", "bounced")

    assert stats["totals"]["accepted"] == 1
    assert (await suppressions(instance))[address] == "bounced"
    deliveries = await instance.ask("/v1/deliveries", campaign=campaign)
    [delivery] = deliveries["data"]
    assert delivery["state"] == "bounced"

    # An operator knows better; then the same mail comes again.
    answer = await instance.http.delete(f"/v1/suppressions/email/{address}")
    assert answer.status_code == 204
    [again] = mail.deliver(raw)
    await read(mail, again)
    await another_bounce(instance, mail)  # so what was said before is applied

    assert (await instance.stats(campaign)) == stats
    assert address not in await suppressions(instance)


async def test_a_complaint_in_the_mailbox_opts_out(instance: Instance, mail: Mail) -> None:
    user, address = person("angry")
    campaign, path = await sent(instance, address, user)

    mail.deliver(complaint("abuse").replace("{to}", path).encode())
    await heard(instance, campaign, "reactions", "complained")

    assert (await suppressions(instance))[address] == "complained"
    consents = (await settle(instance, user))["consents"]
    assert consents["email"]["state"] == "opted_out"
    assert "@" not in "".join(
        line
        for line in (instance.folder / "up.log").read_text().splitlines()
        if "provider_heard" in line
    )


async def test_a_mailbox_that_is_away_stops_no_mail(
    instance: Instance, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environ = {
        f"ANGARIUM_CHANNELS_EMAIL_SMTP_{name}": value
        for name, value in {
            "RETURN_PATH": "bounce+{id}@returns.example.org",
            "BOUNCE_SECRET": "a secret of sixteen letters",
            "BOUNCES_MAILDIR": "/nowhere/at/all",
        }.items()
    }
    async with running_instance(tmp_path_factory.mktemp("away"), environ) as away:
        user, address = person("well")
        await sent(away, address, user)
        log = (away.folder / "up.log").read_text()
    assert "provider_not_heard" in log
    assert "bounces_maildir" in log
