"""Events over HTTP: what is taken, how it is answered, what stands on the stream afterwards."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from angarium.config.settings import Limits, Settings
from angarium.core.bus.subjects import EVENTS
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import NOON, Door

PURCHASE: dict[str, Any] = {"event": "Purchase", "userId": "u1", "properties": {"amount": 5}}
TRACK: dict[str, Any] = {"type": "track", **PURCHASE}
NOBODY: dict[str, Any] = {"type": "track", "event": "Purchase"}


async def test_a_single_message_is_on_the_stream_when_it_is_answered(door: Door) -> None:
    response = await door.post("/v1/track", PURCHASE, headers={"X-Request-Id": "req-1"})

    assert (response.status_code, response.json()) == (200, {"success": True})
    assert await door.stored() == [
        {
            "receivedAt": NOON,
            "requestId": "req-1",
            "sentAt": None,
            "type": "track",
            "trusted": False,
            "batch": [PURCHASE],
        }
    ]


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/v1/track", "track", PURCHASE),
        ("/v1/t", "track", PURCHASE),
        ("/v1/identify", "identify", {"userId": "u1", "traits": {"city": "Tehran"}}),
        ("/v1/i", "identify", {"userId": "u1"}),
        ("/v1/page", "page", {"anonymousId": "a1", "name": "Home"}),
        ("/v1/p", "page", {"anonymousId": "a1"}),
        ("/v1/screen", "screen", {"anonymousId": "a1"}),
        ("/v1/s", "screen", {"anonymousId": "a1"}),
        ("/v1/group", "group", {"userId": "u1", "groupId": "g1"}),
        ("/v1/g", "group", {"userId": "u1", "groupId": "g1"}),
        ("/v1/alias", "alias", {"userId": "u1", "previousId": "a1"}),
        ("/v1/a", "alias", {"userId": "u1", "previousId": "a1"}),
        ("/api/s/track", "track", PURCHASE),
        ("/api/s/s2s/identify", "identify", {"userId": "u1"}),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
async def test_every_path_names_the_type_of_its_message(
    door: Door, path: str, kind: str, message: dict[str, Any], slash: str
) -> None:
    response = await door.post(path + slash, message)

    assert (response.status_code, response.json()) == (200, {"success": True})
    [envelope] = await door.stored()
    assert (envelope["type"], envelope["batch"]) == (kind, [message])


@pytest.mark.parametrize(
    "path", ["/v1/batch", "/v1/b", "/v1/batch/", "/v1/b/", "/api/public/apps/batch"]
)
async def test_a_batch_is_one_message_on_the_stream(door: Door, path: str) -> None:
    sent_at = "2026-11-21T11:59:58.000Z"
    body = {"batch": [TRACK, {"type": "identify", "userId": "u2"}], "sentAt": sent_at}

    response = await door.post(path, body)

    assert (response.status_code, response.json()) == (200, {"success": True})
    [envelope] = await door.stored()
    assert envelope["batch"] == body["batch"]
    assert (envelope["type"], envelope["sentAt"]) == (None, sent_at)
    assert await door.published() == 0


async def test_members_stay_the_bytes_that_came(door: Door) -> None:
    odd = b'{"type":"track" , "event":"A","userId":"u1","properties":{"x":1.50,"x":2e0}}'

    await door.post("/v1/batch", b'{"batch":[ %b ]}' % odd)

    async with door.parts.bus.pull(EVENTS, after=door.after) as puller:
        [item] = await puller.get(1)
    assert b'"batch":[%b]}' % odd in item.body


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "image/png", ""],
)
async def test_the_content_type_does_not_matter(door: Door, content_type: str) -> None:
    response = await door.post("/v1/track", PURCHASE, headers={"Content-Type": content_type})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_a_compressed_body_is_unpacked(
    door: Door, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(msgspec.json.encode({"batch": [TRACK]}))

    response = await door.post("/v1/batch", body, headers={"Content-Encoding": encoding})

    assert response.status_code == 200
    assert (await door.stored())[0]["batch"] == [TRACK]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Write-Key": "KEY"},
        {"Authorization": "Bearer KEY"},
        {"Authorization": "Bearer wrong", "X-Write-Key": "KEY"},
    ],
)
async def test_the_key_may_stand_in_several_places(door: Door, headers: dict[str, str]) -> None:
    headers = {name: value.replace("KEY", door.write_key) for name, value in headers.items()}

    assert (await door.post("/v1/track", PURCHASE, auth=None, headers=headers)).status_code == 200


@pytest.mark.parametrize("password", ["", "anything"])
async def test_basic_authentication_looks_at_the_user_name_only(door: Door, password: str) -> None:
    response = await door.post(
        "/v1/track", PURCHASE, auth=(door.write_key, password), headers={"X-Write-Key": "wrong"}
    )

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
async def test_the_key_in_the_body_counts_and_is_not_stored(door: Door, path: str) -> None:
    body = dict(PURCHASE) if path == "/v1/track" else {"batch": [TRACK]}

    response = await door.post(path, {**body, "writeKey": door.write_key}, auth=None)

    assert response.status_code == 200
    assert door.write_key not in str(await door.stored())


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
async def test_a_key_in_the_header_goes_before_the_one_in_the_body(door: Door, path: str) -> None:
    body = {**PURCHASE, "batch": [TRACK], "writeKey": "another one"}

    assert (await door.post(path, body)).status_code == 200
    assert "another one" not in str(await door.stored())


async def test_an_admin_key_may_send_events_and_is_marked(door: Door) -> None:
    response = await door.post("/v1/track", PURCHASE, auth=None, headers=door.admin)

    assert response.status_code == 200
    assert (await door.stored())[0]["trusted"] is True


async def test_a_bad_member_does_not_spoil_its_batch(door: Door) -> None:
    good = [{**TRACK, "messageId": f"m{n}"} for n in range(499)]

    response = await door.post("/v1/batch", {"batch": [*good[:7], NOBODY, *good[7:]]})

    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "rejected": [
            {
                "index": 7,
                "code": "no_id",
                "reason": "a message needs a userId or an anonymousId",
                "field": "userId",
            }
        ],
    }


async def test_a_refused_member_goes_along_so_that_the_core_lists_it(door: Door) -> None:
    await door.post("/v1/batch", {"batch": [NOBODY, TRACK]})

    assert (await door.stored())[0]["batch"] == [NOBODY, TRACK]


async def test_a_member_that_would_spoil_the_envelope_stays_out(door: Door) -> None:
    deep = b'{"type":"track","event":"A","userId":"u1","properties":' + b"[" * 64 + b"]" * 64 + b"}"
    cut = b'{"type":"track","event":"A","userId":"u1","properties":{"name":"cut \\ud83d"}}'
    good = msgspec.json.encode(TRACK)

    response = await door.post("/v1/batch", b'{"batch":[%b,%b,%b]}' % (deep, cut, good))

    assert [(r["index"], r["code"]) for r in response.json()["rejected"]] == [
        (0, "too_deep"),
        (1, "not_json"),
    ]
    assert (await door.stored())[0]["batch"] == [TRACK]


async def test_a_batch_of_which_nothing_can_be_stored_is_still_answered(door: Door) -> None:
    response = await door.post("/v1/batch", b'{"batch":["\\ud83d"]}')

    assert response.status_code == 200
    assert [r["code"] for r in response.json()["rejected"]] == ["not_json"]
    assert await door.published() == 0


async def test_rudders_header_says_when_a_single_message_was_sent(door: Door) -> None:
    sent_at = "2026-11-21T11:00:00.000Z"

    await door.post("/v1/track", PURCHASE, headers={"SentAt": sent_at})
    await door.post("/v1/track", PURCHASE, headers={"SentAt": "soon"})

    assert [e["sentAt"] for e in await door.stored(2)] == [sent_at, None]


async def test_a_request_without_an_id_gets_one_that_the_stream_carries_too(door: Door) -> None:
    plain = await door.post("/v1/track", PURCHASE)
    unsafe = await door.post("/v1/track", PURCHASE, headers={"X-Request-Id": 'a"b'})

    ids = [e["requestId"] for e in await door.stored(2)]
    assert ids == [plain.headers["x-request-id"], unsafe.headers["x-request-id"]]
    assert len(set(ids)) == 2
    assert all(len(id_) == 20 for id_ in ids)


async def test_a_long_batch_goes_in_pieces_that_the_core_takes(open_door: OpenDoor) -> None:
    door = await open_door(Settings(limits=Limits(batch_messages=3_000)))

    response = await door.post("/v1/batch", {"batch": [TRACK] * 2_500})

    assert response.status_code == 200
    assert [len(e["batch"]) for e in await door.stored(3)] == [1_000, 1_000, 500]


async def test_the_browser_sdk_is_told_where_to_send(open_door: OpenDoor) -> None:
    settings = msgspec.convert({"http": {"public_url": "https://in.example.org/x"}}, Settings)
    door = await open_door(settings)

    response = await door.client.get(
        f"/v1/projects/{door.write_key}/settings", headers={"Origin": "https://shop.example"}
    )

    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert response.json()["integrations"]["Segment.io"] == {
        "apiKey": door.write_key,
        "protocol": "https",
        "apiHost": "in.example.org/x/v1",
    }
