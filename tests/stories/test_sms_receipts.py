"""Twilio and a gateway that settings describe, on a whole instance: sent, reported, counted."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from tests.counterparts.sms_gateway import SmsGateway, sms_gateway
from tests.counterparts.twilio import Twilio, sign, twilio
from tests.parts.instance import Instance, ago, running_instance
from tests.parts.waiting import until
from tests.stories.test_published_uses import identify, person, track

PUBLIC = "https://gateway.example"
ACCOUNT, TOKEN, SECRET = f"AC{'1' * 32}", "twilio-token", "callback-secret"
SETTINGS = f"""
[http]
public_url = "{PUBLIC}"

[channels.sms_twilio]
account = "{ACCOUNT}"
token = "{TOKEN}"
from = "+15005550006"
callback_url = "{PUBLIC}/callbacks/sms_twilio"
url = "TWILIO"

[channels.sms_http]
url = "GATEWAY"
body = '{{"to": "{{to}}", "text": "{{text}}"}}'
number = "national"
allow_private = true
answer_id = "/messages/0/id"
answer_word = "/messages/0/state"
words = {{ QUEUED = "accepted" }}
callback_secret = "{SECRET}"
callback_id = "/id"
callback_word = "/status"
callback_words = {{ DELIVRD = "delivered", UNDELIV = "undelivered" }}
"""


class World(NamedTuple):
    """The instance, and the vendors beside it."""

    instance: Instance
    twilio: Twilio
    gateway: SmsGateway


@pytest.fixture
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("sms_receipts")
    async with twilio(ACCOUNT, TOKEN) as vendor, sms_gateway() as gateway:
        settings = SETTINGS.replace("TWILIO", vendor.url).replace("GATEWAY", gateway.url)
        (folder / "angarium.toml").write_text(settings)
        async with running_instance(folder) as instance:
            yield World(instance, vendor, gateway)


async def test_what_vendors_report_stands_in_the_figures_of_each(world: World) -> None:
    """B4. Twilio first; the other takes over, at once, when Twilio does not let us in any more."""
    instance = world.instance
    campaign = await instance.campaign(
        "Text", {"trigger": {"event": "Ask"}}, content={"sms": {"text": "سلام"}}
    )
    world.twilio.refusals["+989121111112"] = (401, 20003)
    for number in ("09121111111", "09121111112"):
        user, mail = person("phone")
        await instance.send(identify(user, mail, mobile=number), track(user, "Ask", ago(seconds=1)))
        await instance.until_stats(campaign, accepted=int(number[-1]))

    [sent] = world.twilio.kept
    [taken] = world.gateway.to("09121111112")
    assert (sent["Body"], taken["text"]) == ("سلام", "سلام")
    reported = sent["StatusCallback"].removeprefix(PUBLIC)
    form = {"MessageSid": f"SM{1:032x}", "MessageStatus": "delivered", "AccountSid": ACCOUNT}
    signature = sign(TOKEN, sent["StatusCallback"], form)
    answers = [
        await instance.http.post(reported, data=form, headers={"X-Twilio-Signature": signature}),
        await instance.http.get(f"/callbacks/sms_http?secret={SECRET}&id=G1&status=UNDELIV"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200]

    async def counted() -> bool:
        stats = await instance.ask(
            "/v1/deliveries/stats", campaign=campaign, group_by="channel,provider"
        )
        receipts = {
            group["provider"]: {word: count for word, count in group["receipts"].items() if count}
            for group in stats["groups"]
        }
        return receipts == {"sms_twilio": {"delivered": 1}, "sms_http": {"undelivered": 1}}

    await until(counted)
