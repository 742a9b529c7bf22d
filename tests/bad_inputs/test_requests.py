"""Requests as no SDK makes them: reliability.md's numbers 1 to 33, at the HTTP doors.

Ingestion answers 200 and lists what it refused; a Content-Type is never a reason to refuse.
"""

import asyncio
import gzip
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.bad_inputs.conftest import settle
from tests.parts.instance import ADMIN_KEY, WRITE_KEY, Instance

TRACK: dict[str, Any] = {"type": "track", "userId": "somebody", "event": "Tried"}
GOOD = json.dumps(TRACK).encode()
BASIC = {"Authorization": "Basic " + b64encode(f"{WRITE_KEY}:".encode()).decode()}
GZIP = BASIC | {"Content-Encoding": "gzip"}
MEBIBYTE = 2**20


class Row(NamedTuple):
    """A request and its answer; `code` is "" where it succeeds."""

    name: str
    body: bytes
    status: int
    code: str
    path: str = "/v1/track"
    method: str = "POST"
    headers: dict[str, str] = BASIC


def tracked(**more: Any) -> bytes:
    return json.dumps(TRACK | more).encode()


def properties(text: str) -> bytes:
    """A message whose property is JSON as written."""
    return tracked(properties="HERE").replace(b'"HERE"', b'{"p":' + text.encode() + b"}")


def no_key(name: str, headers: dict[str, str], path: str = "/v1/track") -> Row:
    return Row(name, GOOD, 401, "not_authenticated", path, headers=headers)


