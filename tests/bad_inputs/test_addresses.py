"""Addresses that are none, or more than one: reliability.md's numbers 81 to 83."""

import pytest

from tests.bad_inputs.conftest import rejects_of
from tests.parts.instance import Instance, ago
from tests.stories.test_published_uses import identify, person, track

NO_EMAILS = [
    "a@b.c>\r\nRSET",
    "a@b.c>\r\nRCPT TO:<x@example.org",
    "a@example.com, b@example.com",
    "a@example.com;b@example.com",
    "a@example.com b@example.com",
    "Ann <a@example.com>",
    "a(comment)@example.com",
    '"a b"@example.com',
    "a" * 65 + "@example.com",
    "a@" + "b" * 64 + ".com",
    "a@[127.0.0.1]",
    "a@127.0.0.1",
    "a@localhost",
    "a@example.com.",
    "a@@example.com",
    "@example.com",
    "a@",
    "a",
    ".a@example.com",
    "a..b@example.com",
    "a\0@example.com"[:1] + "\t@example.com",
    "a@exa mple.com",
    "a@-example.com",
]


@pytest.mark.parametrize("address", NO_EMAILS)
async def test_an_address_that_can_be_read_in_two_ways_is_refused(
    instance: Instance, address: str
) -> None:
    """81: it is not stored, it is listed, and nothing is sent."""
    user, _ = person("unreachable")
    event = f"Event {user}"
    campaign = await instance.campaign(event, {"trigger": {"event": event}})
    message = identify(user, address)

    await instance.send(message, track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    assert await rejects_of(instance, message["messageId"]) == [("email", "bad_email")]
    assert "email" not in (await instance.ask(f"/v1/profiles/{user}"))["attributes"]


EMAILS = {
    "plain": "ann{}@example.com",
    "with a plus": "ann{}+shop@example.com",
    "capital letters": "Ann{}@EXAMPLE.com",
    "an international domain": "ann{}@bücher.example",
    "64 letters": "{:a>64}@example.com",
}


@pytest.mark.parametrize("name", EMAILS)
async def test_what_is_sent_to_is_what_the_profile_shows(instance: Instance, name: str) -> None:
    """81: sent == stored, as one recipient."""
    user, _ = person("reachable")
    event = f"Event {user}"
    campaign = await instance.campaign(event, {"trigger": {"event": event}})
    before = len(instance.mails())

    await instance.send(identify(user, EMAILS[name].format(user[-8:])))
    await instance.send(track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, accepted=1)
    stored = (await instance.ask(f"/v1/profiles/{user}"))["attributes"]["email"]
    (caught,) = [mail for mail in instance.mails()[before:] if mail["headers"]["subject"] == event]
    (sent,) = caught["rcpt"]
    assert sent.partition("@")[0] == stored.partition("@")[0]
    assert sent.partition("@")[2].encode("ascii") == stored.partition("@")[2].lower().encode("idna")


NO_NUMBERS = [
    "abc", "+0", "1", "0", "09", "123456789012345678901", "+98", "+999123456789", "0912123456",
    "09121234567x9", "+1900123456", "۰۹", "", {}, [], True, 1.5,
]  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS, ids=str)
async def test_a_number_that_is_no_mobile_is_refused(instance: Instance, number: object) -> None:
    """83; an empty text is not sent at all (S2.8)."""
    user, mail = person("caller")
    message = identify(user, mail, phone=number)

    await instance.send(message)

    expected = [] if number == "" else [("mobile", "bad_mobile")]
    assert await rejects_of(instance, message["messageId"]) == expected
    profile = await instance.ask(f"/v1/profiles/{user}")
    assert "mobile" not in profile["attributes"]
    assert profile["consents"]["sms"]["state"] == "unset"


@pytest.mark.parametrize("address", ["a@b", "x", "a@b.org>\r\nRSET", "a@b.org,b@b.org"])
async def test_what_is_no_address_cannot_be_suppressed(instance: Instance, address: str) -> None:
    """81 at the admin's door"""
    body = {"channel": "email", "address": address}

    answer = await instance.http.post("/v1/suppressions", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/address")


async def test_an_address_that_an_operator_suppressed_gets_nothing(instance: Instance) -> None:
    """82"""
    user, mail = person("blocked")
    event = f"Event {user}"
    campaign = await instance.campaign(event, {"trigger": {"event": event}})
    await instance.tell(
        "/v1/suppressions",
        {"channel": "email", "address": mail.replace("@example.com", "@EXAMPLE.com")},
    )

    await instance.send(identify(user, mail), track(user, event, ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    stats = await instance.ask("/v1/deliveries/stats", campaign=campaign, group_by="reason")
    assert [group["reason"] for group in stats["groups"]] == ["suppressed"]
    assert instance.mails(mail) == []
