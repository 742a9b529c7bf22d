"""B1: the second door. Services publish to NATS what SDKs send over HTTP, and hear what came of it.

What cannot be stored ends in the rejects list, and the next message is not affected (G13.50-55).
"""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.errors import MaxPayloadError

from angarium.core.bus.subjects import person_token
from tests.parts.instance import SEEN_SECONDS, Instance, ago
from tests.stories.test_published_uses import identify, person, track

NOBODY = "angarium.events.default._"
REJECTS = "angarium.rejects.default"


@pytest.fixture(scope="module")
async def client(instance: Instance) -> AsyncIterator[Client]:
    client = await nats.connect(instance.nats)
    yield client
    await client.close()


async def say(
    client: Client, body: object, subject: str = NOBODY, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Publish by request; gives JetStream's acknowledgement."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await client.request(subject, data, timeout=SEEN_SECONDS, headers=headers)
    ack: dict[str, Any] = json.loads(answer.data)
    assert "error" not in ack, ack
    return ack


async def check_next_message(instance: Instance, client: Client) -> None:
    """A good message that comes now is stored: nothing stands in its way."""
    user, _ = person("next")
    await say(client, track(user, "Came next", ago(seconds=1)))
    await instance.until_known(user, "Came next")


async def test_a_message_and_a_batch_are_acknowledged_and_stored(
    instance: Instance, client: Client
) -> None:
    user, mail = person("direct")
    subject = f"angarium.events.default.{person_token(user)}"

    first = await say(client, identify(user, mail, city="Tehran"), subject)
    batch = {
        "sentAt": ago(),
        "batch": [
            track(user, "AddToCart", ago(minutes=2), product="hat"),
            track(user, "Purchase", ago(minutes=1), amount=5),
            track(user, "Purchase", ago(seconds=1), amount=7),
        ],
    }
    second = await say(client, batch, subject)

    assert (first["stream"], second["stream"]) == ("EVENTS", "EVENTS")
    assert second["seq"] > first["seq"]
    profile = await instance.until_known(user, "Purchase", 2)
    assert profile["attributes"]["city"] == "Tehran"
    assert profile["events"]["AddToCart"]["count"] == 1


async def test_an_array_holds_what_came_at_the_same_time(
    instance: Instance, client: Client
) -> None:
    user, mail = person("array")

    await say(client, [identify(user, mail), {"batch": [track(user, "A", ago(minutes=1))]}])
    await say(client, [{"batch": []}, track(user, "B", ago(seconds=1))])

    profile = await instance.until_known(user, "B")
    assert profile["events"]["A"]["count"] == 1
    assert profile["attributes"]["email"] == mail


async def test_both_doors_tell_of_one_person(instance: Instance, client: Client) -> None:
    """A login over HTTP claims what the visitor did over NATS, and a message id counts once."""
    user, mail = person("both")
    visitor = f"visitor-{uuid4().hex}"
    seen = track(user, "Seen twice", ago(minutes=5))
    visit = {**track("", "Visited", ago(hours=1)), "anonymousId": visitor}
    del visit["userId"]

    await say(client, visit)
    await say(client, seen)
    await instance.send({**identify(user, mail), "anonymousId": visitor, "timestamp": ago()}, seen)
    await instance.send(track(user, "Last", ago()))

    profile = await instance.until_known(user, "Last")
    assert profile["anonymousIds"] == [visitor]
    counts = {name: event["count"] for name, event in profile["events"].items()}
    assert counts == {"Visited": 1, "Seen twice": 1, "Last": 1}


LONG = "x" * 1_200_000
DEEP: dict[str, Any] = json.loads('{"a":' * 65 + "1" + "}" * 65)
TRACK: dict[str, Any] = {"type": "track", "userId": "somebody", "event": "Tried"}
BAD: dict[str, tuple[object, str, str]] = {
    "50 empty": (b"", "", "not_json"),
    "50 not JSON": (b"hello", "", "not_json"),
    "50 null": (b"null", "", "not_json"),
    "50 a list in a list": ([[TRACK]], "", "not_json"),
    "50 a list of 1,001": ([TRACK] * 1_001, "batch", "batch_too_large"),
    "50 cut off": (b'{"type": "track", "userId": "u', "", "not_json"),
    "50 not UTF-8": (b'{"type":"track","userId":"\xff","event":"E"}', "", "not_json"),
    "50 more than a megabyte": ({**TRACK, "properties": {"x": LONG}}, "", "message_too_large"),
    "22 ten thousand levels": (b"[" * 10_000 + b"]" * 10_000, "", "too_deep"),
    "23 NaN": (b'{"type":"track","userId":"u","event":"E","properties":{"n":NaN}}', "", "not_json"),
    "27 U+0000": ({**TRACK, "properties": {"n": "a\0b"}}, "", "null_character"),
    "31 an event that is a number": ({**TRACK, "event": 5}, "event", "wrong_type"),
    "31 properties that are a list": ({**TRACK, "properties": []}, "properties", "wrong_type"),
    "31 a context that is a text": ({**TRACK, "context": "x"}, "context", "wrong_type"),
    "34 nobody": ({"type": "track", "event": "Tried"}, "userId", "no_id"),
    "35 nobody's id": ({**TRACK, "userId": "undefined"}, "userId", "meaningless_id"),
    "36 an id of 10 KB": ({**TRACK, "userId": "u" * 10_240}, "userId", "id_too_long"),
    "41 an event without a name": ({**TRACK, "event": " "}, "event", "no_event_name"),
    "41 an event with line breaks": ({**TRACK, "event": "a\r\nb"}, "event", "bad_event_name"),
    "43 a time that is none": ({**TRACK, "timestamp": "soon"}, "timestamp", "bad_timestamp"),
    "43 long ago": ({**TRACK, "timestamp": 0}, "timestamp", "timestamp_out_of_range"),
    "22 65 levels": ({**TRACK, "properties": DEEP}, "", "too_deep"),
    "48 one of our own ids": (TRACK | {"messageId": "merge:1"}, "messageId", "reserved_message_id"),
    "51 a type that is not known": ({**TRACK, "type": "track/v9"}, "type", "unknown_type"),
    "32 a batch of 1,001": ({"batch": [TRACK] * 1_001}, "batch", "batch_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_stored_is_listed_and_the_next_message_is(
    instance: Instance, client: Client, name: str
) -> None:
    body, field, code = BAD[name]
    told = await client.subscribe(REJECTS)

    await say(client, body)

    reject = json.loads((await told.next_msg(timeout=SEEN_SECONDS)).data)
    await told.unsubscribe()
    assert (reject["field"], reject["code"]) == (field, code)
    assert "value" not in reject
    listed = (await instance.ask("/v1/rejects"))["data"]
    assert [row["reason"] for row in listed if row["messageId"] == reject["messageId"]]
    await check_next_message(instance, client)


async def test_the_bad_members_of_a_batch_are_listed_and_the_good_ones_stored(
    instance: Instance, client: Client
) -> None:
    user, _ = person("mixed")
    told = await client.subscribe(REJECTS)
    bad = [1, None, "x", [], {**TRACK, "event": {}}, {"type": "track", "event": "E"}]
    good = [track(user, "Good", ago(seconds=number)) for number in range(3)]

    await say(client, {"batch": [*bad[:3], *good, *bad[3:]]})

    await instance.until_known(user, "Good", 3)
    codes = [json.loads((await told.next_msg(SEEN_SECONDS)).data)["code"] for _ in bad]
    await told.unsubscribe()
    assert codes == ["wrong_type"] * 5 + ["no_id"]


async def test_a_workspace_in_the_payload_changes_nothing(
    instance: Instance, client: Client
) -> None:
    """G13.52: whose a message is stands in the subject, which a server can guard; nowhere else."""
    user, _ = person("tenant")

    await say(client, {**track(user, "Tried", ago(seconds=1)), "workspace": "other"})

    assert (await instance.until_known(user, "Tried"))["userId"] == user


@pytest.mark.parametrize("subject", ["angarium.events.elsewhere._", "angarium.decisions.elsewhere"])
async def test_what_names_no_workspace_of_ours_is_told_to_the_operator(
    instance: Instance, client: Client, subject: str
) -> None:
    told = await client.subscribe(REJECTS)

    await say(client, TRACK, subject)

    reject = json.loads((await told.next_msg(timeout=SEEN_SECONDS)).data)
    await told.unsubscribe()
    assert (reject["field"], reject["code"]) == ("workspace", "unknown_workspace")
    listed = (await instance.ask("/v1/rejects"))["data"]
    assert [row["value"] for row in listed if row["messageId"] == reject["messageId"]] == [
        "elsewhere"
    ]
    await check_next_message(instance, client)


async def test_a_message_that_comes_ten_times_counts_once(
    instance: Instance, client: Client
) -> None:
    user, _ = person("again")
    message = track(user, "Repeated", ago(seconds=5))

    for _ in range(10):
        await say(client, message)
    await say(client, {"batch": [message, message]})
    await say(client, track(user, "Ended", ago(seconds=1)))

    profile = await instance.until_known(user, "Ended")
    assert profile["events"]["Repeated"]["count"] == 1


async def test_the_inbox_does_not_trust_the_brokers_message_id(
    instance: Instance, client: Client
) -> None:
    """G13.54: other headers do not make one message two."""
    user, _ = person("forged")
    message = track(user, "Repeated", ago(seconds=5))

    for number in range(3):
        await say(client, message, headers={"Nats-Msg-Id": f"{user}-{number}"})
    await say(client, track(user, "Ended", ago(seconds=1)))

    profile = await instance.until_known(user, "Ended")
    assert profile["events"]["Repeated"]["count"] == 1


async def test_the_broker_says_so_when_its_message_id_came_before(
    instance: Instance, client: Client
) -> None:
    user, _ = person("deduplicated")
    header = {"Nats-Msg-Id": user}

    first = await say(client, track(user, "Done", ago(seconds=5)), headers=header)
    second = await say(client, track(user, "Done", ago(seconds=4)), headers=header)
    await say(client, track(user, "Ended", ago(seconds=1)))

    assert (first.get("duplicate"), second.get("duplicate")) == (None, True)
    profile = await instance.until_known(user, "Ended")
    assert profile["events"]["Done"]["count"] == 1


async def test_messages_without_an_id_each_count(instance: Instance, client: Client) -> None:
    user, _ = person("nameless")
    message = track(user, "Tapped", ago(seconds=5))
    del message["messageId"]

    await say(client, message)
    await say(client, {"batch": [message, message]})

    await instance.until_known(user, "Tapped", 3)
    timeline = (await instance.ask(f"/v1/profiles/{user}/timeline"))["data"]
    assert len({entry["messageId"] for entry in timeline}) == 3


async def test_odd_headers_are_of_no_account(instance: Instance, client: Client) -> None:
    """G13.55: ids come from the body only."""
    user, _ = person("header")

    await say(
        client,
        track(user, "Done", ago(seconds=5)),
        headers={"messageId": "forged", "userId": "somebody else", "X-Odd": "é"},
    )

    await instance.until_known(user, "Done")


async def test_more_than_the_server_takes_is_refused_by_it(
    instance: Instance, client: Client
) -> None:
    """G13.50: the client learns it at once, and keeps its connection."""
    with pytest.raises(MaxPayloadError):
        await client.publish(NOBODY, b"x" * 9_000_000)

    await check_next_message(instance, client)


async def test_the_doors_time_of_receipt_cannot_be_forged(
    instance: Instance, client: Client
) -> None:
    """A time that no calendar has would spoil every list in which the event stands."""
    user, _ = person("timeless")
    for number, received_at in enumerate((10**17, -(10**17), 0, 10**30)):
        message = track(user, f"Timeless {number}", ago(seconds=1))
        del message["timestamp"]
        await say(client, {"receivedAt": received_at, "batch": [message]})
    await say(client, track(user, "Ended", ago(seconds=1)))

    profile = await instance.until_known(user, "Ended")

    assert len(profile["events"]) == 5
    assert (await instance.ask(f"/v1/profiles/{user}/timeline"))["data"]
    assert (await instance.ask("/v1/events"))["data"]
    assert (await instance.ask("/v1/profiles"))["data"]


@pytest.mark.parametrize("levels", [65, 500, 960])
async def test_a_nested_value_that_was_stored_can_be_read(
    instance: Instance, client: Client, levels: int
) -> None:
    """G13.22: either it is refused, or everything that shows it works."""
    user, _ = person("nested")
    nested = '{"a":' * levels + "1" + "}" * levels
    message = {**track(user, "Nested", ago(seconds=2)), "properties": "HERE"}

    await say(client, json.dumps(message).replace('"HERE"', nested).encode())
    await say(client, track(user, "Ended", ago(seconds=1)))

    await instance.until_known(user, "Ended")
    answer = await instance.http.get(f"/v1/profiles/{user}/timeline")
    assert answer.status_code == 200


async def test_reports_tell_what_became_of_each_message(instance: Instance, client: Client) -> None:
    """B4: every change of a delivery, over NATS."""
    user, mail = person("reported")
    quiet, quiet_mail = person("quiet")
    campaign = await instance.campaign("Reported", {"trigger": {"event": "Reported"}})
    reports = await client.subscribe("angarium.reports.default.>")

    await say(client, identify(user, mail))
    await say(client, track(user, "Reported", ago(seconds=1)))
    await say(client, identify(quiet, quiet_mail, email_opt_in=False))
    await say(client, track(quiet, "Reported", ago(seconds=1)))

    await instance.until_stats(campaign, accepted=1, skipped=1)
    told: dict[str, set[str]] = {}
    # Two processes tell of it, each as soon as it can: no order of their reports is promised.
    expected = [{"planned", "accepted"}, {"planned", "skipped"}]
    while sorted(told.values(), key=sorted) != sorted(expected, key=sorted):
        message = await reports.next_msg(timeout=SEEN_SECONDS)
        report = json.loads(message.data)
        assert message.subject == f"angarium.reports.default.email.{report['status']}"
        assert mail not in message.data.decode()
        if report["campaign"] == campaign:
            told.setdefault(report["delivery"], set()).add(report["status"])
    await reports.unsubscribe()
