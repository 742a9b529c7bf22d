"""Events over HTTP: what is refused, with which status and code, and what that leaves behind."""

import asyncio
import gzip
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from angarium.config.settings import Limits, Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.store.keys import make_key
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import Clock, Door

TRACK: dict[str, Any] = {"type": "track", "event": "Purchase", "userId": "u1"}
DEEP = b"[" * 10_000 + b"]" * 10_000
LONG = b"x" * 200
LONG_ID = "message_id_too_long"


def check_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Every refusal has the members of RFC 9457 and those that SDKs look for."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["request_id"] == response.headers["x-request-id"]
    assert all(isinstance(body[name], str) for name in ("type", "title", "detail", "message"))
    return body


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "unreadable_body"),
        (b"null", 400, "unreadable_body"),
        (b"[]", 400, "unreadable_body"),
        (b"3", 400, "unreadable_body"),
        (b'"text"', 400, "unreadable_body"),
        (b'{"event":"A"', 400, "unreadable_body"),
        (b'{"event":"A","userId":"u"} {}', 400, "unreadable_body"),
        (b'{"event":"A","userId":"u","properties":{"x":NaN}}', 400, "unreadable_body"),
        (b'{"event":"A","userId":"u","properties":{"x":Infinity}}', 400, "unreadable_body"),
        (b'{"event":"A","userId":"u","properties":{"x":"\\ud800"}}', 400, "unreadable_body"),
        (b'{"event":"A","userId":"\xff"}', 400, "unreadable_body"),
        (b'{"event":"A","userId":"u","properties":{"x":%b}}' % DEEP, 400, "unreadable_body"),
        (b'{"event":"A","userId":"u","x":%b}' % DEEP, 400, "unreadable_body"),
        (b"{}", 422, "no_id"),
        (b'{"event":"A"}', 422, "no_id"),
        (b'{"event":"A","userId":"","anonymousId":null}', 422, "no_id"),
        (b'{"event":"A","userId":" "}', 422, "meaningless_id"),
        (b'{"event":"A","userId":"null"}', 422, "meaningless_id"),
        (b'{"event":"A","userId":"[object Object]"}', 422, "meaningless_id"),
        (b'{"event":"A","userId":"%b"}' % (b"x" * 10_000), 422, "id_too_long"),
        (b'{"event":"A","userId":{}}', 422, "wrong_type"),
        (b'{"event":7,"userId":"u"}', 422, "wrong_type"),
        (b'{"event":"","userId":"u"}', 422, "no_event_name"),
        (b'{"event":"%b","userId":"u"}' % (b"x" * 1_000), 422, "event_name_too_long"),
        (b'{"event":"A","userId":"u","properties":{"x":"\\u0000"}}', 422, "null_character"),
        (b'{"event":"A","userId":"u","properties":{"x":1e999}}', 422, "wrong_type"),
        (b'{"event":"A","userId":"u","timestamp":"noon"}', 422, "bad_timestamp"),
        (b'{"event":"A","userId":"u","x":"%b"}' % (b"x" * 40_000), 422, "message_too_large"),
    ],
)
async def test_a_single_message_that_cannot_be_stored_is_refused(
    door: Door, body: bytes, status: int, code: str
) -> None:
    check_problem(await door.post("/v1/track", body), status, code)


async def test_a_refusal_names_the_field_and_never_repeats_its_value(door: Door) -> None:
    response = await door.post("/v1/track", {"event": {"secret": "0912"}, "userId": "u1"})

    body = check_problem(response, 422, "wrong_type")
    assert [error["pointer"] for error in body["errors"]] == ["/event"]
    assert "0912" not in response.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "unreadable_body"),
        (b"null", 400, "unreadable_body"),
        (b"[]", 400, "unreadable_body"),
        (b"{}", 400, "unreadable_body"),
        (b'{"batch":{}}', 400, "unreadable_body"),
        (b'{"batch":[1]} x', 400, "unreadable_body"),
        (b'{"batch":[%b]}' % DEEP, 400, "unreadable_body"),
        (b'{"batch":[]}', 422, "empty_batch"),
        (b'{"batch":[%b1]}' % (b"1," * 1_000), 413, "batch_too_long"),
    ],
)
async def test_a_batch_that_cannot_be_read_is_refused_whole(
    door: Door, body: bytes, status: int, code: str
) -> None:
    check_problem(await door.post("/v1/batch", body), status, code)
    assert await door.published() == 0


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (b"null", "wrong_type"),
        (b"7", "wrong_type"),
        (b'"x"', "wrong_type"),
        (b"[]", "wrong_type"),
        (b"{}", "unknown_type"),
        (b'{"type":"purchase","userId":"u"}', "unknown_type"),
        (b'{"type":"track","event":"A"}', "no_id"),
        (b'{"type":"alias","userId":"u"}', "no_id"),
        (b'{"type":"track","event":"A","userId":"u","messageId":"%b"}' % LONG, LONG_ID),
        (b'{"type":"track","event":"A","userId":"u","properties":7}', "wrong_type"),
        (b'{"type":"track","event":"A","userId":"u","x":%b}' % (b"[" * 70 + b"]" * 70), "too_deep"),
    ],
)  # fmt: skip
async def test_a_bad_member_is_named_with_its_reason(door: Door, member: bytes, code: str) -> None:
    response = await door.post("/v1/batch", b'{"batch":[%b]}' % member)

    [rejected] = response.json()["rejected"]
    assert response.status_code == 200
    assert (rejected["index"], rejected["code"]) == (0, code)
    assert rejected["reason"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic Og=="},
        {"Authorization": "Basic dW5rbm93bjo="},
        {"Authorization": "Bearer unknown"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "Digest abc"},
        {"X-Write-Key": "unknown"},
        {"Authorization": f"Bearer {make_key('write')}"},
        {"Authorization": "Bearer " + "x" * 8_000},
    ],
)
async def test_a_key_that_is_missing_or_wrong_always_gets_the_same_answer(
    door: Door, headers: dict[str, str]
) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    response = await door.post("/v1/batch", {"batch": [TRACK]}, auth=None, headers=sent)

    body = check_problem(response, 401, "not_authenticated")
    assert body["detail"] == "The key is missing or not valid"
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert await door.published() == 0


