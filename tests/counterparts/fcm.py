"""Google as a sender of notifications sees it: the token endpoint and FCM's messages:send.

It takes only what the real one takes, answers in its words, and keeps what it took. Its clock is
`now`, in seconds, since tests send at instants of their own.
"""

import asyncio
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.counterparts.http_server import listening

EMAIL = "sender@my-shop.iam.gserviceaccount.com"
PROJECT = "my-shop"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
BAD_TOKEN = "The registration token is not a valid FCM registration token"

Reply = tuple[int, dict[str, Any], dict[str, str]]
"""Status, body, headers."""


@cache
def private_key() -> rsa.RSAPrivateKey:
    """Made once: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def private_pem() -> str:
    return (
        private_key()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def error(
    status: int, name: str, message: str, *, code: str = "", field: str = "", **headers: str
) -> Reply:
    """An error in Google's shape, with FCM's own code or the field that is wrong, if any."""
    details: list[dict[str, Any]] = []
    if code:
        details.append({"@type": FCM_ERROR, "errorCode": code})
    if field:
        violation = {"field": field, "description": message}
        details.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    body = {"error": {"code": status, "message": message, "status": name, "details": details}}
    return status, body, {name.replace("_", "-"): text for name, text in headers.items()}


@dataclass
class Fcm:
    """`answers`: what a device's token is answered with instead of success; `silent`: tokens that
    get no answer."""

    url: str = ""
    now: int = 1_790_000_000
    life: int = 3599
    answers: dict[str, Reply] = field(default_factory=dict[str, Reply])
    silent: set[str] = field(default_factory=set[str])
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    token_answer: Reply | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """The token endpoint answers while this is set."""
    assertions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sent: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Messages that were taken."""
    used: list[str] = field(default_factory=list[str])
    """The access token of each request to messages:send."""
    _valid: dict[str, int] = field(default_factory=dict[str, int])

    def account(self, **changes: str) -> str:
        """The JSON file that the console gives."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "key-1",
                "private_key": private_pem(),
                "client_email": EMAIL,
                "token_uri": f"{self.url}/token",
                **changes,
            }
        )

    def let_go(self) -> None:
        """Keep nobody waiting any longer."""
        self.gate.set()
        self.closing.set()

    def revoke(self) -> None:
        """No access token given so far holds any more."""
        self._valid.clear()

    async def token(self, request: web.Request) -> web.Response:
        await self.gate.wait()
        form = await request.post()
        assertion = str(form.get("assertion", ""))
        wrong = "" if form.get("grant_type") == GRANT else "unsupported_grant_type"
        wrong = wrong or self._check(assertion)
        if self.token_answer is not None:
            return _respond(self.token_answer)
        if wrong:
            return web.json_response({"error": wrong}, status=400)
        text = f"ya29.{len(self.assertions)}"
        self._valid[text] = self.now + self.life
        granted = {"access_token": text, "expires_in": self.life, "token_type": "Bearer"}
        return web.json_response(granted)

    def _check(self, assertion: str) -> str:
        head, claims, signature = assertion.split(".")
        said = json.loads(_decoded(claims))
        self.assertions.append(said)
        if json.loads(_decoded(head)) != {"alg": "RS256", "typ": "JWT", "kid": "key-1"}:
            return "invalid_client"
        try:
            signed = f"{head}.{claims}".encode()
            public = private_key().public_key()
            public.verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return "invalid_grant"
        right = (
            said["iss"] == EMAIL
            and said["aud"] == f"{self.url}/token"
            and said["scope"] == SCOPE
            and abs(said["iat"] - self.now) <= 300
            and said["iat"] < said["exp"] <= said["iat"] + 3600
        )
        return "" if right else "invalid_grant"

    async def send(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.used.append(bearer)
        if self._valid.get(bearer, 0) <= self.now:
            return _respond(error(401, "UNAUTHENTICATED", "Request had invalid credentials."))
        if request.match_info["project"] != PROJECT:
            return _respond(error(403, "PERMISSION_DENIED", "Permission denied on resource"))
        body = await request.json()
        if body["message"].get("token") in self.silent:
            await self.closing.wait()
        scripted = self.answers.get(str(body["message"].get("token")))
        refusal = scripted or check_message(body)
        if refusal is not None:
            return _respond(refusal)
        self.sent.append(body["message"])
        return web.json_response({"name": f"projects/{PROJECT}/messages/0:{len(self.sent)}"})


def check_message(body: dict[str, Any]) -> Reply | None:
    """What is wrong with a request, as FCM would say it."""
    message = body["message"]
    if set(body) != {"message"}:
        return _invalid("Unknown name", "body")
    known = {"token", "data", "notification", "android", "apns"}
    if not set(message) <= known or not message.get("token"):
        return _invalid("Unknown name, or no recipient", "message")
    return (
        _check_data(message)
        or _check_android(message.get("android", {}))
        or _check_apns(message.get("apns", {}))
        or _check_size(message)
    )


def _check_data(message: dict[str, Any]) -> Reply | None:
    for name, value in message.get("data", {}).items():
        if not isinstance(value, str):
            return _invalid("Invalid value (TYPE_STRING)", "message.data[0].value")
        if name in ("from", "message_type") or name.startswith(("google", "gcm")):
            return _invalid(f"Invalid data payload key: {name}", "message.data")
    if not set(message.get("notification", {})) <= {"title", "body", "image"}:
        return _invalid("Unknown name", "message.notification")
    return None


def _check_android(android: dict[str, Any]) -> Reply | None:
    if not set(android) <= {"priority", "ttl", "collapse_key", "notification"}:
        return _invalid("Unknown name", "message.android")
    if android.get("priority", "HIGH") not in ("HIGH", "NORMAL"):
        return _invalid("Invalid value (TYPE_ENUM)", "message.android.priority")
    ttl = re.fullmatch(r"(\d+)(?:\.\d+)?s", android.get("ttl", "0s"))
    if ttl is None or int(ttl[1]) > 2_419_200:
        return _invalid("Illegal duration format", "message.android.ttl")
    if not set(android.get("notification", {})) <= {"tag", "channel_id"}:
        return _invalid("Unknown name", "message.android.notification")
    return None


def _check_apns(apns: dict[str, Any]) -> Reply | None:
    headers = apns.get("headers", {})
    if not all(isinstance(value, str) for value in headers.values()):
        return _invalid("Invalid value (TYPE_STRING)", "message.apns.headers")
    aps = apns.get("payload", {}).get("aps")
    if apns and not isinstance(aps, dict):
        return _invalid("APNs payload needs aps", "message.apns.payload")
    background = headers.get("apns-push-type") == "background"
    if background and headers.get("apns-priority") != "5":
        return _invalid("Invalid priority", "message.apns.headers")
    return None


def _check_size(message: dict[str, Any]) -> Reply | None:
    texts = [*message.get("data", {}).items(), *message.get("notification", {}).items()]
    if sum(len((name + text).encode()) for name, text in texts) > 4096:
        return error(400, "INVALID_ARGUMENT", "Message too big", code="INVALID_ARGUMENT")
    return None


def _invalid(message: str, field: str) -> Reply:
    return error(400, "INVALID_ARGUMENT", message, field=field)


def _respond(reply: Reply) -> web.Response:
    status, body, headers = reply
    return web.json_response(body, status=status, headers=headers)


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


@asynccontextmanager
async def fcm_server() -> AsyncGenerator[Fcm, None]:
    """Listen on a free port of this machine."""
    fcm = Fcm()
    fcm.gate.set()
    app = web.Application()
    app.router.add_post("/token", fcm.token)
    app.router.add_post("/v1/projects/{project}/messages:send", fcm.send)
    async with listening(app, fcm.let_go) as fcm.url:
        yield fcm
