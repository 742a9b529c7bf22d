"""One process that is kept running until it is told to stop."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from angarium.gateway.supervisor.backoff import next_delay

log = structlog.get_logger()

ONCE = "ANGARIUM_CRASH_AT"  # a drill's order to die: a process started again lives on


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and how long it may take to finish what it began."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    drain_seconds: float
    tethered: bool = True  # its command takes `--tether FD`


class Child:
    """Runs a part, and runs it again whenever it dies.

    `changed()` is called at each new pid, `died(name, exit code)` at each death; a negative exit
    code is the signal that ended it. `inherit`: open files that the process gets.
    """

    def __init__(
        self,
        part: Part,
        changed: Callable[[], None],
        died: Callable[[str, int], None],
        inherit: Sequence[int] = (),
    ) -> None:
        self.part = part
        self._changed = changed
        self._died = died
        self._inherit = inherit
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """From now on it is kept running."""
        self._task = asyncio.create_task(self._keep(), name=self.part.name)

    def retire(self) -> None:
        """When it dies, let it be. A life that is about to begin ends at once."""
        self._stopping.set()

    async def stop(self, seconds: float | None = None) -> bool:
        """Ask it to finish, in its own time or in `seconds`. False if it had to be killed."""
        self.retire()
        if self._task is None:
            return True
        if self.pid is not None and self._process is not None:
            self._process.terminate()
        limit = self.part.drain_seconds if seconds is None else seconds
        _, late = await asyncio.wait({self._task}, timeout=limit)
        if late and self.pid is not None and self._process is not None:
            log.warning("child_killed", child=self.part.name, after_seconds=limit)
            self._process.kill()
        await self._task
        return not late

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        delay: float | None = None
        environ = dict(self.part.environ)
        while True:
            began = loop.time()
            code = await self._live(environ)
            if self._stopping.is_set():
                return
            delay = next_delay(delay, loop.time() - began)
            log.warning("child_died", child=self.part.name, exit=code, again_in_seconds=delay)
            self._died(self.part.name, code)
            if await self._stopped_within(delay):
                return
            environ.pop(ONCE, None)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _live(self, environ: Mapping[str, str]) -> int:
        """Run the process to its end."""
        if not self.part.tethered:
            return await self._run((), (), environ)
        end, rope = os.pipe()
        try:
            return await self._run(("--tether", str(end)), (end,), environ)
        finally:
            os.close(rope)

    async def _run(
        self, options: Sequence[str], files: Sequence[int], environ: Mapping[str, str]
    ) -> int:
        try:
            self._process = await self._spawn(options, files, environ)
        except OSError as error:  # no memory or no process to be had: as if it had died at once
            log.warning("child_not_started", child=self.part.name, error=error.strerror)
            return 0
        finally:
            for file in files:
                os.close(file)
        if self._stopping.is_set():  # it was asked to stop while there was nothing to ask yet
            self._process.terminate()
        log.info("child_started", child=self.part.name, pid=self._process.pid)
        self._changed()
        return await self._process.wait()

    async def _spawn(
        self, options: Sequence[str], files: Sequence[int], environ: Mapping[str, str]
    ) -> asyncio.subprocess.Process:
        """A session of its own: Ctrl-C is for the supervisor, which then stops all in order."""
        return await asyncio.create_subprocess_exec(
            *self.part.command,
            *options,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(*self._inherit, *files),
            start_new_session=True,
        )
