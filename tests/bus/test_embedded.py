import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import (
    EmbeddedServer,
    ServerFailed,
    ServerMissing,
    StoreInUse,
    find_binary,
)

OWNER = """
import asyncio, sys
from pathlib import Path
from angarium.core.bus.embedded import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def fake_binary(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


async def test_the_server_starts_and_stops(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)

    url = await server.start()

    bus = await Bus.connect(url, name="test")
    await bus.close()
    pid = server.pid
    assert pid is not None
    await server.stop()
    assert server.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_port_and_token_stay_over_a_restart(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    first = await server.start()
    await server.stop()

    assert await server.start() == first

    await server.stop()


def test_the_token_stays_and_is_nobody_else_s(tmp_path: Path) -> None:
    one, same, other = (EmbeddedServer(tmp_path / n, port=4222) for n in ("a", "a", "b"))
    for server in (one, same, other):
        server.prepare()

    assert one.url == same.url != other.url


def test_token_and_settings_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        EmbeddedServer(tmp_path).prepare()
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "nats").iterdir()}
    assert modes == {"token": 0o600, "server.conf": 0o600}
    assert stat.S_IMODE((tmp_path / "nats").stat().st_mode) == 0o700


def test_the_settings_are_safe_ones(tmp_path: Path) -> None:
    EmbeddedServer(tmp_path, port=4321, max_payload=1234567).prepare()

    settings = (tmp_path / "nats" / "server.conf").read_text()
    for line in ("host: 127.0.0.1", "port: 4321", "max_payload: 1234567", "sync_interval: always"):
        assert line in settings
    assert "http" not in settings


async def test_a_data_folder_with_odd_characters_works(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / 'a "b" {c} $d # \\e ü')

    await server.start()

    await server.stop()


def test_the_url_is_known_only_after_prepare(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="prepare"):
        EmbeddedServer(tmp_path).command()


async def test_a_supervisor_can_run_the_command(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.prepare()
    child = await asyncio.create_subprocess_exec(*server.command())

    await server.wait_ready()

    bus = await Bus.connect(server.url, name="test")
    await bus.close()
    child.terminate()
    assert await child.wait() in (0, 1)


async def test_two_servers_never_share_a_store(tmp_path: Path) -> None:
    first, second = EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)
    await first.start()

    with pytest.raises(StoreInUse, match=r"data\.dir"):
        await second.start()

    await first.stop()
    await second.start()
    await second.stop()


async def test_the_server_ends_with_whoever_started_it_and_frees_the_store(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    owner = await asyncio.create_subprocess_exec(
        sys.executable, script, tmp_path / "data", stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    os.kill(pid, 0)

    owner.send_signal(signal.SIGKILL)
    await owner.wait()

    server = EmbeddedServer(tmp_path / "data")
    while True:
        try:
            await server.start()
            break
        except StoreInUse:
            await asyncio.sleep(0.05)
    await server.stop()


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    first = EmbeddedServer(tmp_path / "a")
    url = await first.start()
    port = int(url.rpartition(":")[2])

    with pytest.raises(ServerFailed, match=r"server\.log"):
        await EmbeddedServer(tmp_path / "b", port=port).start()

    await first.stop()


async def test_a_server_that_does_not_stop_kindly_is_killed(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    await server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)

    await server.stop(grace=0.1)

    assert server.pid is None


def test_the_binary_that_came_with_us_is_found() -> None:
    assert find_binary().name == "nats-server"


def test_a_named_binary_is_taken(tmp_path: Path) -> None:
    binary = fake_binary(tmp_path / "server", "nats-server: v3.0.0")

    assert find_binary(binary) == binary


@pytest.mark.parametrize("says", ["nats-server: v2.9.10", "nats-server: v2.13.9", "hello", ""])
def test_an_old_or_odd_binary_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(ServerMissing, match=r"2\.14"):
        find_binary(fake_binary(tmp_path / "server", says))


def test_a_missing_binary_is_told_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ServerMissing, match=r"nats\.binary"):
        find_binary(tmp_path / "none")


def test_no_binary_anywhere_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))

    with pytest.raises(ServerMissing, match=r"angarium\[embedded\]"):
        find_binary()
