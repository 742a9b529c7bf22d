"""Kavenegar's REST interface: form POSTs, its table of errors, `localid`, callbacks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from angarium.plugins import CallbackRequest
from tests.counterparts.http_server import listening

MOST_CHARACTERS = 900


@dataclass
class Kept:
    """One message as Kavenegar took it."""

    id: int
    receptor: str
    message: str
    local_id: str
    sender: str
    status: int


@dataclass
class Kavenegar:
    """Answers to a receptor: `refusals` (return.status), `statuses` (of the message that is
    taken), `raw` (HTTP status, body), `silent` (taken, and no answer), `cut` (taken, and the
    connection is cut).
    """

    api_key: str
    url: str = ""
    kept: list[Kept] = field(default_factory=list[Kept])
    requests: list[str] = field(default_factory=list[str])
    refusals: dict[str, int] = field(default_factory=dict[str, int])
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    raw: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    silent: set[str] = field(default_factory=set[str])
    cut: set[str] = field(default_factory=set[str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def to(self, receptor: str) -> list[Kept]:
        """The messages that were taken for a number, in its national form."""
        return [kept for kept in self.kept if kept.receptor == receptor]

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/{key}/{group}/{method}.json"""
        self.requests.append(request.match_info["method"])
        if request.match_info["key"] != self.api_key:
            return self._say(403)
        form = {name: str(value) for name, value in (await request.post()).items()}
        path = f"{request.match_info['group']}/{request.match_info['method']}"
        if path == "sms/statuslocalmessageid":
            return self._find(form.get("localid", ""))
        if path != "sms/send":
            return self._say(404)
        receptor = form.get("receptor", "")
        if receptor in self.raw:
            status, body = self.raw[receptor]
            return web.Response(status=status, body=body, headers=self.headers)
        refusal = self.refusals.get(receptor) or _refusal(form)
        if refusal:
            return self._say(refusal)
        kept = self._keep(form)
        if receptor in self.silent:
            await self.closing.wait()
        if receptor in self.cut and request.transport is not None:
            request.transport.abort()
        return self._say(200, [_entry(kept)])

    def _keep(self, form: dict[str, str]) -> Kept:
        local_id = form.get("localid", "")
        for kept in self.kept:
            if local_id and kept.local_id == local_id:
                return kept
        number, receptor = 8_792_343 + len(self.kept), form["receptor"]
        status = self.statuses.get(receptor, 1)
        sender = form.get("sender", "10004346")
        kept = Kept(number, receptor, form["message"], local_id, sender, status)
        self.kept.append(kept)
        return kept

    def _find(self, local_id: str) -> web.Response:
        for kept in self.kept:
            if kept.local_id == local_id:
                return self._say(200, [{**_entry(kept), "localid": local_id}])
        unknown = {"messageid": 0, "localid": local_id, "status": 100, "statustext": "نامعتبر"}
        return self._say(200, [unknown])

    def _say(self, status: int, entries: list[dict[str, Any]] | None = None) -> web.Response:
        body = {"return": {"status": status, "message": "پیام"}, "entries": entries}
        return web.json_response(body, status=status, headers=self.headers)


def _entry(kept: Kept) -> dict[str, Any]:
    return {
        "messageid": kept.id,
        "message": kept.message,
        "status": kept.status,
        "statustext": "در صف ارسال",
        "sender": kept.sender,
        "receptor": kept.receptor,
        "date": 1_356_619_709,
        "cost": 120,
    }


def _refusal(form: dict[str, str]) -> int:
    """As the real one: a mobile number of Iran from 0, any other from 00; 900 characters."""
    receptor, local_id = form.get("receptor", ""), form.get("localid", "1")
    if "receptor" not in form or "message" not in form:
        return 400
    national = receptor.startswith("09") and len(receptor) == 11
    if not receptor.isdigit() or not (national or receptor.startswith("00")):
        return 411
    if not form["message"] or len(form["message"]) > MOST_CHARACTERS:
        return 413
    return 0 if local_id.isdigit() and 0 < int(local_id) < 2**63 else 400


def callback(fields: dict[str, object], *, secret: str = "") -> CallbackRequest:
    """What Kavenegar posts when the state of a message changes, or when a text comes in."""
    query = {"secret": secret} if secret else {}
    return CallbackRequest(
        method="POST",
        url=f"https://gateway.example/callbacks/sms_kavenegar?{urlencode(query)}",
        query=query,
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(fields).encode(),
        at=1_790_000_000_000,
    )


@asynccontextmanager
async def kavenegar(api_key: str) -> AsyncGenerator[Kavenegar, None]:
    """Listen on a free port of this machine."""
    stand_in = Kavenegar(api_key)
    app = web.Application(client_max_size=16 * 1024**2)
    app.router.add_post("/v1/{key}/{group}/{method}.json", stand_in.take)
    async with listening(app, stand_in.closing.set) as stand_in.url:
        yield stand_in
