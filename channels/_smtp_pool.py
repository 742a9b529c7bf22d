"""Keep a few SMTP connections open and lend each to one message at a time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from angarium.channels._smtp_session import Session, unsent
from angarium.plugins import TemporaryFailure


class Idle(msgspec.Struct, frozen=True):
    """A session that nobody uses, and the timer that will end it."""

    session: Session
    timer: asyncio.TimerHandle


class Pool:
    """At most `size` connections, made when needed; the one used last is used first."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Session]],
        *,
        size: int,
        messages_per_connection: int,
        idle_seconds: float,
    ) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(size)
        self._messages_per_connection = messages_per_connection
        self._idle_seconds = idle_seconds
        self._idle: list[Idle] = []
        self._partings: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session, None]:
        """Lend a session. Afterwards it is kept unless it broke or has done its share."""
        session = await self._acquire()
        try:
            yield session
        finally:
            self._give_back(session)
            self._slots.release()

    async def close(self) -> None:
        """End what is idle; sessions in use end when they come back."""
        self._closed = True
        while self._idle:
            idle = self._idle.pop()
            idle.timer.cancel()
            self._part(idle.session)
        if self._partings:
            await asyncio.wait(self._partings)

    async def _acquire(self) -> Session:
        with unsent():
            await self._slots.acquire()
            try:
                return self._take() or await self._connect()
            except BaseException:
                self._slots.release()
                raise

    def _take(self) -> Session | None:
        if self._closed:
            raise TemporaryFailure("email_smtp: is closed")
        while self._idle:
            idle = self._idle.pop()
            idle.timer.cancel()
            if idle.session.usable:
                return idle.session
            idle.session.abort()
        return None

    def _give_back(self, session: Session) -> None:
        spent = session.message_count >= self._messages_per_connection
        if self._closed or spent or not session.usable:
            self._part(session)
            return
        timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._expire, session)
        self._idle.append(Idle(session, timer))

    def _expire(self, session: Session) -> None:
        self._idle = [idle for idle in self._idle if idle.session is not session]
        self._part(session)

    def _part(self, session: Session) -> None:
        """Say goodbye in the background: no message waits for that."""
        if not session.usable:
            session.abort()
            return
        task = asyncio.get_running_loop().create_task(session.quit())
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)
