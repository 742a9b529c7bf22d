"""What is told of messages afterwards: reliability.md's numbers 88 to 93 and 96, 90's strangers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client

from tests.parts.instance import SEEN_SECONDS, Instance, ago
from tests.stories.test_published_uses import identify, person, track

SUBJECT = "angarium.feedback.default"


@pytest.fixture(scope="session")
async def client(instance: Instance) -> AsyncIterator[Client]:
    client = await nats.connect(instance.nats)
    yield client
    await client.close()


class Sent(NamedTuple):
    """A delivery that was accepted."""

    instance: Instance
    client: Client
    id: str
    campaign: str

    async def tell(self, *bodies: object) -> None:
        """Publish, and wait until all of it is applied."""
        for body in [*bodies, {"kind": "shown", "at": 1, "id": uuid4().hex, "delivery": self.id}]:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            await self.client.request(SUBJECT, data, timeout=SEEN_SECONDS)
        async with asyncio.timeout(SEEN_SECONDS):
            while "shown" not in (await self.row())["reactions"]:
                await asyncio.sleep(0.05)

    async def row(self) -> dict[str, Any]:
        row: dict[str, Any] = await self.instance.ask(f"/v1/deliveries/{self.id}")
        return row

    def status(self, status: str, **more: Any) -> dict[str, Any]:
        found = {"kind": "status", "status": status, "at": 1, "id": uuid4().hex}
        return found | {"delivery": self.id} | more

    def reaction(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"kind": kind, "at": 1, "id": uuid4().hex, "delivery": self.id} | more


@pytest.fixture
async def sent(instance: Instance, client: Client) -> Sent:
    user, mail = person("told")
    event = f"Event {user}"
    campaign = await instance.campaign(event, {"trigger": {"event": event}})
    await instance.send(identify(user, mail), track(user, event, ago(seconds=1)))
    await instance.until_stats(campaign, accepted=1)
    (row,) = (await instance.ask("/v1/deliveries", campaign=campaign))["data"]
    return Sent(instance, client, row["id"], campaign)


NONSENSE: dict[str, object] = {
    "empty": b"",
    "not JSON": b"hello",
    "a list": [],
    "10,000 levels": b"[" * 10_000,
    "93 an unknown kind": {"kind": "danced", "at": 1, "id": "x"},
    "93 an unknown status": {"kind": "status", "status": "evaporated", "at": 1, "id": "x"},
    "90 an unknown delivery": {"kind": "opened", "at": 1, "id": "x", "delivery": "dlv_none"},
    "90 an unknown message of a provider": {
        "kind": "status", "status": "delivered", "at": 1, "id": "x", "provider": "email_smtp",
        "providerId": "none",
    },
    "a time that no calendar has": {"kind": "opened", "at": 10**30, "id": "x", "delivery": "HERE"},
    "a time before all time": {"kind": "clicked", "at": -(10**18), "id": "x", "delivery": "HERE"},
    "a text for a time": {"kind": "opened", "at": "now", "id": "x", "delivery": "HERE"},
    "a provider id of 1 MB": {
        "kind": "status", "status": "delivered", "at": 1, "id": "x", "delivery": "HERE",
        "providerId": "x" * 1_000_000, "reason": "\0" * 1_000,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_stops_nothing_that_comes_after_it(sent: Sent, name: str) -> None:
    body = NONSENSE[name]
    if isinstance(body, dict) and body.get("delivery") == "HERE":
        body = {**body, "delivery": sent.id}

    await sent.tell(body)

    await sent.instance.stats(sent.campaign)
    assert (await sent.instance.http.get("/v1/deliveries")).status_code == 200


async def test_what_is_told_twice_counts_once(sent: Sent) -> None:
    """89: the id is unique to what happened, as docs/nats-subjects.md promises."""
    opened = sent.reaction("opened")

    await sent.tell(opened, opened, opened)

    assert (await sent.row())["reactions"]["opened"]["count"] == 1


async def test_a_burst_is_worked_off_and_what_comes_after_it_counts(sent: Sent) -> None:
    """96: a thousand at once, most of them of nothing that we sent."""
    strange = [
        sent.status("delivered", delivery="", provider="email_smtp", providerId=f"none_{number}")
        for number in range(900)
    ]
    opened = [sent.reaction("opened") for _ in range(100)]
    told = [json.dumps(body).encode() for body in (*strange, *opened)]
    await asyncio.gather(
        *(sent.client.request(SUBJECT, data, timeout=SEEN_SECONDS) for data in told)
    )

    await sent.tell()

    assert (await sent.row())["reactions"]["opened"]["count"] == 100


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        (["delivered", "accepted"], "delivered"),
        (["delivered", "delivered"], "delivered"),
        (["bounced", "accepted"], "bounced"),
        (["delivered", "failed"], "delivered"),
    ],
)
async def test_news_in_any_order_never_lead_backwards(
    sent: Sent, statuses: list[str], end: str
) -> None:
    """91"""
    await sent.tell(*(sent.status(status) for status in statuses))

    assert (await sent.row())["state"] == end
    stats = await sent.instance.stats(sent.campaign)
    assert stats["receipts"][end] == 1


async def test_a_reaction_to_what_was_never_sent_is_not_believed(
    sent: Sent, instance: Instance, client: Client
) -> None:
    """91: a click before the send"""
    user, _ = person("silent")
    decision = {"decisionId": uuid4().hex, "campaign": sent.campaign, "userId": user}
    told = await instance.tell("/v1/decisions", decision)
    await instance.until_stats(sent.campaign, planned=2, skipped=1)

    await sent.tell(sent.reaction("clicked", delivery=told["delivery"]))

    row = await instance.ask(f"/v1/deliveries/{told['delivery']}")
    assert (row["state"], row["reactions"]) == ("skipped", {})


async def test_a_complaint_and_a_dead_address_end_all_sending_to_it(sent: Sent) -> None:
    """91, 82"""
    await sent.tell(sent.reaction("complained"), sent.status("bounced", addressDead=True))

    row = await sent.row()
    listed = (await sent.instance.ask("/v1/suppressions", channel="email"))["data"]
    address = f"{row['userId']}@example.com"
    assert [one["reason"] for one in listed if one["address"] == address] in (
        ["complained"],
        ["bounced"],
    )
    profile = await sent.instance.ask(f"/v1/profiles/{row['userId']}")
    assert profile["consents"]["email"]["state"] == "opted_out"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/callbacks/nobody", 404),
        ("/callbacks/..%2f..%2fetc", 404),
        ("/callbacks/email_smtp", None),
        ("/callbacks/" + "x" * 5_000, 404),
    ],
)
async def test_a_callback_of_nobody_is_refused(
    instance: Instance, path: str, status: int | None
) -> None:
    """88, 90: a provider that takes no callbacks believes none either."""
    for body in (b"", b"null", b"x" * 100_000, b'{"event":"delivered"}'):
        answer = await instance.http.post(path, content=body)
        expected = {status} if status else {200, 400, 401, 404}
        assert answer.status_code in expected, answer.text


async def test_a_callback_has_a_largest_size(instance: Instance) -> None:
    answer = await instance.http.post("/callbacks/email_smtp", content=b"x" * 300_000)

    assert answer.status_code in (404, 413)
