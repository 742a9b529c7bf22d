"""A stranger's provider as the rest of the gateway sees it: its calls cross to its own process."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, cast

import msgspec

from angarium.gateway.isolation.home import Home
from angarium.gateway.isolation.keeper import Keeper, Resting
from angarium.gateway.isolation.life import Answer, Lost, SectionRefused
from angarium.gateway.isolation.probe import mistakes_in
from angarium.gateway.isolation.serving import pack
from angarium.gateway.isolation.wire import Done, Failed, Offer, Point, Start, Task, encode
from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.failures import InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins.message import Accepted, Message
from angarium.plugins.provider import Provider, Report
from angarium.plugins.settings import SettingsInvalid

CALLBACK_SECONDS = 10.0
OPEN_SECONDS = 5.0
"""How long others wait for one to open; it goes on by itself."""
_update = msgspec.msgpack.Decoder(StatusUpdate).decode
_updates = msgspec.msgpack.Decoder(list[StatusUpdate]).decode


class Source(msgspec.Struct, frozen=True):
    """Where a provider comes from.

    channels: gives the entry points of plugins that bring channels: it may deliver on one.
    """

    point: Point
    offer: Offer
    home: Home
    channels: Callable[[], Sequence[Point]]

    def start(self, task: Task, where: str, section: Mapping[str, Any], parent: int) -> Start:
        """The first frame to its process; the section stands under `where`."""
        return Start(
            task,
            self.point,
            parent,
            self.home.memory_bytes,
            self.home.files,
            self.home.hang_seconds,
            self.offer.name,
            where,
            section,
            tuple(self.channels()),
        )


class NoSettings(msgspec.Struct, frozen=True):
    """What may be set only the plugin's own process knows."""


