"""Twilio's Messaging interface: form POSTs with Basic auth, its error bodies, signed callbacks."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import BasicAuth, web

from angarium.plugins import CallbackRequest
from tests.counterparts.http_server import listening

MOST_CHARACTERS = 1600
KNOWN = {
    "To",
    "From",
    "MessagingServiceSid",
    "Body",
    "StatusCallback",
    "ValidityPeriod",
}


@dataclass
class Twilio:
    """Answers to a number: `refusals` (HTTP status, code), `raw` (HTTP status, body), `silent`
    (taken, and no answer). `logins`: user names and passwords that are let in.
    """

    account: str
    token: str
    url: str = ""
    kept: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    logins: dict[str, str] = field(default_factory=dict[str, str])
    refusals: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    raw: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    silent: set[str] = field(default_factory=set[str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def to(self, number: str) -> list[dict[str, str]]:
        """The forms that were taken for a number."""
        return [form for form in self.kept if form["To"] == number]

    async def take(self, request: web.Request) -> web.Response:
        """POST /2010-04-01/Accounts/{account}/Messages.json"""
        if request.match_info["account"] != self.account:
            return self._refuse(404, 20404)
        if not self._let_in(request):
            return self._refuse(401, 20003)
        form = {name: str(value) for name, value in (await request.post()).items()}
        number = form.get("To", "")
        if number in self.raw:
            status, body = self.raw[number]
            return web.Response(status=status, body=body, headers=self.headers)
        status, code = self.refusals.get(number) or _refusal(form)
        if status:
            return self._refuse(status, code)
        self.kept.append(form)
        if number in self.silent:
            await self.closing.wait()
        return web.json_response(self._message(form), status=201)

    def callback(
        self, url: str, fields: Mapping[str, str], *, token: str | None = None
    ) -> CallbackRequest:
        """What Twilio posts to `url`, signed with the account's token."""
        form = dict(fields)
        signature = sign(token if token is not None else self.token, url, form)
        return CallbackRequest(
            method="POST",
            url=url,
            query=dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&") if pair),
            headers={"x-twilio-signature": signature},
            body=urlencode(form).encode(),
            at=1_790_000_000_000,
        )

    def _let_in(self, request: web.Request) -> bool:
        try:
            login = BasicAuth.decode(request.headers.get("Authorization", ""), "utf-8")
        except ValueError:
            return False
        return {**self.logins, self.account: self.token}.get(login.login) == login.password

    def _message(self, form: dict[str, str]) -> dict[str, Any]:
        return {
            "sid": f"SM{len(self.kept):032x}",
            "account_sid": self.account,
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form["Body"],
            "status": "queued",
            "direction": "outbound-api",
            "num_segments": "1",
            "num_media": "0",
            "error_code": None,
            "error_message": None,
            "api_version": "2010-04-01",
            "date_created": "Sun, 22 Nov 2026 09:00:00 +0000",
            "date_updated": "Sun, 22 Nov 2026 09:00:00 +0000",
            "date_sent": None,
            "price": None,
            "price_unit": "USD",
            "uri": f"/2010-04-01/Accounts/{self.account}/Messages/SM.json",
            "subresource_uris": {},
        }

    def _refuse(self, status: int, code: int) -> web.Response:
        body = {
            "code": code,
            "message": "a text that may hold the number",
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }
        return web.json_response(body, status=status, headers=self.headers)


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """X-Twilio-Signature, as Twilio's page on the security of webhooks tells to compute it."""
    data = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return b64encode(hmac.new(token.encode(), data.encode(), sha1).digest()).decode()


def _refusal(form: dict[str, str]) -> tuple[int, int]:
    number = form.get("To", "")
    if form.keys() - KNOWN or bool(form.get("From")) == bool(form.get("MessagingServiceSid")):
        return 400, 21603
    if not (number.startswith("+") and number[1:].isdigit() and 8 <= len(number) <= 16):
        return 400, 21211
    if not form.get("Body"):
        return 400, 21602
    if len(form["Body"]) > MOST_CHARACTERS:
        return 400, 21617
    period = form.get("ValidityPeriod", "1")
    if not (period.isdigit() and 1 <= int(period) <= 36_000):
        return 400, 21627
    callback = urlsplit(form.get("StatusCallback", "https://x.example"))
    return (0, 0) if callback.scheme in ("http", "https") and callback.netloc else (400, 21609)


@asynccontextmanager
async def twilio(account: str, token: str) -> AsyncGenerator[Twilio, None]:
    """Listen on a free port of this machine."""
    stand_in = Twilio(account, token)
    app = web.Application(client_max_size=16 * 1024**2)
    app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", stand_in.take)
    async with listening(app, stand_in.closing.set) as stand_in.url:
        yield stand_in
