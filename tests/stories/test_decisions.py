"""B1: "this person should get this campaign", said by any service, over HTTP and over NATS."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client

from tests.parts.instance import SEEN_SECONDS, Instance, ago
from tests.stories.test_published_uses import identify, person

SUBJECT = "angarium.decisions.default"
NEVER = {"trigger": {"event": "Nobody ever does this"}}


@pytest.fixture(scope="module")
async def client(instance: Instance) -> AsyncIterator[Client]:
    client = await nats.connect(instance.nats)
    yield client
    await client.close()


async def known(instance: Instance, name: str, **traits: Any) -> tuple[str, str]:
    """A person who has said who they are."""
    user, mail = person(name)
    await instance.send(identify(user, mail, **traits))
    async with asyncio.timeout(SEEN_SECONDS):
        while (await instance.http.get(f"/v1/profiles/{user}")).status_code != 200:
            await asyncio.sleep(0.05)
    return user, mail


def decision(campaign: str, user: str, **more: Any) -> dict[str, Any]:
    return {"decisionId": uuid4().hex, "campaign": campaign, "userId": user, **more}


async def publish(client: Client, body: object) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    ack = json.loads((await client.request(SUBJECT, data, timeout=SEEN_SECONDS)).data)
    assert ack["stream"] == "DECISIONS"


async def until_state(instance: Instance, delivery: str, *states: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    async with asyncio.timeout(SEEN_SECONDS):
        while row.get("state") not in states:
            await asyncio.sleep(0.05)
            answer = await instance.http.get(f"/v1/deliveries/{delivery}")
            row = answer.json() if answer.status_code == 200 else {}
    return row


async def test_whoever_was_just_told_of_is_reached_on_the_channel_that_can(
    instance: Instance,
) -> None:
    """S1.14: the two messages of one service travel on two streams; either may be read first."""
    content = {
        "order": ["sms", "email"],
        "sms": {"text": "Paid"},
        "email": {"subject": "Paid", "text": "Paid"},
    }
    first = await instance.campaign("First", NEVER, content=content)
    second = await instance.campaign("Second", NEVER, content={"email": content["email"]})

    people = [person(f"new-{number}") for number in range(3)]
    for user, mail in people:
        await instance.tell("/v1/decisions", decision(first, user))
        await instance.tell("/v1/decisions", decision(second, user))
        await instance.send(identify(user, mail))

    for campaign in (first, second):
        await instance.until_stats(campaign, planned=len(people), accepted=len(people))
    assert [len(instance.mails(mail)) for _, mail in people] == [2] * len(people)


async def test_a_decision_over_http_sends_with_its_data(instance: Instance) -> None:
    user, mail = await known(instance, "paid")
    text = {"subject": "Order {{ data.order }}", "text": "Thank you, {{ profile.first_name }}"}
    campaign = await instance.campaign("Paid", NEVER, content={"email": text})

    told = await instance.tell("/v1/decisions", decision(campaign, user, data={"order": 4711}))

    row = await until_state(instance, told["delivery"], "accepted")
    assert (row["source"], row["userId"]) == ("decision", user)
    assert [one["headers"]["subject"] for one in instance.mails(mail)] == ["Order 4711"]
    assert (await instance.stats(campaign))["totals"]["accepted"] == 1


async def test_a_decision_over_nats_sends(instance: Instance, client: Client) -> None:
    user, mail = await known(instance, "decided")
    campaign = await instance.campaign("Decided", NEVER)

    await publish(client, decision(campaign, user))

    await instance.until_stats(campaign, accepted=1)
    assert len(instance.mails(mail)) == 1


async def test_one_decision_id_sends_once_through_both_doors(
    instance: Instance, client: Client
) -> None:
    user, mail = await known(instance, "once")
    campaign = await instance.campaign("Once", NEVER)
    one = decision(campaign, user)

    first, second = [await instance.tell("/v1/decisions", one) for _ in range(2)]
    for _ in range(3):
        await publish(client, one)
    await publish(client, decision(campaign, user))

    await instance.until_stats(campaign, planned=2, accepted=2)
    assert first == second
    assert len(instance.mails(mail)) == 2


async def test_an_unknown_campaign_is_404_and_over_nats_a_reject(
    instance: Instance, client: Client
) -> None:
    user, _ = await known(instance, "lost")
    bad = decision("cmp_there_is_none", user)
    told = await client.subscribe("angarium.rejects.default")

    answer = await instance.http.post("/v1/decisions", json=bad)
    await publish(client, bad)

    reject = json.loads((await told.next_msg(timeout=SEEN_SECONDS)).data)
    await told.unsubscribe()
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (reject["field"], reject["code"]) == ("campaign", "unknown_campaign")


BAD: dict[str, tuple[object, str, str]] = {
    "empty": (b"", "", "bad_decision"),
    "not JSON": (b"hello", "", "bad_decision"),
    "a list": ([], "", "bad_decision"),
    "not UTF-8": (b'{"decisionId":"\xff"}', "", "bad_decision"),
    "no id": ({"decisionId": ""}, "decisionId", "bad_decision"),
    "an id of 201": ({"decisionId": "d" * 201}, "decisionId", "bad_decision"),
    "an id that is a number": ({"decisionId": 5}, "", "bad_decision"),
    "nobody": ({"userId": " "}, "userId", "bad_decision"),
    "undefined": ({"userId": "undefined"}, "userId", "bad_decision"),
    "a user of 101": ({"userId": "u" * 101}, "userId", "bad_decision"),
    "a user with control characters": ({"userId": "a\nb"}, "userId", "bad_decision"),
    "no such channel": ({"channel": "sms"}, "channel", "no_content"),
    "a time that is none": ({"expires": "tomorrow"}, "expires", "bad_timestamp"),
    "data that is a text": ({"data": "x"}, "", "bad_decision"),
    "U+0000": ({"data": {"x": "\0"}}, "", "null_character"),
    "65 levels": ({"data": {"x": json.loads("[" * 63 + "]" * 63)}}, "", "too_deep"),
    "10,000 levels": (b'{"data":' * 10_000 + b"1" + b"}" * 10_000, "", "too_deep"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_decision_is_listed_and_the_next_one_sends(
    instance: Instance, client: Client, name: str
) -> None:
    """G13.50: nothing on the stream stops what comes after it."""
    user, mail = await known(instance, "after")
    campaign = await instance.campaign("After", NEVER)
    change, field, code = BAD[name]
    bad = decision(campaign, user) | change if isinstance(change, dict) else change
    told = await client.subscribe("angarium.rejects.default")

    await publish(client, bad)

    reject = json.loads((await told.next_msg(timeout=SEEN_SECONDS)).data)
    await told.unsubscribe()
    assert (reject["field"], reject["code"]) == (field, code)
    await publish(client, decision(campaign, user))
    await instance.until_stats(campaign, planned=1, accepted=1)
    assert len(instance.mails(mail)) == 1


BAD_OVER_HTTP: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"decisionId": ""}, "/decisionId"),
    "an id of 201": ({"decisionId": "d" * 201}, "/decisionId"),
    "a user of 101": ({"userId": "u" * 101}, "/userId"),
    "an unknown member": ({"workspace": "other"}, ""),
    "a time that is none": ({"notBefore": "tomorrow"}, "/notBefore"),
    "it ends before it begins": ({"notBefore": ago(), "expires": ago(hours=1)}, "/expires"),
    "nobody": ({"userId": "undefined"}, "/userId"),
    "no such channel": ({"channel": "sms"}, "/channel"),
}


@pytest.mark.parametrize("name", BAD_OVER_HTTP)
async def test_http_names_what_is_wrong_at_once(instance: Instance, name: str) -> None:
    """What would only end in the rejects list is better said to who can still correct it."""
    user, _ = await known(instance, "wrong")
    campaign = await instance.campaign("Wrong", NEVER)
    change, pointer = BAD_OVER_HTTP[name]

    answer = await instance.http.post("/v1/decisions", json=decision(campaign, user) | change)

    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_decision_names_the_same_person_as_events_do(
    instance: Instance, client: Client
) -> None:
    """Ids are compared in NFC: é is é, however it is written."""
    user, _ = person("re\u0301ne\u0301")
    _, mail = person("rene")
    await instance.send(identify(user, mail))
    campaign = await instance.campaign("René", NEVER)

    await publish(client, decision(campaign, user))

    await instance.until_stats(campaign, planned=1, accepted=1)
    assert len(instance.mails(mail)) == 1


async def test_nothing_is_sent_before_its_time(instance: Instance) -> None:
    user, mail = await known(instance, "patient")
    campaign = await instance.campaign("Later", NEVER)

    soon = decision(campaign, user, notBefore=ago(seconds=-3))
    far = decision(campaign, user, notBefore=ago(days=-1))
    told = await instance.tell("/v1/decisions", soon)
    await instance.tell("/v1/decisions", far)

    await instance.until_stats(campaign, planned=2, accepted=1)
    row = await instance.ask(f"/v1/deliveries/{told['delivery']}")
    assert row["handedAt"] >= row["dueAt"]
    assert len(instance.mails(mail)) == 1
    assert (await instance.stats(campaign))["totals"]["waiting"] == 1


async def test_nothing_is_sent_after_its_time(instance: Instance) -> None:
    user, mail = await known(instance, "late")
    campaign = await instance.campaign("Too late", NEVER)

    await instance.tell("/v1/decisions", decision(campaign, user, expires=ago(seconds=1)))

    await instance.until_stats(campaign, skipped=1)
    stats = await instance.ask("/v1/deliveries/stats", campaign=campaign, group_by="reason")
    assert [group["reason"] for group in stats["groups"]] == ["expired"]
    assert instance.mails(mail) == []


async def test_a_service_may_mark_a_decision_as_a_test(instance: Instance, client: Client) -> None:
    """B3: it may come from a draft, but does not get round an opt-out."""
    (user, mail), (quiet, _) = [
        await known(instance, name, email_opt_in=said)
        for name, said in (("tester", True), ("quiet", False))
    ]
    email = {"subject": "Draft", "text": "x"}
    draft = {"name": "Draft", "send_at": NEVER, "content": {"email": email}}
    campaign = (await instance.tell("/v1/campaigns", draft))["id"]

    for one in (user, quiet):
        await publish(client, decision(campaign, one, test=True))

    stats = await instance.until_stats(campaign, accepted=1, skipped=1)
    assert stats["totals"]["planned"] == 2
    rows = (await instance.ask("/v1/deliveries", campaign=campaign))["data"]
    told = {row["userId"]: (row["source"], row["test"], row["reason"]) for row in rows}
    assert told == {user: ("test", True, ""), quiet: ("test", True, "opted_out")}
    assert len(instance.mails(mail)) == 1


async def test_the_class_decides_the_promise(instance: Instance) -> None:
    """Transactional mail is sent at least once and has no list to leave; marketing the reverse."""
    user, mail = await known(instance, "classes")
    rows = {}
    for class_ in ("marketing", "transactional"):
        campaign = await instance.campaign(class_, NEVER, **{"class": class_})
        told = await instance.tell("/v1/decisions", decision(campaign, user))
        rows[class_] = await until_state(instance, told["delivery"], "accepted")

    assert [rows[c]["promise"] for c in rows] == ["at_most_once", "at_least_once"]
    headers = {one["headers"]["subject"]: one["headers"] for one in instance.mails(mail)}
    assert "list-unsubscribe" in headers["marketing"]
    assert "list-unsubscribe" not in headers["transactional"]


async def test_a_transactional_decision_does_not_get_round_an_opt_out(instance: Instance) -> None:
    """B3, S2.10: whatever path asks."""
    user, mail = await known(instance, "closed", email_opt_in=False)
    campaign = await instance.campaign("Receipt", NEVER, **{"class": "transactional"})

    told = await instance.tell("/v1/decisions", decision(campaign, user))

    row = await until_state(instance, told["delivery"], "skipped", "accepted")
    assert (row["state"], row["reason"]) == ("skipped", "opted_out")
    assert instance.mails(mail) == []


async def test_a_decision_for_a_campaign_that_is_not_active_is_not_sent(instance: Instance) -> None:
    """The gates: a draft is skipped, a paused one waits."""
    user, mail = await known(instance, "idle")
    email = {"subject": "Draft", "text": "x"}
    draft = {"name": "Draft", "send_at": NEVER, "content": {"email": email}}
    drafted = (await instance.tell("/v1/campaigns", draft))["id"]
    paused = await instance.campaign("Paused", NEVER)
    await instance.tell(f"/v1/campaigns/{paused}/pause")

    first = await instance.tell("/v1/decisions", decision(drafted, user))
    second = await instance.tell("/v1/decisions", decision(paused, user))

    skipped = await until_state(instance, first["delivery"], "skipped")
    held = await until_state(instance, second["delivery"], "held")
    assert (skipped["reason"], held["reason"]) == ("campaign_draft", "campaign_paused")
    assert instance.mails(mail) == []


async def test_a_decision_for_somebody_unknown_waits_for_nobody(instance: Instance) -> None:
    campaign = await instance.campaign("Unknown", NEVER)
    user, _ = person("unknown")

    told = await instance.tell("/v1/decisions", decision(campaign, user))

    row = await until_state(instance, told["delivery"], "skipped")
    assert row["reason"] in ("no_address", "not_opted_in")