class IsolatedProvider(Provider):
    """Subclassed for each provider, by `isolate`."""

    name: ClassVar[str]
    channel: ClassVar[str]
    Settings: ClassVar[type] = NoSettings
    source: ClassVar[Source]

    def __init__(self, settings: Mapping[str, Any], where: str = "") -> None:
        """`settings`: the section as it is written; only its own process reads it."""
        source = self.source
        secrets = [str(settings[name]) for name in source.offer.secrets if name in settings]
        parent = os.getpid()
        self.keeper = Keeper(
            source.point[0],
            self.name,
            source.home,
            lambda: source.start("serve", where, settings, parent),
            secrets,
        )

    @classmethod
    def from_section(cls, section: Mapping[str, object], where: str) -> Self:
        """Build it, after a process of its own has read the section. Raises SettingsInvalid."""
        start = cls.source.start("check", where, section, os.getpid())
        mistakes = mistakes_in(start, cls.source.home)
        if mistakes:
            raise SettingsInvalid(mistakes)
        return cls(section, where)

    async def open(self) -> None:
        """Start its process. One that dies is started again later; raises ValueError for good."""
        self.keeper.opens = True
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self.keeper.life()
        except (Resting, TimeoutError):
            return
        except SectionRefused as refused:
            raise ValueError(str(refused)) from None

    async def send(self, message: Message) -> Accepted:
        """As every provider's. What its process had not begun when it died may be sent again."""
        try:
            body = pack(message)
        except (TypeError, ValueError):
            why = f"{self.name}: this content cannot be handed to another process"
            raise PermanentFailure(why) from None
        try:
            life = await self.keeper.life()
        except Resting as resting:
            raise self._later(resting.reason, resting.seconds) from None
        except SectionRefused:
            raise self._later("does not take its settings any more", None) from None
        except asyncio.CancelledError:
            raise self._later("its process was not there in time", None) from None
        try:
            answer = await life.call("send", body, hide=message.address)
        except asyncio.CancelledError:
            self.keeper.broke("does not let itself be cancelled")
            raise
        return self._outcome(answer)

    async def read_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        """`parse_callback`, there. Raises PermissionError, ValueError, and Resting."""
        life = await self.keeper.life()
        try:
            async with asyncio.timeout(CALLBACK_SECONDS):
                said = (await life.call("callback", encode(request))).said
        except TimeoutError:
            self.keeper.broke("did not read a callback in time")
            raise Resting("did not read a callback in time", 0) from None
        match said:
            case Done(_, body):
                self.keeper.behaved()
                return _updates(body)
            case Failed(kind="forged"):
                raise PermissionError(said.reason)
            case Failed(kind="invalid"):
                raise ValueError(said.reason)
            case Failed():
                self.keeper.broke(f"raised {said.reason}", said.where)
                raise Resting(f"parse_callback raised {said.reason}", 0)
            case Lost(reason):
                raise Resting(f"its process {reason}", 0)

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        """Not here: it takes a process, so it must be awaited."""
        raise NotImplementedError("await read_callback() instead")

    async def close(self) -> None:
        """End its process."""
        await self.keeper.close()

    def _outcome(self, answer: Answer) -> Accepted:
        match answer.said:
            case Done(_, body):
                self.keeper.behaved()
                return Accepted(body.decode())
            case Failed() as failed:
                raise self._failure(failed, answer.begun)
            case Lost(reason):
                if answer.begun:
                    raise InDoubt(f"{self.name}: its process {reason}")
                raise self._later(f"its process {reason}", None)

    def _failure(self, failed: Failed, begun: bool) -> BaseException:
        """What a failure that its process told is here; never "not sent" without its word."""
        match failed.kind:
            case "temporary":
                self.keeper.behaved()
                return TemporaryFailure(failed.reason, failed.retry_after, pause=failed.pause)
            case "permanent":
                self.keeper.behaved()
                dead, since = failed.address_dead, failed.dead_since
                return PermanentFailure(failed.reason, dead, dead_since=since)
            case "in_doubt":
                self.keeper.behaved()
                return InDoubt(failed.reason)
            case "cancelled" if begun:
                self.keeper.broke("gave no answer in time")
                return asyncio.CancelledError()
            case "cancelled":
                return self._later("its process did not begin it in time", None)
            case "wrong":
                reason = failed.reason
            case _:
                reason = f"raised {failed.reason}"
        self.keeper.broke(reason, failed.where)
        return InDoubt(f"{self.name}: {reason}") if begun else self._later(reason, None)

    def _later(self, reason: str, seconds: float | None) -> TemporaryFailure:
        """Surely not sent. None: as soon as its process may be started again."""
        wait = self.keeper.rest if seconds is None else seconds
        return TemporaryFailure(f"{self.name}: {reason}", wait or None, pause=True)


class IsolatedListening(IsolatedProvider):
    """A proxy of one that the vendor's news reach over a connection of its own."""

    async def listen(self, report: Report) -> None:
        """As every provider's that listens. Raises TemporaryFailure."""

        async def hear(body: bytes) -> None:
            await report(_update(body))

        try:
            life = await self.keeper.life()
        except Resting as resting:
            raise self._later(resting.reason, resting.seconds) from None
        except SectionRefused:
            raise self._later("does not take its settings any more", None) from None
        match (await life.call("listen", hear=hear)).said:
            case Done():
                return
            case Lost(reason):
                raise self._later(f"its process {reason}", None)
            case Failed(kind="temporary") as failed:
                raise TemporaryFailure(failed.reason, failed.retry_after, pause=failed.pause)
            case failed:
                self.keeper.broke(f"listen raised {failed.reason}", failed.where)
                raise self._later(f"listen raised {failed.reason}", None)


def isolate(source: Source) -> type[Provider]:
    """The class of a proxy for a provider that another process has described."""
    offer = source.offer
    base = IsolatedListening if offer.listens else IsolatedProvider
    names = {
        "name": offer.name,
        "channel": offer.channel,
        "platforms": offer.platforms,
        "source": source,
    }
    return cast("type[Provider]", type(f"Isolated_{offer.name}", (base,), names))
