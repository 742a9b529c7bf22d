"""One life of a plugin's process, from its start to its end; keeper.py gives it the next one."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Final, cast

import msgspec
import structlog

from angarium.gateway.isolation.home import COMMAND, MIB, Home
from angarium.gateway.isolation.output import Output
from angarium.gateway.isolation.serving import OUT_OF_MEMORY, QUIT
from angarium.gateway.isolation.wire import (
    MOST_SAID,
    Begun,
    Call,
    Cancel,
    Done,
    Failed,
    Frames,
    Heard,
    Noted,
    Order,
    Oversized,
    Ping,
    Pong,
    Ready,
    Said,
    Start,
    Verb,
    decode_said,
    frame,
)

log: Any = structlog.get_logger()

BEAT_SECONDS: Final = 1.0
LATE_SECONDS: Final = 0.1
"""Given once more before a loop is called blocked: it may have been ours that was late."""
DUMP_SECONDS: Final = 0.2
CANCEL_SECONDS: Final = 1.0
"""How long a cancelled call may take to say how it ended."""
LAST_WORDS_SECONDS: Final = 1.0


class Lost(msgspec.Struct, frozen=True):
    """The process ended before it answered; `reason` goes on after "its process"."""

    reason: str


class Answer(msgspec.Struct, frozen=True):
    """begun: the plugin's own code had been called."""

    said: Done | Failed | Lost
    begun: bool


class NotStarted(Exception):
    """The process could not be brought to serve; the text goes on after "its process"."""


