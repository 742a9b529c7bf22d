"""One SMPP session to a service centre, made when it is needed, and made anew after a loss.

What smpp34 leaves to us: a refused bind and an unanswered submit raise nothing by themselves; a
lost session is not made again; and events that nobody takes fill its queue until it answers nothing
at all, so they are taken at once, whoever listens.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import smpp34

from angarium.channels._smpp_tunnel import AWAY_SECONDS, Way
from angarium.plugins import InDoubt, TemporaryFailure

REFUSED_SECONDS: Final = 60.0
PARTING_SECONDS: Final = 2.0
KEPT_EVENTS: Final = 10_000
"""How many events wait for somebody who listens; older ones are forgotten."""
EVENTS_AT_ONCE: Final = 100


class Session:
    """A bound session. `lost` is set when nothing more will be heard."""

    def __init__(
        self,
        client: smpp34.Client,
        smsc: smpp34.Smsc,
        way: Way,
        keep: Callable[[smpp34.DeliverSmEvent | None], None],
    ) -> None:
        """`keep` is given each event, and None at the end."""
        self._client = client
        self._way = way
        self._smsc = smsc
        self._keep = keep
        self._reader = asyncio.get_running_loop().create_task(self._read())
        self.lost = False

    async def submit(self, seconds: float, pdu: dict[str, Any]) -> smpp34.SubmitSmResp:
        """Hand one message over. Raises InDoubt."""
        try:
            async with asyncio.timeout(seconds):
                return await self._smsc.submit_sm(**pdu)
        except TimeoutError:
            raise InDoubt("sms_smpp: sent, and no answer came in time") from None
        except smpp34.SmppError:
            self.lost = True  # the reader hears of it later: nobody else is to try
            raise InDoubt("sms_smpp: sent, and the connection was lost") from None

    async def end(self) -> None:
        """Unbind where somebody still answers, and hang up in any case."""
        try:
            async with asyncio.timeout(PARTING_SECONDS):
                if not self.lost:
                    await self._smsc.unbind()
        except (TimeoutError, smpp34.SmppError):
            pass  # it is ended: that is all we wanted
        finally:
            await _stop(self._client, self._way)
            self._reader.cancel()
            await asyncio.wait([self._reader])

    async def _read(self) -> None:
        try:
            while isinstance(event := await self._smsc.next(), smpp34.DeliverSmEvent):
                self._keep(event)
        finally:
            self.lost = True
            self._keep(None)


class Link:
    """Keeps at most one session, with at most `window` messages unanswered."""

    def __init__(
        self,
        create_way: Callable[[], Way],
        create_client: Callable[[str, int], smpp34.Client],
        *,
        window: int,
        bind_seconds: float,
        submit_seconds: float,
    ) -> None:
        self._create_way = create_way
        self._create_client = create_client
        self._slots = asyncio.Semaphore(window)
        self._bind_seconds = bind_seconds
        self._submit_seconds = submit_seconds
        self._binding: asyncio.Task[Session] | None = None
        self._session: Session | None = None
        self._partings: set[asyncio.Task[None]] = set()
        self._events: deque[smpp34.DeliverSmEvent] = deque(maxlen=KEPT_EVENTS)
        self._news = asyncio.Event()
        self._closed = False

    async def submit(self, **pdu: Any) -> smpp34.SubmitSmResp:
        """Hand one message over and give the answer. Raises TemporaryFailure, InDoubt."""
        async with self._slot() as session:
            return await session.submit(self._submit_seconds, pdu)

    async def hear(self) -> list[smpp34.DeliverSmEvent]:
        """The next events, up to `EVENTS_AT_ONCE`; none when the session has ended and all is told.

        Raises TemporaryFailure where there is no session and none can be made.
        """
        if not self._events:
            session = await self._bound()
            while not self._events and not session.lost:
                self._news.clear()
                await self._news.wait()
        return [self._events.popleft() for _ in range(min(len(self._events), EVENTS_AT_ONCE))]

    async def close(self) -> None:
        self._closed = True
        if self._binding is not None:
            self._binding.cancel()
            await asyncio.wait([self._binding])
        self._part()
        while self._partings:
            await asyncio.wait(self._partings)

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[Session, None]:
        """A session, and a place in the window. Raises TemporaryFailure, when cut off too."""
        with _unsent():
            await self._bound()  # before queueing for a place: who waits for a bind waits once
            await self._slots.acquire()
        try:
            with _unsent():
                session = await self._bound()
            yield session
        finally:
            self._slots.release()

    async def _bound(self) -> Session:
        """The session; where there is none, all wait for one attempt to bind, and share its end."""
        if self._closed:
            raise TemporaryFailure("sms_smpp: is closed")
        if self._session is not None and not self._session.lost:
            return self._session
        if self._binding is None:
            self._part()
            self._binding = asyncio.get_running_loop().create_task(self._bind())
            self._binding.add_done_callback(self._end_binding)
        return await asyncio.shield(self._binding)

    async def _bind(self) -> Session:
        way = self._create_way()
        client: smpp34.Client | None = None
        try:
            async with asyncio.timeout(self._bind_seconds):
                client = self._create_client(*await way.open())
                smsc = await client.connect()
        except BaseException as error:
            self._start(_stop(client, way))
            raise _bind_failure(error, reached=client is not None) from None
        self._session = Session(client, smsc, way, self._keep)
        return self._session

    def _end_binding(self, task: asyncio.Task[Session]) -> None:
        self._binding = None
        if not task.cancelled():
            task.exception()  # whoever waited for it has it; perhaps nobody does any more

    def _keep(self, event: smpp34.DeliverSmEvent | None) -> None:
        if event is not None:
            self._events.append(event)
        self._news.set()

    def _part(self) -> None:
        """Say goodbye in the background: no message waits for that."""
        if self._session is not None:
            self._start(self._session.end())
            self._session = None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)


@contextmanager
def _unsent() -> Generator[None, None, None]:
    """Who is cut off in here knows that nothing was sent: that is no doubt, but a failure."""
    try:
        yield
    except asyncio.CancelledError:
        raise TemporaryFailure("sms_smpp: cut off before anything was sent") from None


async def _stop(client: smpp34.Client | None, way: Way) -> None:
    if client is not None:
        await client.stop()
    await way.close()


def _bind_failure(error: BaseException, *, reached: bool) -> BaseException:
    if isinstance(error, TimeoutError) and reached:
        reason = "sms_smpp: no bind in time; check system_id, password and bind"
        return TemporaryFailure(reason, REFUSED_SECONDS, pause=True)
    if isinstance(error, smpp34.SmppError | TimeoutError):
        return TemporaryFailure("sms_smpp: unable to connect", AWAY_SECONDS, pause=True)
    return error
