"""The supervisor with real processes: small programs that note what happens to them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from angarium.config.load import load_settings
from angarium.gateway.supervisor.backoff import next_delay
from angarium.gateway.supervisor.child import Part
from angarium.gateway.supervisor.connection import (
    Connection,
    read_connection,
    remove_connection,
    write_connection,
)
from angarium.gateway.supervisor.crew import Crew, StartFailed
from angarium.gateway.supervisor.lock import DirectoryInUse, DirectoryLock
from angarium.gateway.supervisor.parts import PortTaken, child_environ, claim_port, our_parts
from angarium.gateway.supervisor.ready import is_ready, wait_ready
from angarium.gateway.supervisor.signals import Signals

NOTES = """
import os, signal, sys, time
notes, name = sys.argv[1:3]
def note(what):
    with open(notes, "a") as file:
        file.write(f"{name} {what}\\n")
"""
OBEDIENT = (
    NOTES
    + """
def end(*_):
    note("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("began")
while True:
    signal.pause()
"""
)
STUBBORN = (
    NOTES
    + """
signal.signal(signal.SIGTERM, lambda *_: note("refused"))
note("began")
while True:
    signal.pause()
"""
)


class Notes:
    """What the programs wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    async def until(self, true: Callable[[list[str]], bool]) -> list[str]:
        while True:
            if true(lines := self.lines()):
                return lines
            await asyncio.sleep(0.01)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes")


@pytest.fixture
async def crew() -> AsyncIterator[Crew]:
    crew = Crew(changed=lambda: None)
    yield crew
    await crew.stop((), asyncio.Event())
    assert crew.pids == {}


def part(name: str, program: str, notes: Notes, *, drain_seconds: float = 5.0) -> Part:
    return Part(
        name=name,
        command=(sys.executable, "-I", "-c", program, str(notes.path), name),
        environ=dict(os.environ),
        drain_seconds=drain_seconds,
        tethered=False,
    )


def begun(*names: str) -> Callable[[list[str]], bool]:
    return lambda lines: all(f"{name} began" in lines for name in names)


@pytest.mark.parametrize(
    ("last", "lived", "delay"),
    [
        (None, 0.0, 0.1),
        (None, 1000.0, 0.1),
        (0.1, 0.0, 0.2),
        (0.2, 59.9, 0.4),
        (6.4, 0.0, 10.0),  # 12.8, but never more than ten
        (10.0, 0.0, 10.0),
        (10.0, 60.0, 0.1),  # it was sound: begin anew
    ],
)
def test_the_delay_doubles_until_a_life_was_sound(
    last: float | None, lived: float, delay: float
) -> None:
    assert next_delay(last, lived) == delay


async def test_a_part_that_is_killed_runs_again_with_a_new_pid(crew: Crew, notes: Notes) -> None:
    crew.start([part("core", OBEDIENT, notes)])
    await notes.until(begun("core"))
    first = crew.pids["core"]

    os.kill(first, signal.SIGKILL)

    await notes.until(lambda lines: lines == ["core began"] * 2)
    assert crew.pids["core"] != first


async def test_every_new_pid_is_told(notes: Notes) -> None:
    seen: list[int] = []
    crew = Crew(changed=lambda: seen.append(crew.pids["core"]))
    crew.start([part("core", OBEDIENT, notes)])
    await notes.until(begun("core"))

    os.kill(seen[0], signal.SIGKILL)
    await notes.until(lambda lines: lines == ["core began"] * 2)

    assert len(set(seen)) == 2
    assert await crew.stop(("core",), asyncio.Event())


async def test_parts_stop_in_order_each_after_the_one_before(crew: Crew, notes: Notes) -> None:
    names = ("gateway", "core", "deliver", "nats")
    crew.start(part(name, OBEDIENT, notes) for name in names)
    await notes.until(begun(*names))

    clean = await crew.stop(names, asyncio.Event())

    assert clean
    assert notes.lines()[-4:] == [f"{name} ended" for name in names]
    assert crew.pids == {}


async def test_a_part_that_does_not_end_in_time_is_killed_and_the_end_is_not_clean(
    crew: Crew, notes: Notes
) -> None:
    crew.start([part("core", STUBBORN, notes, drain_seconds=0.2), part("nats", OBEDIENT, notes)])
    await notes.until(begun("core", "nats"))

    clean = await crew.stop(("core", "nats"), asyncio.Event())

    assert not clean
    assert notes.lines()[-2:] == ["core refused", "nats ended"]


async def test_a_second_signal_stops_all_at_once(crew: Crew, notes: Notes) -> None:
    crew.start([part("gateway", STUBBORN, notes), part("core", OBEDIENT, notes)])
    await notes.until(begun("gateway", "core"))
    hasten = asyncio.Event()

    stopping = asyncio.create_task(crew.stop(("gateway", "core"), hasten))
    await notes.until(lambda lines: "gateway refused" in lines)
    assert "core ended" not in notes.lines()
    hasten.set()

    assert not await stopping
    assert "core ended" in notes.lines()


async def test_a_part_that_fails_while_starting_ends_the_start(crew: Crew, notes: Notes) -> None:
    crew.start([part("core", "raise SystemExit(3)", notes)])

    with pytest.raises(StartFailed, match="core ended with status 3"):
        await crew.until(asyncio.Event().wait(), asyncio.Event())


async def test_a_part_that_is_killed_while_starting_is_started_again(
    crew: Crew, notes: Notes
) -> None:
    crew.start([part("core", OBEDIENT, notes)])
    await notes.until(begun("core"))
    os.kill(crew.pids["core"], signal.SIGKILL)

    again = notes.until(lambda lines: lines == ["core began"] * 2)

    assert await crew.until(again, asyncio.Event())


async def test_a_signal_while_starting_ends_the_wait(crew: Crew) -> None:
    stopped = asyncio.Event()
    stopped.set()

    assert not await crew.until(asyncio.Event().wait(), stopped)


async def test_an_order_to_crash_holds_for_the_first_life_only(crew: Crew, notes: Notes) -> None:
    program = NOTES + "note(os.environ.get('ANGARIUM_CRASH_AT', 'no order')); signal.pause()"
    ordered = part("core", program, notes)
    ordered = Part(
        name="core",
        command=ordered.command,
        environ={**ordered.environ, "ANGARIUM_CRASH_AT": "deliver.handed"},
        drain_seconds=1,
        tethered=False,
    )
    crew.start([ordered])
    await notes.until(lambda lines: len(lines) == 1)

    os.kill(crew.pids["core"], signal.SIGKILL)

    assert await notes.until(lambda lines: len(lines) == 2) == [
        "core deliver.handed",
        "core no order",
    ]


TETHERED = """
import signal, sys
from angarium.gateway.supervisor.tether import watch
notes, name, fd = sys.argv[1], sys.argv[2], int(sys.argv[4])
def end(*_):
    open(notes, "a").write(f"{name} ended\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
watch(fd)
open(notes, "a").write(f"{name} began\\n")
while True:
    signal.pause()
"""
SUPERVISOR = """
import asyncio, sys
from angarium.gateway.supervisor.child import Part
from angarium.gateway.supervisor.crew import Crew

async def main():
    command = (sys.executable, "-c", sys.argv[2], sys.argv[1], "core")
    part = Part(name="core", command=command, environ={}, drain_seconds=5)
    Crew(lambda: None).start([part])
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_children_end_in_order_when_their_supervisor_is_killed(notes: Notes) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SUPERVISOR,
        str(notes.path),
        TETHERED,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await notes.until(begun("core"))

    supervisor.kill()
    await supervisor.wait()

    assert await notes.until(lambda lines: len(lines) == 2) == ["core began", "core ended"]


async def test_the_first_signal_asks_and_the_second_hastens() -> None:
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        await signals.stop.wait()
        assert not signals.hasten.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        await signals.hasten.wait()


async def test_a_directory_has_one_owner_and_the_second_is_told_who(tmp_path: Path) -> None:
    lock = await DirectoryLock.take(tmp_path / "data")

    with pytest.raises(
        DirectoryInUse, match=rf"{tmp_path}/data is in use by process {os.getpid()}"
    ):
        await DirectoryLock.take(tmp_path / "data")

    lock.release()
    (await DirectoryLock.take(tmp_path / "data")).release()


async def test_what_a_killed_owner_left_behind_is_waited_for(tmp_path: Path) -> None:
    lock = await DirectoryLock.take(tmp_path)
    python = (sys.executable, "-I", "-c")
    child = await asyncio.create_subprocess_exec(
        *python, "input()", stdin=asyncio.subprocess.PIPE, pass_fds=(lock.fd,)
    )
    dead = await asyncio.create_subprocess_exec(*python, "")
    await dead.wait()
    (tmp_path / "angarium.lock").write_text(str(dead.pid))
    lock.release()

    with pytest.raises(DirectoryInUse, match=f"what process {dead.pid} started and left behind"):
        await DirectoryLock.take(tmp_path, leftover_seconds=0.1)
    waiting = asyncio.create_task(DirectoryLock.take(tmp_path))
    assert child.stdin is not None
    child.stdin.write_eof()
    await child.wait()

    (await waiting).release()


def test_the_connection_file_is_whole_and_private(tmp_path: Path) -> None:
    connection = Connection("http://127.0.0.1:1", "nats://t@127.0.0.1:2", {"core": 3})

    write_connection(tmp_path, connection)

    assert read_connection(tmp_path) == connection
    assert [path.name for path in tmp_path.iterdir()] == ["connection.json"]
    assert (tmp_path / "connection.json").stat().st_mode & 0o777 == 0o600
    remove_connection(tmp_path)
    assert read_connection(tmp_path) is None


async def test_a_taken_port_is_named_with_its_remedy() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(PortTaken, match=rf"port {port} .*: set another http\.port"):
            claim_port("127.0.0.1", port)


def test_port_0_becomes_a_free_one() -> None:
    assert claim_port("127.0.0.1", 0) > 0


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(b"HTTP/1.1 200 OK\r\n", True), (b"HTTP/1.1 503 X\r\n", False), (b"", False)],
)
async def test_only_a_200_is_ready(answer: bytes, ready: bool) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await is_ready("127.0.0.1", port) is ready
        if ready:
            await wait_ready("127.0.0.1", port)
    assert asked[0] == b"GET /health/ready HTTP/1.1\r\n"


def test_a_child_gets_the_settings_by_its_environment(tmp_path: Path) -> None:
    given = {"ANGARIUM_DATA_DIR": str(tmp_path), "ANGARIUM_NATS_URL": "nats://x", "PATH": "/bin"}
    settings = load_settings(None, given)

    environ = child_environ(settings, Path("a.toml"), {"PATH": "/bin"})

    assert environ == {
        "PATH": "/bin",
        "ANGARIUM_CONFIG": str(Path("a.toml").absolute()),
        "ANGARIUM_DATA_DIR": str(tmp_path),
        "ANGARIUM_HTTP_PORT": "8080",
        "ANGARIUM_NATS_URL": "nats://x",
    }


def test_our_parts_are_ended_within_thirty_seconds_together() -> None:
    parts: Sequence[Part] = our_parts(load_settings(None, {}), {})

    assert [part.name for part in parts] == ["gateway", "core", "deliver"]
    assert sum(part.drain_seconds for part in parts) + 3 <= 30