class SectionRefused(Exception):
    """The plugin does not take its settings; `mistakes`: (setting, what is wrong)."""

    def __init__(self, mistakes: Iterable[tuple[str, str]]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("; ".join(f"{name}: {detail}" for name, detail in self.mistakes))


Hear = Callable[[bytes], Awaitable[None]]
"""Takes the msgpack of an update; raises if it cannot be kept."""


class _Asked(msgspec.Struct):
    answer: asyncio.Future[Done | Failed | Lost]
    hide: str = ""
    hear: Hear | None = None
    begun: bool = False


class Life(asyncio.SubprocessProtocol):
    """The process while it lives, and the calls that it has not answered yet."""

    def __init__(
        self, plugin: str, home: Home, secrets: Iterable[str], ended: Callable[["Life"], None]
    ) -> None:
        """`secrets`: texts that its output must not show. `ended` is called once, at its end."""
        loop = asyncio.get_running_loop()
        self.reason = ""
        """How it ended, after "its process"; "" while it lives."""
        self._loop = loop
        self._plugin = plugin
        self._home = home
        self._tell_end = ended
        self._output = Output(plugin, secrets, self._hidden)
        self._frames = Frames(MOST_SAID)
        self._asked: dict[int, _Asked] = {}
        self._answered = asyncio.Event()
        self._count = 0
        self._keeping: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[Ready] = loop.create_future()
        self._gone = asyncio.Event()
        self._ponged = 0
        self._pong = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._burying: asyncio.TimerHandle | None = None
        self._verdict = ""
        self._open_pipes = {1, 2}
        self._transport: asyncio.SubprocessTransport | None = None

    async def start(self, order: Start) -> None:
        """Start it, and wait until it serves. Raises NotStarted, SectionRefused."""
        try:
            await self._loop.subprocess_exec(
                lambda: self, *COMMAND, env=dict(self._home.environ), start_new_session=True
            )
        except OSError as error:
            raise NotStarted(f"could not be started: {error.strerror}") from error
        self._write(order)
        try:
            async with asyncio.timeout(self._home.start_seconds):
                ready = await self._ready
        except TimeoutError:
            await self.stop(0)
            raise NotStarted(f"did not load in {self._home.start_seconds:g} s") from None
        except asyncio.CancelledError:
            await self.stop(0)
            raise
        if ready.mistakes or ready.error:
            died = self.reason
            await self.stop(LAST_WORDS_SECONDS)
            if ready.mistakes:
                raise SectionRefused(ready.mistakes)
            raise NotStarted(died or f"cannot be used: {ready.error}")
        self._watching = asyncio.create_task(self._watch())

    @property
    def pid(self) -> int | None:
        """Its process id, once it was started."""
        return self._transport.get_pid() if self._transport is not None else None

    @property
    def in_flight(self) -> int:
        """How many calls it has not answered."""
        return len(self._asked)

    async def call(
        self,
        verb: Verb,
        body: bytes = b"",
        *,
        name: str = "",
        hide: str = "",
        hear: Hear | None = None,
    ) -> Answer:
        """Ask it to do something.

        `hide`: what its output must not show meanwhile. `hear` takes what a call that lasts tells
        on the way. Cancelled, it tells the plugin so; of a send it gives what is still answered
        within a second. One that has not even begun by then never will: its process is ended.
        """
        if self.reason:
            return Answer(Lost(self.reason), False)
        self._count += 1
        id = self._count
        asked = self._asked[id] = _Asked(self._loop.create_future(), hide, hear)
        try:
            self._write(Call(id, verb, body, name))
            return Answer(await asyncio.shield(asked.answer), asked.begun)
        except asyncio.CancelledError:
            self._write(Cancel(id))
            if verb == "send":
                await asyncio.wait({asked.answer}, timeout=CANCEL_SECONDS)
                if not (asked.answer.done() or asked.begun):
                    await self._end("did not begin a send in time")
            if not asked.answer.done():
                raise
            return Answer(asked.answer.result(), asked.begun)
        finally:
            self._asked.pop(id, None)
            self._answered.set()

    async def idle(self) -> None:
        """Wait until it has answered everything, but for what lasts."""
        while any(asked.hear is None for asked in self._asked.values()):
            self._answered.clear()
            await self._answered.wait()

    async def stop(self, seconds: float) -> None:
        """End it: in order if it does so within `seconds`, else at once."""
        self._verdict = self._verdict or "was stopped"
        if self._transport is None or self._gone.is_set():
            return
        stdin = self._pipe()
        if stdin is not None:
            stdin.close()
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._gone.wait()
        self._kill()
        await self._gone.wait()

    async def _end(self, verdict: str) -> None:
        """End it now; what is said of it afterwards is `verdict`."""
        self._verdict = self._verdict or verdict
        self._kill()
        await self._gone.wait()

    # What asyncio tells us of the process.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._output.take(data, self._loop.time())
            return
        try:
            for body in self._frames.cut(data):
                self._hear(decode_said(body))
        except (Oversized, msgspec.MsgspecError):
            self._verdict = self._verdict or "answered with what is no answer"
            self._kill()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open_pipes.discard(fd)
        self._maybe_bury()

    def process_exited(self) -> None:
        self._kill()  # whatever it has left behind in its group
        self._burying = self._loop.call_later(LAST_WORDS_SECONDS, self._bury)
        self._maybe_bury()

    def _maybe_bury(self) -> None:
        if self._burying is not None and not self._open_pipes:
            self._bury()

    def _bury(self) -> None:
        """It is dead, and everything that it said has been heard."""
        if self._gone.is_set() or self._transport is None or self._burying is None:
            return
        self._burying.cancel()
        self.reason = self._verdict or _cause(self._transport.get_returncode(), self._home)
        self._output.finish(self._loop.time())
        self._transport.close()
        if self._watching is not None:
            self._watching.cancel()
        self._gone.set()
        self._tell_end(self)
        if not self._ready.done():
            self._ready.set_result(Ready(error=self.reason))
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_result(Lost(self.reason))

    def _hear(self, said: Said) -> None:
        match said:
            case Begun(id):
                if id in self._asked:
                    self._asked[id].begun = True
            case Done() | Failed():
                asked = self._asked.get(said.id)
                if asked is not None and not asked.answer.done():
                    asked.answer.set_result(said)
            case Heard(id, number, body):
                task = self._loop.create_task(self._keep(id, number, body))
                self._keeping.add(task)
                task.add_done_callback(self._keeping.discard)
            case Pong(number):
                self._ponged = number
                self._pong.set()
            case Ready() if not self._ready.done():
                self._ready.set_result(said)
            case _:
                raise Oversized

    async def _keep(self, id: int, number: int, body: bytes) -> None:
        asked = self._asked.get(id)
        try:
            if asked is None or asked.hear is None:
                raise LookupError("nobody listens any more")
            await asked.hear(body)
        except Exception as error:
            kind = type(error).__name__
            log.warning("plugin_report_not_kept", plugin=self._plugin, error=kind)
            self._write(Noted(number, False))
        else:
            self._write(Noted(number, True))

    async def _watch(self) -> None:
        """Ask again and again whether its loop is free; end the process when it is not."""
        number = 0
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            number += 1
            self._write(Ping(number))
            if not await self._answers(number):
                break
        seconds = self._home.hang_seconds
        log.error("plugin_blocks_its_loop", plugin=self._plugin, seconds=seconds)
        self._signal(signal.SIGUSR1)  # it writes where it stands
        await asyncio.sleep(DUMP_SECONDS)
        await self._end(f"blocked its loop for {seconds:g} s")

    async def _answers(self, number: int) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._home.hang_seconds):
                while self._ponged < number:
                    self._pong.clear()
                    await self._pong.wait()
        if self._ponged < number:
            await asyncio.sleep(LATE_SECONDS)
        return self._ponged >= number

    def _hidden(self) -> list[str]:
        return [asked.hide for asked in self._asked.values()]

    def _pipe(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport is not None else None
        return cast("asyncio.WriteTransport | None", pipe)

    def _write(self, order: Order) -> None:
        pipe = self._pipe()
        if pipe is not None and not pipe.is_closing():
            pipe.write(frame(order))

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None and not self._gone.is_set():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def _kill(self) -> None:
        """The whole session: what the plugin itself has started goes too."""
        if self.pid is not None and not self._gone.is_set():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def _cause(status: int | None, home: Home) -> str:
    if status == QUIT:
        return "called exit()"
    if status == OUT_OF_MEMORY:
        return f"ran out of its {home.memory_bytes // MIB} MiB of memory"
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
