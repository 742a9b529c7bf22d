"""Open a connection to APNs: TLS, HTTP/2 chosen in it, and the server's settings read."""

import asyncio
import ssl
from typing import Final

from yarl import URL

from angarium.channels._apns_connection import Connection
from angarium.channels._http import AWAY_SECONDS
from angarium.plugins import TemporaryFailure

MISCONFIGURED_SECONDS: Final = 300.0


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
    transport, _ = await loop.create_connection(
        lambda: connection, host, port, ssl=tls, server_hostname=host
    )
    chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
    if chosen != "h2":
        raise ssl.SSLError("the server does not speak HTTP/2")
    await connection.ready.wait()
    if not connection.usable:
        raise ConnectionResetError


def _failure(error: OSError, where: str) -> TemporaryFailure:
    if isinstance(error, ssl.SSLError):
        reason = f"push_apns: no TLS with {where}; check url and ca_file"
        return TemporaryFailure(reason, MISCONFIGURED_SECONDS, pause=True)
    reason = f"push_apns: unable to connect to {where}"
    return TemporaryFailure(reason, AWAY_SECONDS, pause=True)
