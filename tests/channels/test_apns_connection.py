"""One HTTP/2 connection: what is known of each message however the connection behaves."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Encoder

from angarium.channels._apns_connection import REMEMBERED, Connection, RememberingCoder
from angarium.channels._apns_exchange import MAX_BYTES
from angarium.channels._http import Answer
from angarium.plugins import InDoubt, TemporaryFailure
from tests.counterparts.h2_scripted import (
    H2Scripted,
    Session,
    answers,
    frame,
    goaway,
    h2_scripted,
    says_nothing,
    settings_frame,
)

HEAD = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"x"), (b":path", b"/")]


@pytest.fixture
async def server() -> AsyncGenerator[H2Scripted, None]:
    async with h2_scripted() as scripted:
        yield scripted


class OneByteAtATime(Connection):
    """As if every byte had come by itself."""

    def data_received(self, data: bytes) -> None:
        for byte in data:
            super().data_received(bytes([byte]))


@asynccontextmanager
async def connected(
    server: H2Scripted,
    *,
    kind: type[Connection] = Connection,
    ping_seconds: float = 60.0,
    pong_seconds: float = 10.0,
    most_streams: int = 100,
    changed: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Connection, None]:
    connection = kind(
        changed, ping_seconds=ping_seconds, pong_seconds=pong_seconds, most_streams=most_streams
    )
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: connection, "127.0.0.1", server.port)
    await connection.ready.wait()
    try:
        yield connection
    finally:
        await connection.close()


def ask(connection: Connection, body: bytes = b"{}", seconds: float = 30.0) -> asyncio.Task[Answer]:
    return asyncio.ensure_future(connection.exchange(HEAD, body, seconds=seconds))


async def end_of(task: asyncio.Task[Answer]) -> object:
    [end] = await asyncio.gather(task, return_exceptions=True)
    return end


@pytest.mark.parametrize("kind", [Connection, OneByteAtATime])
async def test_answers_find_their_requests_however_the_bytes_are_cut(
    server: H2Scripted, kind: type[Connection]
) -> None:
    def reply(session: Session, stream: int) -> None:
        answers(200 + stream, b"x" * stream)(session, stream)

    server.reply = reply
    async with connected(server, kind=kind) as connection:
        got = await asyncio.gather(*(ask(connection) for _ in range(20)))

    assert [(one.status, one.body) for one in got] == [
        (200 + stream, b"x" * stream) for stream in range(1, 41, 2)
    ]


async def test_of_a_long_answer_only_the_beginning_is_kept(server: H2Scripted) -> None:
    server.reply = answers(200, b"x" * 20_000)
    async with connected(server) as connection:
        got = [await ask(connection) for _ in range(10)]

    assert {len(one.body) for one in got} == {MAX_BYTES}


async def test_a_body_waits_for_the_servers_window(server: H2Scripted) -> None:
    server.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 7}
    async with connected(server) as connection:
        await asyncio.gather(*(ask(connection, b"0123456789" * 10) for _ in range(3)))

    assert server.bodies == [b"0123456789" * 10] * 3


async def test_streams_are_bounded_by_what_the_server_allows_now(server: H2Scripted) -> None:
    server.settings = {SettingCodes.MAX_CONCURRENT_STREAMS: 3}
    server.reply = says_nothing
    changes: list[int] = []
    async with connected(server, changed=lambda: changes.append(1)) as connection:
        assert connection.free == 3
        task = ask(connection)
        await server.heard.wait()
        assert connection.free == 2

        changes.clear()
        server.sessions[0].say(settings_frame(SettingCodes.MAX_CONCURRENT_STREAMS, 1))
        while not changes:
            await asyncio.sleep(0.001)
        assert connection.free == 0
        task.cancel()
        await asyncio.wait([task])
        assert connection.free == 1


async def test_a_connection_that_is_cut_leaves_in_doubt_what_was_sent(server: H2Scripted) -> None:
    server.reply = lambda session, _stream: session.cut()
    async with connected(server) as connection:
        end = await end_of(ask(connection))

        assert isinstance(end, InDoubt)
        assert "the connection was lost" in end.reason
        assert not connection.usable


async def test_what_had_not_left_when_the_connection_ended_was_not_taken(
    server: H2Scripted,
) -> None:
    async with connected(server) as connection:
        task = ask(connection)
        await asyncio.sleep(0)
        connection.abort()
        end = await end_of(task)

    assert isinstance(end, TemporaryFailure)
    assert server.bodies == []


async def test_an_ending_connection_is_not_used(server: H2Scripted) -> None:
    async with connected(server) as connection:
        connection.abort()

        assert connection.free == 0


async def test_what_was_not_sent_to_its_end_was_not_taken(server: H2Scripted) -> None:
    server.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 1}
    server.begun = lambda session, _stream: session.cut()
    async with connected(server) as connection:
        end = await end_of(ask(connection))

    assert isinstance(end, TemporaryFailure)
    assert "lost before the message was sent" in end.reason


async def test_a_server_that_goes_away_answers_what_it_has_taken_and_nothing_else(
    server: H2Scripted,
) -> None:
    server.reply = says_nothing
    async with connected(server) as connection:
        tasks = [ask(connection) for _ in range(4)]  # streams 1, 3, 5, 7
        while len(server.bodies) < 4:
            await asyncio.sleep(0.001)
        session = server.sessions[0]
        session.say(goaway(2**31 - 1))  # a first notice, as graceful servers give
        session.say(goaway(3))
        refused = [await end_of(task) for task in tasks[2:]]
        assert not connection.usable
        assert not connection.closed.is_set()

        for stream in (1, 3):
            answers(200)(session, stream)
        session.flush()
        taken = [await end_of(task) for task in tasks[:2]]
        await connection.closed.wait()

    assert [type(end) for end in refused] == [TemporaryFailure] * 2
    assert [type(end) for end in taken] == [Answer] * 2


async def test_what_was_taken_is_in_doubt_when_the_server_goes_without_an_answer(
    server: H2Scripted,
) -> None:
    def leave(session: Session, stream: int) -> None:
        session.say(goaway(stream))
        session.transport.close()

    server.reply = leave
    async with connected(server) as connection:
        assert isinstance(await end_of(ask(connection)), InDoubt)


async def test_an_idle_connection_ends_when_the_server_goes_away(server: H2Scripted) -> None:
    async with connected(server) as connection:
        await ask(connection)
        server.sessions[0].say(goaway(1))
        await connection.closed.wait()


async def test_a_connection_without_further_streams_ends_with_its_last_answer(
    server: H2Scripted,
) -> None:
    """Days of full work use up their numbers (RFC 9113 §5.1.1)."""
    async with connected(server, most_streams=2) as connection:
        await ask(connection)
        assert connection.usable
        last = ask(connection)
        await asyncio.sleep(0)
        assert not connection.usable
        assert isinstance(await last, Answer)
        await connection.closed.wait()


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (ErrorCodes.REFUSED_STREAM, TemporaryFailure),
        (ErrorCodes.INTERNAL_ERROR, InDoubt),
        (ErrorCodes.CANCEL, InDoubt),
    ],
)
async def test_a_stream_that_is_broken_off_harms_no_other(
    server: H2Scripted, code: ErrorCodes, failure: type[Exception]
) -> None:
    server.reply = lambda session, stream: session.h2.reset_stream(stream, code)
    async with connected(server) as connection:
        assert isinstance(await end_of(ask(connection)), failure)

        server.reply = answers(200)
        assert (await ask(connection)).status == 200


async def test_a_stream_that_is_broken_off_before_its_end_was_not_taken(
    server: H2Scripted,
) -> None:
    server.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 1}
    server.begun = lambda session, stream: session.h2.reset_stream(
        stream, ErrorCodes.INTERNAL_ERROR
    )
    async with connected(server) as connection:
        assert isinstance(await end_of(ask(connection)), TemporaryFailure)


async def test_an_answer_before_the_end_of_the_body_counts(server: H2Scripted) -> None:
    server.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 1}
    server.begun = answers(413, b"too large")
    async with connected(server) as connection:
        assert (await ask(connection)).body == b"too large"

        server.begun = says_nothing
        assert (await ask(connection, b"x")).status == 200
    assert server.resets == [1]


async def test_no_answer_in_time_is_in_doubt_and_ends_the_connection(server: H2Scripted) -> None:
    server.reply = says_nothing
    async with connected(server) as connection:
        end = await end_of(ask(connection, seconds=0.05))

        assert isinstance(end, InDoubt)
        assert "no answer in time" in end.reason
        await connection.closed.wait()


async def test_who_is_cut_off_frees_the_place_and_the_server(server: H2Scripted) -> None:
    server.reply = says_nothing
    async with connected(server) as connection:
        before = connection.free
        task = ask(connection)
        await server.heard.wait()
        task.cancel()
        assert isinstance(await end_of(task), asyncio.CancelledError)
        assert connection.free == before

        server.reply = answers(200)
        await ask(connection)
    assert server.resets == [1]


async def test_who_is_cut_off_before_the_end_of_the_body_was_not_sent(server: H2Scripted) -> None:
    server.settings = {SettingCodes.INITIAL_WINDOW_SIZE: 1}
    begun = asyncio.Event()
    server.begun = lambda _session, _stream: begun.set()
    server.reply = says_nothing
    async with connected(server) as connection:
        task = ask(connection, b"x" * 3000)
        await begun.wait()
        task.cancel()
        end = await end_of(task)

    assert isinstance(end, TemporaryFailure)
    assert "cut off before the message was sent" in end.reason


async def test_who_is_cut_off_when_the_request_stands_in_line_is_in_doubt(
    server: H2Scripted,
) -> None:
    async with connected(server) as connection:
        task = ask(connection)
        await asyncio.sleep(0)
        task.cancel()
        assert isinstance(await end_of(task), asyncio.CancelledError)
        await ask(connection)

    assert len(server.bodies) == 2


async def test_an_answer_that_comes_too_late_is_no_trouble(server: H2Scripted) -> None:
    server.reply = says_nothing
    async with connected(server) as connection:
        task = ask(connection)
        await server.heard.wait()
        session = server.sessions[0]
        answers(200, b"late")(session, 1)
        task.cancel()
        await asyncio.wait([task])
        session.flush()

        server.reply = answers(200)
        assert (await ask(connection)).status == 200


async def test_a_ping_is_sent_now_and_then(server: H2Scripted) -> None:
    async with connected(server, ping_seconds=0.02) as connection:
        while server.pings < 3:
            await asyncio.sleep(0.005)
        assert connection.usable


async def test_a_server_that_answers_no_ping_is_gone(server: H2Scripted) -> None:
    server.reply = says_nothing
    async with connected(server, ping_seconds=0.05, pong_seconds=0.05) as connection:
        task = ask(connection)
        await server.heard.wait()
        server.sessions[0].transport.pause_reading()

        assert isinstance(await end_of(task), InDoubt)
        assert connection.closed.is_set()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        frame(0, 0, 99, b"data on a stream that nobody opened"),
        frame(1, 4, 1, b"\xff\xff\xff"),
        frame(7, 0, 0, b"short"),
        b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + b"x" * 100,
    ],
)
async def test_a_server_that_makes_no_sense_is_left(server: H2Scripted, nonsense: bytes) -> None:
    server.reply = lambda session, _stream: session.say(nonsense)
    async with connected(server) as connection:
        assert isinstance(await end_of(ask(connection)), InDoubt)
        await connection.closed.wait()


@pytest.mark.parametrize("status", ["abc", ""])
async def test_a_status_that_is_none_is_in_doubt(server: H2Scripted, status: str) -> None:
    def reply(session: Session, stream: int) -> None:
        session.h2.send_headers(stream, [(":status", status)], end_stream=True)

    server.reply = reply
    async with connected(server) as connection:
        assert isinstance(await end_of(ask(connection)), InDoubt)


def test_remembered_headers_are_coded_as_others() -> None:
    coder, fresh = RememberingCoder(), Encoder().huffman_coder
    texts = [b"", b"bearer abc", *(str(number).encode() for number in range(2 * REMEMBERED))]
    for text in (*texts, *texts):
        assert coder.encode(text) == fresh.encode(text)
