"""Open a connection to APNs: TLS, HTTP/2 chosen in it, and the server's settings read."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from aiohappyeyeballs import start_connection  # pyright: ignore  # partly untyped there
from yarl import URL

from angarium.channels._apns_connection import Connection
from angarium.channels._http import AWAY_SECONDS
from angarium.plugins import TemporaryFailure

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""As `getaddrinfo` gives them."""

MISCONFIGURED_SECONDS: Final = 300.0
PATIENCE_SECONDS: Final = 0.25
"""With an address that says nothing, until the next is tried as well (RFC 8305 §5)."""


async def connect(
    connection: Connection, url: str, *, tls: ssl.SSLContext | None, seconds: float
) -> Connection:
    """Give the connection when requests may go over it. Raises TemporaryFailure, which pauses."""
    target = URL(url)
    host, port = target.host or "", target.port or 443
    try:
        async with asyncio.timeout(seconds):
            await _reach(connection, host, port, tls)
    except BaseException as error:
        connection.abort()
        if isinstance(error, OSError):  # TimeoutError is one, and so is what TLS says
            raise _failure(error, f"{host} port {port}") from None
        raise
    return connection


async def _reach(connection: Connection, host: str, port: int, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    transport, _ = await loop.create_connection(
        lambda: connection, sock=await dial(found), ssl=tls, server_hostname=host
    )
    chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
    if chosen != "h2":
        raise ssl.SSLError("the server does not speak HTTP/2")
    await connection.ready.wait()
    if not connection.usable:
        raise ConnectionResetError


async def dial(addresses: Sequence[AddressInfo]) -> socket.socket:
    """Connect to the first that answers, of either family. Raises OSError."""
    connected = await start_connection(addresses, happy_eyeballs_delay=PATIENCE_SECONDS)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return connected


def _failure(error: OSError, where: str) -> TemporaryFailure:
    if isinstance(error, ssl.SSLError):
        reason = f"push_apns: no TLS with {where}; check url and ca_file"
        return TemporaryFailure(reason, MISCONFIGURED_SECONDS, pause=True)
    reason = f"push_apns: unable to connect to {where}"
    return TemporaryFailure(reason, AWAY_SECONDS, pause=True)
