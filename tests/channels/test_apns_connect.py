"""A name of Apple's leads to many addresses; one that is silent keeps nobody from the others."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from angarium.channels._apns_connect import AddressInfo, dial

LISTENERS = 20
"""More than a backlog of none lets in."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Where nothing comes back, not even a refusal: its backlog is full."""
    with ExitStack() as opened:
        found = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(LISTENERS):
            caller = opened.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(found.getsockname())
        yield found


def info(listening: socket.socket) -> AddressInfo:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", listening.getsockname())


async def test_an_address_that_is_silent_is_not_waited_for(
    silent: socket.socket, listener: socket.socket
) -> None:
    async with asyncio.timeout(30):
        connected = await dial([info(silent), info(listener)])

    with connected:
        assert connected.getpeername() == listener.getsockname()


async def test_where_no_address_answers_that_is_an_error(listener: socket.socket) -> None:
    nobody = info(listener)
    listener.close()

    with pytest.raises(OSError, match="failed"):
        await dial([nobody, nobody])
