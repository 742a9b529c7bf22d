"""One HTTP request to a vendor: what came back, or how far it came.

No redirects, no cookies, no proxy of the environment, no more of an answer than was asked for. A
request that surely never left is told apart from one that may have arrived.
"""

import asyncio
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Final, Protocol

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from angarium.channels._guard import (
    AddressRefused,
    Allowed,
    GuardedResolver,
    check_host,
    guarded_socket,
)
from angarium.channels._http_flight import FLIGHT, Flight, FlightConnector
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

AWAY_SECONDS: Final = 10.0
KEPT_SECONDS: Final = 4.0
"""How long an idle connection is kept: servers on Node hang up after 5, and a request that crosses
with the hanging up is in doubt."""
LONGEST_WAIT: Final = 86_400.0
BUSY_SECONDS: Final = 1.0
"""Ours are all in use: a slow service is no reason to pause."""

Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
"""In settings."""

_HEADERS: Final = {"User-Agent": "angarium", "Accept-Encoding": "identity"}


class Answer(msgspec.Struct, frozen=True):
    """What the server said; of the body no more than was asked for. Names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Requests of one provider, over connections that stay open for a moment.

    name: of the provider; its failures begin with it. allowed: which addresses may be connected to
    (`_guard.allowed_by`); None: any, for a host that the operator named. one_host: all messages go
    to the same host, so that no connection for one means none for any, and the provider pauses.
    tls, names: instead of the system's certificates, and of its way to find a host.
    """

    def __init__(
        self,
        name: str,
        *,
        connect_seconds: float = 10.0,
        answer_seconds: float = 30.0,
        connections: int = 32,
        most_bytes: int = 64 * 1024,
        allowed: Allowed | None = None,
        one_host: bool = True,
        tls: ssl.SSLContext | None = None,
        names: AbstractResolver | None = None,
    ) -> None:
        self._name = name
        self._timeout = aiohttp.ClientTimeout(
            total=connect_seconds + answer_seconds, sock_connect=connect_seconds
        )
        self._connections = connections
        self._most_bytes = most_bytes
        self._allowed = allowed
        self._one_host = one_host
        self._tls = tls
        self._names = names
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def post(self, url: str | URL, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises TemporaryFailure (never left), InDoubt (may have arrived), PermanentFailure (the
        URL is none, or leads where no message may go; the one host's name may do so for a while).
        """
        return await self._request("POST", url, body, headers)

    async def get(self, url: str | URL, *, headers: Mapping[str, str]) -> Answer:
        """As `post`, without a body."""
        return await self._request("GET", url, None, headers)

    async def close(self) -> None:
        """Hang up. What is asked afterwards fails as not sent."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _request(
        self, method: str, url: str | URL, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        target = self._check(url)
        session = self._open()
        flight = Flight()
        FLIGHT.set(flight)
        try:
            async with session.request(
                method,
                target,
                data=body,
                headers={**_HEADERS, **headers},
                allow_redirects=False,
            ) as response:
                return await self._read(response)
        except asyncio.CancelledError:
            if flight.left:
                raise
            raise TemporaryFailure(f"{self._name}: cut off before anything was sent") from None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            # `from None`: these errors hold the URL, and that may hold a token.
            raise self._failure(error, flight) from None

    def _check(self, url: str | URL) -> URL:
        try:
            target = URL(url)
            if target.scheme not in ("http", "https") or not target.raw_host:
                raise ValueError("no URL of the web")
            if self._allowed is not None:
                check_host(target.raw_host, self._allowed)
        except AddressRefused as refused:
            raise PermanentFailure(f"{self._name}: {refused}") from None
        except ValueError:
            raise PermanentFailure(f"{self._name}: not a URL that can be called") from None
        return target

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise TemporaryFailure(f"{self._name}: is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                trust_env=False,
            )
        return self._session

    def _connector(self) -> FlightConnector:
        guard: dict[str, Any] = {"resolver": self._names}
        if self._allowed is not None:
            guard = {
                "resolver": GuardedResolver(self._allowed, self._names),
                "socket_factory": guarded_socket(self._allowed),
            }
        return FlightConnector(
            limit=0,
            limit_per_host=self._connections,
            keepalive_timeout=KEPT_SECONDS,
            ssl=True if self._tls is None else self._tls,
            **guard,
        )

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        body = bytearray()
        while chunk := await response.content.readany():
            body += chunk
            if len(body) >= self._most_bytes:
                response.close()  # not read to its end, so nothing else can come over it
                break
        headers: dict[str, str] = {}
        for written, value in response.headers.items():
            name = written.lower()
            before = headers.get(name)
            headers[name] = value if before is None else f"{before}, {value}"
        return Answer(response.status, headers, bytes(body[: self._most_bytes]))

    def _failure(self, error: Exception, flight: Flight) -> Exception:
        if flight.left:
            return InDoubt(f"{self._name}: sent, and {_silence(error)}")
        if flight.waited and isinstance(error, TimeoutError):
            return TemporaryFailure(f"{self._name}: all connections are busy", BUSY_SECONDS)
        reason = f"{self._name}: unable to connect ({_obstacle(error)})"
        if _refused(error):
            reason = f"{self._name}: this name leads to no public address"
            # A stranger chose it, then; of the operator's own, names lie for a while.
            if not self._one_host:
                return PermanentFailure(reason)
        return TemporaryFailure(reason, AWAY_SECONDS, pause=self._one_host)


class Reach(Protocol):
    """What settings say of connections; lengths of time in seconds."""

    @property
    def connections(self) -> int: ...
    @property
    def connect_seconds(self) -> float: ...
    @property
    def answer_seconds(self) -> float: ...


def http_of(
    name: str, settings: Reach, *, allowed: Allowed | None = None, one_host: bool = True
) -> Http:
    """Requests of a provider, as its settings say; the rest as `Http` has it."""
    return Http(
        name,
        connect_seconds=settings.connect_seconds,
        answer_seconds=settings.answer_seconds,
        connections=settings.connections,
        allowed=allowed,
        one_host=one_host,
    )


def retry_after(answer: Answer) -> float | None:
    """Seconds to wait, by Retry-After (RFC 9110 §10.2.3), at most a day; None: it does not say.

    A date counts from the answer's own Date, so that no clock of ours is needed.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        said = parsedate_to_datetime(answer.headers.get("date", ""))
        seconds = (until - said).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, AddressRefused):
            return True
        error = error.__cause__
    return False


def _obstacle(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "no such host"
        case aiohttp.ClientSSLError():
            return "no TLS, or a certificate that nobody vouches for"
        case TimeoutError():
            return "no connection in time"
        case _:
            return "refused or away"


def _silence(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientResponseError):
        return "the answer cannot be read"
    return "no answer came"
