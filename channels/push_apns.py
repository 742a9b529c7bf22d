"""Notifications to Apple's devices through APNs itself, over HTTP/2."""

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Final
from uuid import UUID, uuid5

import msgspec
from hpack import HeaderTuple, NeverIndexedHeaderTuple
from hpack.struct import Header
from yarl import URL

from angarium.channels._apns_answers import EXPIRED, read_failure, read_misplaced, read_reason
from angarium.channels._apns_connect import connect
from angarium.channels._apns_connection import Connection
from angarium.channels._apns_payload import compose, headers
from angarium.channels._apns_pool import Pool
from angarium.channels._apns_token import ProviderToken, parse_key
from angarium.channels._base_url import check_base_url
from angarium.channels._belief import Belief
from angarium.channels._tls import create_client_tls
from angarium.plugins import (
    Accepted,
    Message,
    PermanentFailure,
    Provider,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.settings import Secret

IDS: Final = UUID("6f1c1c0e-7f5b-5d3a-9a53-1d6a6e0d4c11")
"""The name space of apns-ids (RFC 9562 §5.5): the same key always gives the same id."""

_TOKEN = re.compile(r"(?:[0-9A-Fa-f]{2}){8,100}")

Id = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Z0-9]{10}$", extra={"form": "ten capital letters and digits"}),
]
Topic = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9.-]{1,255}$", extra={"form": "a bundle id, as org.example.shop"}
    ),
]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class PushApnsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.push_apns]`. Lengths of time are in seconds."""

    key_file: str = ""
    """The .p8 file that Apple gave with the key; or its content in `key`."""
    key: Secret = Secret()
    key_id: Id
    """The ten characters by which Apple knows the key."""
    team_id: Id
    topic: Topic
    """The app's bundle id."""
    url: str = "https://api.push.apple.com"
    """For apps that Xcode put on the phone: https://api.sandbox.push.apple.com."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    connections: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    connect_seconds: Seconds = 10.0
    answer_seconds: Seconds = 30.0
    ping_seconds: Seconds = 60.0

    def __post_init__(self) -> None:
        if bool(self.key_file) == bool(self.key):
            raise ValueError("set one of key_file and key")
        check_base_url("url", self.url, plain=False)
        if URL(self.url).path not in ("", "/"):
            raise ValueError("url: must have no path")


class PushApns(Provider):
    """Sends over a connection that stays open."""

    name: ClassVar[str] = "push_apns"
    channel: ClassVar[str] = "push"
    platforms: ClassVar[tuple[str, ...]] = ("ios",)
    """The types of device whose tokens it takes."""
    Settings: ClassVar[type] = PushApnsSettings

    def __init__(self, settings: PushApnsSettings) -> None:
        self._settings = settings
        self._belief = Belief()
        self._tls: ssl.SSLContext | None = None
        self._token: ProviderToken | None = None
        self._pool = Pool(
            self._connect, size=settings.connections, answer_seconds=settings.answer_seconds
        )
        if settings.key:
            self._use("key", settings.key.reveal().encode())

    async def open(self) -> None:
        try:
            if self._settings.key_file:
                self._use("key_file", _read_file(self._settings.key_file))
            self._tls = _create_tls(self._settings.ca_file)
        except ValueError as error:
            raise ValueError(f"channels.push_apns.{error}") from error

    async def send(self, message: Message) -> Accepted:
        if not _TOKEN.fullmatch(message.address):
            raise PermanentFailure("push_apns: this is no device token", address_dead=True)
        if self._token is None or self._tls is None:
            raise RuntimeError("open() comes before the first message")
        body = compose(message)
        apns_id = str(uuid5(IDS, message.key))
        token = self._token.text(message.at)
        request = self._request(message, apns_id, token)
        answer = await self._pool.exchange(request, body)
        if answer.status == 200:
            self._belief.confirm()
            return Accepted(provider_id=apns_id)
        if read_reason(answer) == EXPIRED:
            raise _expired(self._token, token, message.at)
        misplaced = read_misplaced(answer)
        if misplaced is not None and not self._belief.doubt():
            raise misplaced
        raise read_failure(answer)

    async def close(self) -> None:
        await self._pool.close()

    def _request(self, message: Message, apns_id: str, token: str) -> list[Header]:
        # What differs from message to message must not fill the server's header table.
        return [
            HeaderTuple(":method", "POST"),
            HeaderTuple(":scheme", "https"),
            HeaderTuple(":authority", URL(self._settings.url).authority),
            NeverIndexedHeaderTuple(":path", f"/3/device/{message.address}"),
            NeverIndexedHeaderTuple("authorization", f"bearer {token}"),
            HeaderTuple("apns-topic", self._settings.topic),
            NeverIndexedHeaderTuple("apns-id", apns_id),
            *(NeverIndexedHeaderTuple(name, text) for name, text in headers(message).items()),
        ]

    def _use(self, setting: str, data: bytes) -> None:
        try:
            key = parse_key(data)
        except ValueError as error:
            raise ValueError(f"{setting}: {error}") from None
        self._token = ProviderToken(
            key, key_id=self._settings.key_id, team_id=self._settings.team_id
        )

    async def _connect(self, changed: Callable[[], None]) -> Connection:
        return await connect(
            Connection(changed, ping_seconds=self._settings.ping_seconds),
            self._settings.url,
            tls=self._tls,
            seconds=self._settings.connect_seconds,
        )


def _expired(tokens: ProviderToken, text: str, now: int) -> TemporaryFailure:
    tokens.refuse(text)
    wait = tokens.wait(now)
    if not wait:
        return TemporaryFailure("push_apns: the provider token had expired; it is made anew")
    return TemporaryFailure(
        "push_apns: APNs calls a young provider token expired; check this machine's clock",
        wait,
        pause=True,
    )


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"key_file: cannot be read ({error.strerror})") from error


def _create_tls(ca_file: str) -> ssl.SSLContext:
    context = create_client_tls(ca_file)
    context.set_alpn_protocols(["h2"])
    return context


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [PushApns]
