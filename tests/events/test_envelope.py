"""What stands in a stream message: one message, a batch, or an array of those."""

from typing import Any

import msgspec
import pytest

from angarium.core.bus.publisher import JOINED_BYTES
from angarium.core.events.envelope import ARRAY_BYTES, Origin, open_envelope
from angarium.core.events.message import Message, MessageRefused

AT = 1_795_341_600_000
ORIGIN = Origin("epoch", 7, AT)
ONE = {"type": "track", "userId": "u1", "event": "Visit"}


def opened(document: Any) -> list[Message | tuple[str, MessageRefused]]:
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return list(open_envelope(body, ORIGIN))


def said(document: Any) -> list[str]:
    """The event of each message, or the code of its refusal."""
    return [one.name if isinstance(one, Message) else one[1].code for one in opened(document)]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (ONE, ["Visit"]),
        ({"batch": [ONE, ONE]}, ["Visit", "Visit"]),
        ([ONE, {"batch": [ONE, ONE]}, {"batch": []}], ["Visit"] * 3),
        ([], []),
        ([ONE, 5, ONE], ["Visit", "not_json", "Visit"]),
        ([{"batch": [{}, ONE]}, ONE], ["unknown_type", "Visit", "Visit"]),
        ([{"batch": [ONE] * 1001}, ONE], ["batch_too_large", "Visit"]),
        ([ONE] * 1001, ["batch_too_large"]),
        (b"[" * 100_000, ["too_deep"]),
        (b"[" + b" " * ARRAY_BYTES + b"]", ["batch_too_large"]),
        (b"[{}", ["not_json"]),
        ([[ONE]], ["not_json"]),
    ],
)
def test_what_is_read_of_it(document: Any, expected: list[str]) -> None:
    assert said(document) == expected


def test_each_member_without_an_id_gets_one_of_its_own_at_every_reading() -> None:
    document = [{"batch": [ONE, {}]}, 5, ONE, {"batch": [ONE]}]

    ids = [one.id if isinstance(one, Message) else one[0] for one in opened(document)]

    assert len(set(ids)) == 5
    assert ids == [one.id if isinstance(one, Message) else one[0] for one in opened(document)]


def test_members_without_a_time_happened_in_their_order() -> None:
    given = {**ONE, "timestamp": "2026-11-20T10:00:00Z"}
    messages = [one for one in opened({"batch": [ONE, given, ONE]}) if isinstance(one, Message)]

    first, told, last = messages

    assert (first.at, last.at) == (AT - 2, AT)
    assert told.at < AT - 2
    assert {one.received_at for one in messages} == {AT}


def test_what_an_envelope_says_is_true_of_its_own_members_only() -> None:
    document = [
        {"batch": [ONE], "requestId": "req_1", "receivedAt": AT - 5, "type": "track"},
        {"batch": [ONE], "requestId": "req_2"},
    ]

    first, second = opened(document)

    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.request_id, first.received_at) == ("req_1", AT - 5)
    assert (second.request_id, second.received_at) == ("req_2", AT)


def test_the_bus_joins_no_more_than_is_read() -> None:
    assert JOINED_BYTES <= ARRAY_BYTES
