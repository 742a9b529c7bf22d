"""S2.10: who may be sent something, over HTTP on a whole instance."""

from uuid import uuid4

import pytest

from tests.parts.instance import Instance, ago
from tests.stories.test_published_uses import identify, person, track
from tests.stories.visits import login, settle, visitor


async def campaign_for(instance: Instance, event: str) -> str:
    return await instance.campaign(f"For {event}", {"trigger": {"event": event}})


async def test_who_gave_an_email_is_opted_in_and_push_needs_permission(instance: Instance) -> None:
    """S2.10"""
    user, mail = person("default")

    await instance.send(identify(user, mail))

    consents = (await settle(instance, user))["consents"]
    assert consents["email"] | {"state": "opted_in", "reason": "default"} == consents["email"]
    assert [consents[c]["state"] for c in ("sms", "push", "web_push")] == ["unset"] * 3


async def test_an_opt_out_before_the_address_holds(instance: Instance) -> None:
    """S2.10: the address that comes later does not opt in."""
    user, mail = person("early-word")
    event = f"Event {uuid4().hex}"
    campaign = await campaign_for(instance, event)
    said = login(user, visitor(), ago(days=2), traits={"email_opt_in": False})
    given = identify(user, mail) | {"timestamp": ago(days=1)}

    await instance.send(said)
    await instance.send(given)
    await instance.send(track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    assert (await settle(instance, user))["consents"]["email"]["state"] == "opted_out"
    assert instance.mails(mail) == []


@pytest.mark.parametrize("stricter", ["visitor", "account"])
async def test_in_a_merge_the_stricter_consent_wins(instance: Instance, stricter: str) -> None:
    """S2.10"""
    user, mail = person("merged")
    device = visitor()
    event = f"Event {uuid4().hex}"
    campaign = await campaign_for(instance, event)
    words = {"visitor": (False, True), "account": (True, False)}[stricter]
    anonymous = login(user, device, ago(hours=2), traits={"email_opt_in": words[0]})
    del anonymous["userId"]

    await instance.send(identify(user, mail, email_opt_in=words[1]))
    await instance.send(anonymous)
    await instance.send(login(user, device, ago(hours=1)))
    await instance.send(track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    assert (await settle(instance, user))["consents"]["email"]["state"] == "opted_out"
    assert instance.mails(mail) == []
