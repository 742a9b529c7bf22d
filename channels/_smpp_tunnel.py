"""The way to a service centre: straight, or through TLS.

smpp34 trusts what the whole machine trusts, and no file of one provider. So the TLS is Python's,
and smpp34 reaches it at a port of this machine that takes one connection and is closed again.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Final, Protocol

from angarium.plugins import TemporaryFailure

HERE: Final = "127.0.0.1"
AWAY_SECONDS: Final = 10.0
MISCONFIGURED_SECONDS: Final = 300.0
CHUNK_BYTES: Final = 65_536


class Way(Protocol):
    """One way for one session."""

    async def open(self) -> tuple[str, int]:
        """Give the host and port to connect to, once. Raises TemporaryFailure, which pauses."""
        ...

    async def close(self) -> None:
        """Nothing passes any more; also where it was never opened."""
        ...


class Straight:
    """No TLS: all goes in clear."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)

    async def open(self) -> tuple[str, int]:
        return self._place

    async def close(self) -> None:
        return None


class Tunnel:
    """TLS to the centre, begun before anybody may connect here: what follows never goes in clear.

    name: what the centre's certificate must be for.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, name: str) -> None:
        self._host, self._port = host, port
        self._tls = tls
        self._name = name
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: list[asyncio.Task[None]] = []

    async def open(self) -> tuple[str, int]:
        try:
            reader, writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._tls, server_hostname=self._name
            )
        except OSError as error:
            raise _failure(error, f"{self._host} port {self._port}") from None
        self._writers.append(writer)

        def take(near: asyncio.StreamReader, nearer: asyncio.StreamWriter) -> None:
            self._take(near, nearer, reader, writer)

        self._server = await asyncio.start_server(take, HERE, 0)
        host, port = self._server.sockets[0].getsockname()
        return str(host), int(port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # a farewell in TLS may be waited for in vain
            with suppress(OSError):
                await writer.wait_closed()

    def _take(
        self,
        near_reader: asyncio.StreamReader,
        near_writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        self._writers.append(near_writer)
        if self._pumps or self._server is None:
            near_writer.close()  # one has come before
            return
        self._server.close()
        loop = asyncio.get_running_loop()
        self._pumps = [
            loop.create_task(_pump(near_reader, far_writer, near_writer)),
            loop.create_task(_pump(far_reader, near_writer, far_writer)),
        ]


async def _pump(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, back: asyncio.StreamWriter
) -> None:
    """Pass on what comes until either side ends, and then end both."""
    try:
        while data := await source.read(CHUNK_BYTES):
            target.write(data)
            await target.drain()
    except OSError:
        pass  # lost: the session hears of it by the end of its connection
    finally:
        target.close()
        back.close()


def _failure(error: OSError, where: str) -> TemporaryFailure:
    if isinstance(error, ssl.SSLError):
        reason = f"sms_smpp: no TLS with {where}; check port, ca_file and tls_name"
        return TemporaryFailure(reason, MISCONFIGURED_SECONDS, pause=True)
    return TemporaryFailure(f"sms_smpp: unable to connect to {where}", AWAY_SECONDS, pause=True)