async def test_a_key_in_the_address_is_never_looked_at(door: Door) -> None:
    path = f"/v1/track?writeKey={door.write_key}&key={door.write_key}"

    check_problem(await door.post(path, TRACK, auth=None), 401, "not_authenticated")


@pytest.mark.parametrize("body", [b"", b"{", b'{"batch":[]', b"\xff"])
async def test_without_a_key_a_body_is_not_discussed(door: Door, body: bytes) -> None:
    for path in ("/v1/batch", "/v1/track"):
        check_problem(await door.post(path, body, auth=None), 401, "not_authenticated")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
async def test_only_post_brings_events(door: Door, method: str) -> None:
    response = await door.client.request(method, "/v1/track")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST, OPTIONS"


LARGE = msgspec.json.encode({"batch": [{**TRACK, "properties": {"x": "x" * 1000}}] * 1100})


async def test_a_body_over_the_limit_is_refused_by_its_length(door: Door) -> None:
    check_problem(await door.post("/v1/batch", LARGE), 413, "body_too_large")


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(body), 65_536):
        yield body[first : first + 65_536]


async def test_a_body_of_unknown_length_is_refused_at_the_limit(door: Door) -> None:
    """Sent up to where it is refused: the answer would not survive what is sent beyond."""
    most = door.parts.settings.limits.batch_bytes
    key = b64encode(f"{door.write_key}:".encode()).decode()
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: angarium\r\nAuthorization: Basic {key}\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{2 * most:x}\r\n"
    )
    reader, writer = await asyncio.open_connection(*door.address)
    writer.write(head.encode() + b"x" * (most + 1))

    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"body_too_large"' in answer
    assert await door.published() == 0


async def test_a_body_in_pieces_below_the_limit_is_taken(door: Door) -> None:
    body = msgspec.json.encode({"batch": [{**TRACK, "properties": {"x": "x" * 1000}}] * 900})

    response = await door.client.post(
        "/v1/batch", content=in_pieces(body), auth=(door.write_key, "")
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("encoding", "body", "status", "code"),
    [
        ("gzip", gzip.compress(bytes(50_000_000), mtime=0), 413, "body_too_large"),
        ("gzip", b"no gzip", 400, "broken_encoding"),
        ("gzip", gzip.compress(b'{"batch":[1]}', mtime=0)[:-3], 400, "broken_encoding"),
        ("br", b"x", 415, "unknown_encoding"),
    ],
)
async def test_a_body_that_does_not_unpack_is_refused(
    door: Door, encoding: str, body: bytes, status: int, code: str
) -> None:
    response = await door.post("/v1/batch", body, headers={"Content-Encoding": encoding})

    check_problem(response, status, code)


async def test_a_key_that_sends_too_much_waits_its_turn(open_door: OpenDoor, clock: Clock) -> None:
    door = await open_door(Settings(limits=Limits(events_per_second=10)))
    batch = {"batch": [TRACK] * 30}

    assert (await door.post("/v1/batch", batch)).status_code == 200
    response = await door.post("/v1/batch", b"not even read")
    check_problem(response, 429, "too_many_requests")
    assert response.headers["retry-after"] == "3"
    admin = await door.post("/v1/batch", batch, auth=None, headers=door.admin)
    assert admin.status_code == 200, "another key has a share of its own"
    clock.at += 2_500
    assert (await door.post("/v1/batch", batch)).status_code == 200


async def test_events_are_refused_while_the_broker_is_away(
    open_door: OpenDoor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = EmbeddedServer(tmp_path_factory.mktemp("broker"))
    bus = await Bus.connect(await server.start(), name="test")
    await bus.ensure_streams()
    door = await open_door(bus=bus)
    assert (await door.post("/v1/track", TRACK)).status_code == 200

    await server.stop()
    response = await door.post("/v1/track", TRACK)

    check_problem(response, 503, "unavailable")
    assert 1 <= int(response.headers["retry-after"]) <= 5
    await server.start()
    await answered(door)
    assert len(await door.stored(2)) == 2
    await bus.close()
    await server.stop()


async def answered(door: Door) -> None:
    for _ in range(600):
        if (await door.post("/v1/track", TRACK)).status_code == 200:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the door did not find the broker again")


async def test_events_are_refused_while_the_stream_is_full(
    open_door: OpenDoor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = EmbeddedServer(tmp_path_factory.mktemp("broker"))
    bus = await Bus.connect(await server.start(), name="test")
    await bus.ensure_streams(max_bytes=32 * 1024, max_message_bytes=16 * 1024)
    door = await open_door(bus=bus)
    large = {**TRACK, "properties": {"x": "x" * 12_000}}

    answers = [await door.post("/v1/track", large) for _ in range(4)]

    assert answers[0].status_code == 200
    check_problem(answers[-1], 503, "unavailable")
    assert answers[-1].headers["retry-after"] == "5"
    await bus.close()
    await server.stop()
