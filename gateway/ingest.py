"""The door for events over HTTP: check the key, take the body apart, answer when it is on disk.

Spoken below Litestar's routes, requests and responses, since this is where the traffic is. What
published SDKs send, and how they take an answer, decided most of it: docs/api.md.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar.types import ASGIApp, Receive, Send

from angarium.gateway.auth import not_authenticated, write_key
from angarium.gateway.bodies import (
    Members,
    Split,
    Submission,
    read_sent_at,
    split_batch,
    split_single,
    unreadable,
)
from angarium.gateway.cors import Cors
from angarium.gateway.envelope import UNFIT, Envelope, Rejected, check, pack
from angarium.gateway.inflate import inflate
from angarium.gateway.keyring import Holder
from angarium.gateway.limits import Allowances, ClientGone, Room, read_body
from angarium.gateway.parts import AllParts
from angarium.gateway.problems import Problem, Refusal, to_pointer
from angarium.gateway.refusals import explain
from angarium.gateway.request_ids import request_id_of
from angarium.gateway.wire import JSON, Headers, send_bytes, send_refusal

KINDS: Final = ("identify", "track", "page", "screen", "group", "alias")
BATCHES: Final = ("/v1/batch", "/v1/b", "/api/public/apps/batch")
"""The last one is Dittofeed's."""
ALLOWED: Final = {"Allow": "POST, OPTIONS"}
SUCCESS: Final = b'{"success":true}'
JOIN_SCOPE: Final = "profiles:write"
"""What an admin key needs to join two known people by an alias."""


def single_paths(kind: str) -> tuple[str, ...]:
    """Where one message of `kind` may be sent: in full, in short, and where Jitsu's SDK does."""
    return f"/v1/{kind}", f"/v1/{kind[0]}", f"/api/s/{kind}", f"/api/s/s2s/{kind}"


class Success(msgspec.Struct):
    """The answer of a batch: what was refused stands in `rejected`, all else is stored."""

    success: bool
    rejected: Sequence[Rejected]


