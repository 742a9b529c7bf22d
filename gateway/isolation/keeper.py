"""Keeps a plugin's process: starts it when it is needed, again when it died, and not too often."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from angarium.gateway.isolation.conduct import Conduct
from angarium.gateway.isolation.home import Home
from angarium.gateway.isolation.life import Life, NotStarted, SectionRefused
from angarium.gateway.isolation.wire import Done, Failed, Start

log: Any = structlog.get_logger()

CLOSE_SECONDS: Final = 5.0


class Resting(Exception):
    """There is no process now, and there will be none for `seconds`."""

    def __init__(self, reason: str, seconds: float) -> None:
        self.reason = reason
        self.seconds = seconds
        super().__init__(reason)


class Keeper:
    """One plugin's process, life after life."""

    def __init__(
        self,
        plugin: str,
        serves: str,
        home: Home,
        order: Callable[[], Start],
        secrets: Iterable[str],
    ) -> None:
        """`serves`: a provider's name, or what else. `order`: the first frame of each life."""
        self.plugin = plugin
        self.serves = serves
        self._who = {"plugin": plugin, "serves": serves}
        self.conduct = Conduct()
        self.opens = False
        """Whether each life begins with the provider's `open()`."""
        self.changed: Callable[[], None] | None = None
        """Called whenever `conduct` is another one."""
        self._home = home
        self._order = order
        self._secrets = list(secrets)
        self._life: Life | None = None
        self._starting: asyncio.Task[Life] | None = None
        self._retiring: dict[asyncio.Task[None], Life] = {}
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process that there is now."""
        return self._life.pid if self._life is not None else None

    @property
    def rest(self) -> float:
        """For how many seconds yet it is not started."""
        return self.conduct.rest(_now())

    @property
    def state(self) -> str:
        """`idle`: not started. `runs`. `rests`: it died, and waits. `aside`: put aside."""
        if self._life is not None:
            return "runs"
        now = _now()
        if self.conduct.is_aside(now):
            return "aside"
        return "rests" if self.conduct.rest(now) else "idle"

    async def life(self) -> Life:
        """The process at work, started if there is none.

        Raises Resting while there may be none, SectionRefused.
        """
        self._check_rest()
        if self._life is not None:
            return self._life
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._started)
        return await asyncio.shield(self._starting)

    def behaved(self) -> None:
        """It answered as a provider may."""
        self._set(self.conduct.behaved())

    def broke(self, reason: str, where: str = "") -> None:
        """It broke the contract; once too often, and its process ends with what it has begun."""
        log.warning("plugin_broke_the_contract", **self._who, reason=reason, where=where)
        was_aside = self.conduct.is_aside(_now())
        self._set(self.conduct.broke(_now(), reason, self._home.rules))
        if not was_aside and self.conduct.is_aside(_now()):
            self._tell_aside()
            self._retire()

    async def close(self) -> None:
        """Let it close what it has open, and end it; it is not started again."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        life, self._life = self._life, None
        for task, retiring in list(self._retiring.items()):
            task.cancel()
            await retiring.stop(0)
        if life is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await life.call("close")
        except TimeoutError:
            log.warning("plugin_did_not_close", **self._who, seconds=CLOSE_SECONDS)
        await life.stop(CLOSE_SECONDS)

    def _check_rest(self) -> None:
        now = _now()
        if self._closed:
            raise Resting("was closed", 0)
        if self.conduct.is_aside(now):
            rules = self._home.rules
            why = f"put aside after {rules.failures} failures ({self.conduct.last})"
            raise Resting(why, self.conduct.rest(now))
        if self._life is None and self.conduct.rest(now):
            raise Resting(f"its process {self.conduct.last}", self.conduct.rest(now))

    async def _start(self) -> Life:
        life = Life(self.serves, self._home, self._secrets, self._ended)
        try:
            await life.start(self._order())
            if self.opens:
                await self._open(life)
        except NotStarted as error:
            self._died(str(error), 0)
            raise Resting(f"its process {error}", self.conduct.rest(_now())) from None
        except BaseException:
            await life.stop(0)
            raise
        if life.reason:
            self._died(life.reason, 0)
            raise Resting(f"its process {life.reason}", self.conduct.rest(_now()))
        self._life = life
        log.info("plugin_runs", **self._who, pid=life.pid)
        self._tell()
        return life

    async def _open(self, life: Life) -> None:
        try:
            async with asyncio.timeout(self._home.start_seconds):
                said = (await life.call("open")).said
        except TimeoutError:
            await life.stop(0)
            raise NotStarted(f"did not open in {self._home.start_seconds:g} s") from None
        match said:
            case Done():
                return
            case Failed(kind="invalid"):
                await life.stop(CLOSE_SECONDS)
                raise SectionRefused([(f"channels.{self.serves}", said.reason)])
            case Failed():
                await life.stop(CLOSE_SECONDS)
                raise NotStarted(f"could not open: {said.reason} {said.where}".strip())
            case _:
                raise NotStarted(life.reason)

    def _started(self, starting: asyncio.Task[Life]) -> None:
        self._starting = None
        error = None if starting.cancelled() else starting.exception()
        if isinstance(error, SectionRefused):  # perhaps nobody waits for it any more
            settings = [setting for setting, _ in error.mistakes]
            log.error("plugin_refused_its_settings", **self._who, settings=settings)

    def _ended(self, life: Life) -> None:
        """A life ended; one that never served is told of by `start`."""
        if life is self._life:
            self._life = None
            self._died(life.reason, life.in_flight)

    def _died(self, reason: str, in_flight: int) -> None:
        self._set(self.conduct.died(_now(), reason, self._home.rules))
        rest = self.conduct.rest(_now())
        log.error(
            "plugin_died",
            **self._who,
            reason=reason,
            in_flight=in_flight,
            again_in_seconds=round(rest, 1),
        )
        if self.conduct.is_aside(_now()):
            self._tell_aside()

    def _retire(self) -> None:
        """Let the present life finish what it has begun; the next one begins with nothing."""
        life, self._life = self._life, None
        if life is not None:
            task = asyncio.create_task(_see_out(life))
            self._retiring[task] = life
            task.add_done_callback(self._retiring.pop)

    def _tell_aside(self) -> None:
        log.error(
            "plugin_put_aside",
            **self._who,
            failures=self.conduct.count,
            last=self.conduct.last,
            seconds=self._home.rules.aside_seconds,
        )

    def _set(self, conduct: Conduct) -> None:
        if conduct is not self.conduct:
            self.conduct = conduct
            self._tell()

    def _tell(self) -> None:
        if self.changed is not None:
            self.changed()


async def _see_out(life: Life) -> None:
    await life.idle()
    await life.stop(0)


def _now() -> float:
    """Seconds of the clock that nobody sets."""
    return asyncio.get_running_loop().time()