BATCH = "/v1/batch"
UNREADABLE = "unreadable_body"
ROWS = [
    no_key("1 no key", {}),
    no_key("2 a malformed key", {"Authorization": "Basic !!!"}),
    no_key("2 an unknown key", {"Authorization": "Bearer wk_unknown"}),
    Row("3 a write key reads", b"", 403, "forbidden", "/v1/profiles", "GET",
        {"Authorization": f"Bearer {WRITE_KEY}"}),
    no_key("4 a key in the address", {}, f"/v1/track?writeKey={WRITE_KEY}"),
    no_key("4 an admin key in the address", {}, f"/v1/batch?key={ADMIN_KEY}"),
    Row("5 too large by its length", b"x" * (MEBIBYTE + 1), 413, "body_too_large", BATCH),
    Row("7 a gzip bomb", gzip.compress(b" " * 64 * MEBIBYTE), 413, "body_too_large", BATCH,
        headers=GZIP),
    Row("8 gzip that is none", GOOD, 400, "broken_encoding", headers=GZIP),
    Row("8 half of a gzip", gzip.compress(GOOD)[:-9], 400, "broken_encoding", headers=GZIP),
    Row("8 an unknown encoding", GOOD, 415, "unknown_encoding",
        headers=BASIC | {"Content-Encoding": "br"}),
    Row("9 another Content-Type", GOOD, 200, "", headers=BASIC | {"Content-Type": "image/png"}),
    Row("12 200 headers", GOOD, 431, "headers_too_large",
        headers=BASIC | {f"x-{n}": "1" for n in range(200)}),
    Row("12 a header of 17 KB", GOOD, 431, "headers_too_large",
        headers=BASIC | {"x-long": "1" * 17_000}),
    Row("14 an unknown path", GOOD, 404, "no_such_route", "/v1/nothing"),
    Row("14 an unknown method", GOOD, 405, "method_not_allowed", method="PURGE"),
    Row("14 a GET where events go", b"", 405, "method_not_allowed", method="GET"),
    Row("20 empty", b"", 400, UNREADABLE),
    Row("20 null", b"null", 400, UNREADABLE),
    Row("20 a list", b"[]", 400, UNREADABLE, BATCH),
    Row("20 a scalar", b"5", 400, UNREADABLE, BATCH),
    Row("21 cut off", GOOD[:-2], 400, UNREADABLE),
    Row("21 something behind", GOOD + b"{}", 400, UNREADABLE),
    Row("21 a batch cut off", b'{"batch":[' + GOOD, 400, UNREADABLE, BATCH),
    Row("22 10,000 levels", properties("[" * 10_000 + "]" * 10_000), 400, UNREADABLE),
    Row("22 65 levels", properties('{"a":' * 65 + "1" + "}" * 65), 400, UNREADABLE),
    Row("23 NaN", properties("NaN"), 400, UNREADABLE),
    Row("23 Infinity", properties("-Infinity"), 400, UNREADABLE),
    Row("23 1e999", properties("1e999"), 422, "wrong_type"),
    Row("24 5,000 digits", properties("9" * 5_000), 422, "wrong_type"),
    Row("25 a name twice: the last counts", GOOD[:-1] + b',"event":"Twice"}', 200, ""),
    Row("26 not UTF-8", b'{"event":"\xff","userId":"u"}', 400, UNREADABLE),
    Row("26 half a surrogate pair", b'{"event":"\\ud83d","userId":"u"}', 400, UNREADABLE),
    Row("27 U+0000", tracked(properties={"p": "a\0b"}), 422, "null_character"),
    Row("27 U+0000 in a name", tracked(properties={"a\0b": 1}), 422, "null_character"),
    Row("27 U+0000 in an id", tracked(userId="a\0b"), 422, "null_character"),
    Row("28 a BOM", b"\xef\xbb\xbf" + GOOD, 200, ""),
    Row("28 two BOMs", b"\xef\xbb\xbf" * 2 + GOOD, 400, UNREADABLE),
    Row("29 __proto__", tracked(properties={"__proto__": {"admin": True}, "$where": "1"}), 200, ""),
    Row("30 100,000 names", tracked(properties={f"{n}": 1 for n in range(80_000)}), 422,
        "message_too_large"),
    Row("30 a text of 1 MB", tracked(event="x" * 1_000_000), 422, "message_too_large"),
    Row("32 an empty batch", b'{"batch":[]}', 422, "empty_batch", BATCH),
    Row("32 1,001 messages", b'{"batch":[' + b",".join([GOOD] * 1_001) + b"]}", 413,
        "batch_too_long", BATCH),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_an_odd_request_gets_its_answer(instance: Instance, row: Row) -> None:
    async with httpx.AsyncClient(base_url=instance.url, timeout=30) as http:
        answer = await http.request(row.method, row.path, content=row.body, headers=row.headers)
    check(answer, row.status, row.code)


def check(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    if code:
        body = answer.json()
        assert (body["status"], body["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["message"]
        assert body["request_id"]
        assert "Traceback" not in answer.text
        assert "somebody" not in answer.text


WRONG: list[Any] = [None, True, 5, 1.5, "x", [], ["x"], {}, {"a": 1}]
FIELDS = {
    "type", "messageId", "userId", "anonymousId", "event", "timestamp", "sentAt", "properties",
    "traits", "context", "operations", "originalTimestamp",
}  # fmt: skip


@pytest.mark.parametrize("field", sorted(FIELDS))
async def test_a_value_of_any_type_in_any_field_is_stored_or_refused_by_name(
    instance: Instance, field: str
) -> None:
    """31"""
    for kind in ("track", "identify"):
        for value in WRONG:
            message = TRACK | {"type": kind, field: value}
            answer = await instance.http.post(BATCH, json={"batch": [message]}, headers=BASIC)
            assert answer.status_code == 200, (value, answer.text)
            rejected = answer.json().get("rejected", [])
            assert all(one["reason"] and one["code"] for one in rejected)
    await settle(instance)


async def test_without_a_length_a_body_is_cut_off_at_the_limit(instance: Instance) -> None:
    """6"""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    async with httpx.AsyncClient(base_url=instance.url) as http:
        try:
            answer = await http.post(BATCH, content=parts(), headers=BASIC)
        except httpx.TransportError:
            return  # it was closed while we were still sending: as well a way to say it
    check(answer, 413, "body_too_large")


async def test_of_a_client_that_goes_in_the_middle_nothing_is_stored(instance: Instance) -> None:
    """11"""
    user = f"gone-{uuid4().hex}"
    body = json.dumps(TRACK | {"userId": user}).encode()
    head = f"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC['Authorization']}\r\n"
    line = await Line.open(instance)
    await line.send(f"{head}Content-Length: {len(body) + 1}\r\n\r\n".encode() + body)
    line.writer.close()

    await settle(instance)
    assert (await instance.http.get(f"/v1/profiles/{user}")).status_code == 404


class Line:
    """A connection on which anything can be said."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, instance: Instance) -> "Line":
        url = urlsplit(instance.url)
        return cls(*await asyncio.open_connection(url.hostname, url.port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def everything(self) -> bytes:
        """All that comes until the other side closes."""
        try:
            return await self.reader.read()
        finally:
            self.writer.close()


SMUGGLED = [
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Content-Length: -5\r\n",
    b"Content-Length: 5 5\r\n",
]


@pytest.mark.parametrize("lengths", SMUGGLED)
async def test_a_request_of_two_lengths_is_refused_and_the_line_closed(
    instance: Instance, lengths: bytes
) -> None:
    """13"""
    line = await Line.open(instance)
    await line.send(b"POST /v1/track HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n0\r\n\r\n")

    answer = await line.everything()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_a_forged_host_does_not_show_anywhere(instance: Instance) -> None:
    """16: links are built from the settings."""
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    for path in ("/v1/projects/x/settings", "/schema/openapi.json", "/v1/profiles", "/u/x"):
        answer = await instance.http.get(path, headers=forged)
        assert "evil.example" not in answer.text + str(answer.headers)


async def test_an_idempotency_key_belongs_to_one_body(instance: Instance) -> None:
    """19"""
    key = {"Idempotency-Key": uuid4().hex}
    body = {"name": "Once", "send_at": {"trigger": {"event": "x"}},
            "content": {"email": {"subject": "x", "text": "y"}}}  # fmt: skip

    first, again = [
        await instance.http.post("/v1/campaigns", json=body, headers=key) for _ in range(2)
    ]
    other = await instance.http.post("/v1/campaigns", json=body | {"name": "Two"}, headers=key)

    assert first.json()["id"] == again.json()["id"]
    check(other, 422, "key_reused")


async def test_long_numbers_cost_nothing(instance: Instance) -> None:
    """24: neither reading them nor saying that they are refused."""
    began = time.process_time()
    member = properties("9" * 30_000)
    body = b'{"batch":[' + b",".join([member] * 30) + b"]}"

    answer = await instance.http.post(BATCH, content=body, headers=BASIC)

    assert [one["code"] for one in answer.json()["rejected"]] == ["wrong_type"] * 30
    assert time.process_time() - began < 5


async def test_one_bad_member_of_five_hundred_is_named_and_the_others_are_stored(
    instance: Instance,
) -> None:
    """33"""
    user = f"many-{uuid4().hex}"
    members = [TRACK | {"userId": user, "messageId": uuid4().hex} for _ in range(500)]
    members[250] = members[250] | {"event": {}}

    answer = await instance.send(*members)

    assert [one["index"] for one in answer["rejected"]] == [250]
    await instance.until_known(user, "Tried", 499)