class Door:
    """Takes events for `parts`. One for each app; every request goes through `take`."""

    def __init__(self, parts: AllParts) -> None:
        self._parts = parts
        self._limits = parts.settings.limits
        self._cors = Cors(parts.settings.http.origins)
        self._allowances = Allowances(self._limits.events_per_second, parts.now)
        self._room = Room()
        parts.metrics.waiting_bytes.set_function(lambda: self._room.taken)

    def before(self, rest: ASGIApp) -> ASGIApp:
        """An application that takes the ingest paths itself and leaves all others to `rest`.

        Going through a router to them would cost a tenth of all requests.
        """
        routes = self._routes()

        async def handle(scope: Any, receive: Receive, send: Send) -> None:
            route = routes.get(scope["path"])
            if route is None:
                await rest(scope, receive, send)
            else:
                scope["path_template"] = scope["path"].rstrip("/")
                await self.take(scope, receive, send, *route)

        return handle

    def _routes(self) -> dict[str, tuple[Split, str | None]]:
        routes: dict[str, tuple[Split, str | None]] = {}
        for kind in KINDS:
            routes.update(dict.fromkeys(single_paths(kind), (split_single, kind)))
        routes.update(dict.fromkeys(BATCHES, (split_batch, None)))
        return {**routes, **{f"{path}/": route for path, route in routes.items()}}

    async def take(
        self, scope: Any, receive: Receive, send: Send, split: Split, kind: str | None
    ) -> None:
        """Answer one request. `kind`: the type of a message that names none; None: a batch."""
        headers: Headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS":
            await send_bytes(send, 204, self._cors.preflight(headers), b"")
            return
        metrics, now = self._parts.metrics, self._parts.now
        began_at = now()
        pairs = self._cors.headers(headers)
        try:
            if scope["method"] != "POST":
                raise Refusal(Problem.METHOD_NOT_ALLOWED, headers=ALLOWED)
            body = await self._accept(scope, receive, headers, split, kind)
            await send_bytes(send, 200, [JSON, *pairs], body)
        except ClientGone:
            return
        except Exception as error:  # every answer here needs the headers of CORS
            await send_refusal(send, explain(error, scope), request_id_of(scope), pairs)
        finally:
            metrics.seconds.observe((now() - began_at) / 1000)

    async def _accept(
        self, scope: Any, receive: Receive, headers: Headers, split: Split, kind: str | None
    ) -> bytes:
        caller = await self._admit(write_key(headers))
        declared = _content_length(headers)
        taken = self._room.take(declared)
        try:
            body = await read_body(receive, declared, self._limits.batch_bytes)
            body = inflate(body, headers.get(b"content-encoding", b""), self._limits.batch_bytes)
            submission = _split(split, body, known=caller is not None)
            caller = caller or await self._admit(submission.key)
            if caller is None:
                raise not_authenticated()
            self._parts.metrics.bytes.inc(len(body))
            envelope = Envelope(
                received_at=self._parts.now(),
                request_id=request_id_of(scope),
                sent_at=submission.sent_at or _sent_at(headers),
                kind=kind,
                trusted=caller.kind == "admin" and caller.may(JOIN_SCOPE),
            )
            return await self._store(caller, submission.members, envelope)
        finally:
            self._room.give(taken)

    async def _admit(self, key: str) -> Holder | None:
        """Who holds `key`; None where there is none. Refuses one not in force, or used too much."""
        if not key:
            return None
        caller = await self._parts.keyring.find(key)
        if caller is None:
            raise not_authenticated()
        if caller.kind != "admin" and not caller.may("ingest"):
            raise Refusal(Problem.FORBIDDEN, "the key lacks the scope ingest")
        self._allowances.check(caller.key)
        return caller

    async def _store(self, caller: Holder, members: Members, envelope: Envelope) -> bytes:
        """Publish what can be stored; the answer's body once that is durable."""
        if envelope.kind is None:
            self._check_length(len(members))
        checked = check(members, envelope, self._limits.message_bytes)
        self._allowances.spend(caller.key, len(members))
        partitions = self._parts.settings.nats.partitions
        if checked.members:
            packed = pack(checked, envelope, caller.workspace, partitions)
            await self._parts.bus.publish_all(packed)
        self._count(len(members), checked.rejected)
        if not checked.rejected:
            return SUCCESS
        if envelope.kind is not None:
            raise _refused_message(checked.rejected[0])
        return msgspec.json.encode(Success(success=True, rejected=checked.rejected))

    def _check_length(self, count: int) -> None:
        most = self._limits.batch_messages
        if count == 0:
            raise Refusal(Problem.EMPTY_BATCH)
        if count > most:
            raise Refusal(Problem.BATCH_TOO_LONG, f"a batch may have {most} messages")

    def _count(self, members: int, rejected: Sequence[Rejected]) -> None:
        self._parts.metrics.accepted.inc(members - len(rejected))
        for one in rejected:
            self._parts.metrics.refused.labels(one.code).inc()


def _split(split: Split, body: bytes, *, known: bool) -> Submission:
    try:
        return split(body)
    except Refusal:
        if known:
            raise
        raise not_authenticated() from None


def _sent_at(headers: Headers) -> str:
    """Rudder's browser SDK says it in a header of its own."""
    given = headers.get(b"sentat")
    return read_sent_at(given.decode("latin-1")) if given else ""


def _content_length(headers: Headers) -> int | None:
    declared = headers.get(b"content-length")
    return int(declared) if declared is not None and declared.isdigit() else None


def _refused_message(rejected: Rejected) -> Refusal:
    if rejected.code in UNFIT or (rejected.code == "wrong_type" and not rejected.field):
        return unreadable(rejected.reason)
    errors = [(to_pointer(rejected.field), rejected.reason)] if rejected.field else []
    return Refusal(Problem.MESSAGE_REFUSED, rejected.reason, code=rejected.code, errors=errors)
