"""An SMPP service centre in Node (`smsc.cjs`), and how tests run it."""

import asyncio
import contextlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.parts import node

HERE = Path(__file__).parent

SYSTEM_ID = "esme"
PASSWORD = "secret"


class Smsc:
    """What it heard is in `events`; `smsc.cjs` says what it can be told."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._news = asyncio.Condition()
        self.port = 0
        self.events: list[dict[str, Any]] = []

    async def submits(self) -> list[dict[str, Any]]:
        """The parts of messages that it took."""
        await self.tell("nothing")
        return [one for one in self.events if one["event"] == "submit" and not one["status"]]

    async def text_to(self, address: str) -> str:
        """The message to an address, joined by its parts' own headers."""
        submits = await self.submits()
        parts = [one for one in submits if one["destination"] == address.removeprefix("+")]
        if len(parts) == 1:
            return str(parts[0]["message"])
        # Each: element 00, its length 03, the reference, how many parts, which one.
        assert {part["udh"][:4] for part in parts} == {"0003"}
        assert len({part["udh"][4:6] for part in parts}) == 1, "one reference"
        assert {int(part["udh"][6:8], 16) for part in parts} == {len(parts)}
        parts.sort(key=lambda part: int(part["udh"][8:10], 16))
        return "".join(part["message"] for part in parts)

    def count(self, event: str) -> int:
        return sum(1 for one in self.events if one["event"] == event)

    async def tell(self, do: str, **fields: Any) -> None:
        """Give a command, and wait until it is done."""
        done = self.count("done")
        self._in.write(json.dumps({"do": do, **fields}).encode() + b"\n")
        await self.heard("done", done + 1)

    async def reset(self) -> None:
        """Forget all that it was told, and all that it heard."""
        await self.tell("reset")
        self.events.clear()

    async def heard(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait until something has happened so often; give the last one."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: self.count(event) >= times)
        return [one for one in self.events if one["event"] == event][times - 1]

    async def read(self) -> None:
        while line := await self._out.readline():
            async with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()


@asynccontextmanager
async def smsc(tls: Path | None = None) -> AsyncGenerator[Smsc, None]:
    """Run one on a free port of this machine; `tls`: where make_certificate put its files."""
    node.install(HERE)
    login = json.dumps({"systemId": SYSTEM_ID, "password": PASSWORD, "tls": tls and str(tls)})
    command = node.command(HERE / "smsc.cjs", login)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, env=node.environ()
    )
    centre = Smsc(process)
    reading = asyncio.create_task(centre.read())
    try:
        centre.port = (await centre.heard("listening"))["port"]
        yield centre
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await reading
