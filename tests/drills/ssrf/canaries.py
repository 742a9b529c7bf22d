"""Servers that nobody may reach, and a watch on every connection that this process begins.

The watch is the interpreter's own audit event, before the system is asked: so a connection to an
address that no server of ours can have (a private one, a cloud's metadata) is seen as well. What
would leave this machine is refused there.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from tests.drills.ssrf.vectors import NAMES

FULL = ("127.0.0.1", "::1")


@dataclass
class Watch:
    """`tried`: the hosts to which connections were begun since the last `clear`."""

    on: bool = False
    tried: list[str] = field(default_factory=list[str])

    def see(self, event: str, args: Sequence[Any]) -> None:
        if not self.on or event != "socket.connect" or isinstance(args[1], str | bytes):
            return  # or a path of this machine
        host = str(args[1][0])
        self.tried.append(host)
        if not ip_address(host.partition("%")[0]).is_loopback:
            raise ConnectionRefusedError("nothing leaves this machine")


@pytest.fixture(scope="session")
def audited() -> Watch:
    """There is one for the whole session: an audit hook is never taken out."""
    watch = Watch()
    sys.addaudithook(watch.see)
    return watch


@pytest.fixture
def watch(audited: Watch) -> Any:
    audited.on = True
    audited.tried.clear()
    yield audited
    audited.on = False


@dataclass
class Names:
    """The system's resolver: numbers as the C library reads them, names as the table says.

    A name of `changing` has another answer each time.
    """

    asked: list[str] = field(default_factory=list[str])
    changing: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    real: Any = socket.getaddrinfo

    def find(
        self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        name = str(host).lower().rstrip(".")
        self.asked.append(name)
        answers = self.changing.get(name)
        found = NAMES.get(name) if answers is None else answers.pop(0)
        if found is None:
            return self.real(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
        return [
            info
            for one in found.split()
            for info in self.real(one, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    table = Names()
    monkeypatch.setattr(socket, "getaddrinfo", table.find)
    return table


@dataclass
class Canary:
    """Listens on this machine by both protocols; `visits` must stay empty."""

    port: int = 0
    visits: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def canary() -> AsyncGenerator[Canary, None]:
    bird = Canary()

    async def visit(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bird.visits.append(str(writer.get_extra_info("sockname")))
        writer.close()

    first = await asyncio.start_server(visit, FULL[0], 0)
    bird.port = first.sockets[0].getsockname()[1]
    servers = [first]
    with suppress(OSError):  # a machine without IPv6: the watch sees what would have gone there
        servers.append(await asyncio.start_server(visit, FULL[1], bird.port))
    try:
        yield bird
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()
