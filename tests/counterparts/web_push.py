"""A push service: takes what senders push (RFC 8030), hands it to browsers (Mozilla's protocol).

Strict about everything that a sender must get right: TTL, the signed sender (RFC 8292), the form of
the encrypted body (RFC 8188), its size. A browser is either a real one, on the WebSocket, or a
`Browser` of this file, which reads its messages with http_ece.
"""

import asyncio
import itertools
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from aiohttp import WSMsgType, web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

URGENCIES = ("very-low", "low", "normal", "high")
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
MOST_BYTES = 4096
DAY_SECONDS = 86_400
CLOCK_ERROR_SECONDS = 60


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """One that subscribed: it alone can read what is pushed to `subscription`."""

    def __init__(self, endpoint: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = bytes(range(16))
        self.endpoint = endpoint

    @property
    def json(self) -> dict[str, Any]:
        """What `JSON.stringify(subscription)` says in Firefox."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"auth": b64(self._auth), "p256dh": b64(point)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    @property
    def subscription(self) -> str:
        return json.dumps(self.json, separators=(",", ":"))

    def read(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        read: dict[str, Any] = json.loads(plain)
        return read


@dataclass
class Pushed:
    """One message as the service took it."""

    token: str
    headers: Mapping[str, str]
    body: bytes
    claims: Mapping[str, Any]


@dataclass
class Channel:
    """A subscription: the sender's key that it is restricted to, and the browser behind it."""

    id: str
    key: str = ""
    socket: web.WebSocketResponse | None = None


@dataclass
class PushService:
    """`answers`: what pushing to a token is answered with, (status, headers), instead of 201.

    `at`: what the service takes for the time, in ms; 0: the true one. `acks`: what real browsers
    say became of their messages (100: delivered). `silent`: tokens that get no answer at all.
    """

    url: str = ""
    at: int = 0
    pushed: list[Pushed] = field(default_factory=list[Pushed])
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict[str, Any])
    silent: set[str] = field(default_factory=set[str])
    acks: list[int] = field(default_factory=list[int])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    gone: set[str] = field(default_factory=set[str])
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def subscribe(self, token: str = "", *, key: str = "") -> Browser:
        """A browser of ours with a new subscription, restricted to `key` if one is given."""
        return Browser(self.register(token or f"token-{next(self.numbers)}", Channel("", key)))

    def register(self, token: str, channel: Channel) -> str:
        """The endpoint of a new subscription."""
        self.channels[token] = channel
        return f"{self.url}/wpush/v2/{token}"

    async def take(self, request: web.Request) -> web.Response:
        """POST /wpush/v2/{token}"""
        token = request.match_info["token"]
        body = await request.read()
        if token in self.silent:
            await asyncio.Event().wait()
        if token in self.answers:
            status, headers = self.answers[token]
            return web.Response(status=status, headers=headers)
        if token not in self.channels:
            return web.Response(status=410 if token in self.gone else 404)
        channel = self.channels[token]
        fault = _fault(request.headers, body)
        if fault:
            return web.json_response({"error": fault[1]}, status=fault[0])
        now = (self.at or time.time_ns() // 1_000_000) / 1000
        try:
            claims = _claims(request.headers.get("Authorization", ""), channel.key, self.url, now)
        except PermissionError as error:
            return web.json_response({"error": str(error)}, status=error.args[0])
        return await self._keep(Pushed(token, request.headers, body, claims), channel)

    async def _keep(self, pushed: Pushed, channel: Channel) -> web.Response:
        self.pushed.append(pushed)
        version = f"m{len(self.pushed)}"
        if channel.socket is not None:
            await channel.socket.send_json(
                {
                    "messageType": "notification",
                    "channelID": channel.id,
                    "version": version,
                    "ttl": int(pushed.headers["TTL"]),
                    "data": b64(pushed.body),
                    "headers": {"encoding": "aes128gcm"},
                }
            )
        headers = {"Location": f"{self.url}/m/{version}", "TTL": pushed.headers["TTL"]}
        return web.Response(status=201, headers=headers)

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        """The WebSocket on which a real browser subscribes and receives."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for answer in self._answer(message.json(), socket):
                    await socket.send_json(answer)
        return socket

    def _answer(self, said: dict[str, Any], socket: web.WebSocketResponse) -> list[dict[str, Any]]:
        match said.get("messageType"):
            case None:
                return [{}]  # a ping
            case "hello":
                own = {"uaid": said.get("uaid") or "0" * 31 + "1", "use_webpush": True}
                return [{"messageType": "hello", "status": 200, "broadcasts": {}, **own}]
            case "register":
                id_, key = said["channelID"], said.get("key", "")
                endpoint = self.register(
                    id_.replace("-", ""), Channel(id_, b64(unb64(key)), socket)
                )
                told = {"channelID": id_, "status": 200, "pushEndpoint": endpoint}
                return [{"messageType": "register", **told}]
            case "unregister":
                token = said["channelID"].replace("-", "")
                self.gone.add(token)
                self.channels.pop(token, None)
                told = {"channelID": said["channelID"], "status": 200}
                return [{"messageType": "unregister", **told}]
            case "ack":
                self.acks += [update["code"] for update in said["updates"]]
        return []


def _fault(headers: Mapping[str, str], body: bytes) -> tuple[int, str] | None:
    """What is wrong with a push, apart from who sends it."""
    record_bytes = int.from_bytes(body[16:20], "big")
    checks = [
        (400, "TTL (RFC 8030 §5.2)", re.fullmatch(r"\d{1,9}", headers.get("TTL", ""))),
        (400, "Urgency (RFC 8030 §5.3)", headers.get("Urgency", "normal") in URGENCIES),
        (400, "Topic (RFC 8030 §5.4)", TOPIC.fullmatch(headers.get("Topic", "x"))),
        (413, "the body is too large", len(body) <= MOST_BYTES),
        (400, "Content-Encoding", headers.get("Content-Encoding") == "aes128gcm"),
        (415, "Content-Type", headers.get("Content-Type") == "application/octet-stream"),
        (400, "not one record (RFC 8188 §2.1)", 86 + 18 <= len(body) <= 86 + record_bytes),
        (400, "the key id is no point (RFC 8291 §4)", body[20:22] == b"\x41\x04"),
    ]
    return next(((status, what) for status, what, good in checks if not good), None)


def _claims(header: str, key: str, origin: str, now: float) -> dict[str, Any]:
    """What the sender says of itself, once it is proven. Raises PermissionError(status, why)."""
    match = re.fullmatch(r"vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), ?k=([\w-]{87})", header)
    if match is None:
        raise PermissionError(401, "no VAPID header (RFC 8292 §3)")
    head, body, signature, sender = match.groups()
    if key and sender != key:
        raise PermissionError(403, "the subscription is for another key (RFC 8292 §4.2)")
    _check_signature(f"{head}.{body}".encode(), unb64(signature), unb64(sender))
    claims: dict[str, Any] = json.loads(unb64(body))
    if json.loads(unb64(head)) != {"typ": "JWT", "alg": "ES256"}:
        raise PermissionError(401, "not a JWT signed by ES256")
    if claims["aud"] != origin:
        raise PermissionError(401, "aud is another push service's (RFC 8292 §2)")
    if not now < claims["exp"] <= now + DAY_SECONDS + CLOCK_ERROR_SECONDS:
        raise PermissionError(401, "exp is past, or more than a day away (RFC 8292 §2)")
    if not str(claims.get("sub", "")).startswith(("mailto:", "https:")):
        raise PermissionError(401, "sub is no way to reach the sender (RFC 8292 §2.1)")
    return claims


def _check_signature(signed: bytes, signature: bytes, sender: bytes) -> None:
    numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    try:
        public.verify(utils.encode_dss_signature(*numbers), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise PermissionError(401, "the signature is not the key's") from None


@asynccontextmanager
async def push_service() -> AsyncGenerator[PushService, None]:
    """Listen on a free port of 127.0.0.1, for senders and for browsers (`ws://` at its root)."""
    service = PushService()
    app = web.Application(client_max_size=1024 * 1024)
    app.router.add_post("/wpush/v2/{token}", service.take)
    app.router.add_get("/", service.talk)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    service.url = f"http://{host}:{port}"
    try:
        yield service
    finally:
        await runner.cleanup()
