"""A plugin that does, by the text of a message, every wrong thing that a plugin can do."""

# ruff: noqa: ASYNC220, ASYNC230, ASYNC251 — to block the loop is what it is there for

import asyncio
import contextlib
import ctypes
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from angarium.plugins import (
    Accepted,
    CallbackRequest,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    StatusUpdate,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.reports import Report
from angarium.plugins.settings import Secret


class RogueSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Secret = Secret("")
    log: str = ""
    """A file that keeps what was sent, as a vendor's own log would."""
    opening: str = ""
    """What open() does: a word of `Rogue.acts`."""

    def __post_init__(self) -> None:
        if self.token.reveal() == "short":
            raise ValueError("token: has at least 20 letters")


class OddOne(BaseException):
    """None that a handler of exceptions sees."""


class Rogue(Provider):
    name: ClassVar[str] = "sms_rogue"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = RogueSettings

    def __init__(self, settings: RogueSettings) -> None:
        self.settings = settings
        self.leaked: list[bytes] = []
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True
        if self.settings.opening:
            await self.act(self.settings.opening)

    async def send(self, message: Message) -> Any:
        word, _, rest = message.content.text.partition(" ")
        return await self.act(word, message, rest)

    async def act(self, word: str, message: Message | None = None, rest: str = "") -> Any:
        act = getattr(self, f"_{word}", None)
        if act is not None:
            return await act(message, rest)
        return self._accept(message)

    def _accept(self, message: Message | None) -> Accepted | None:
        if message is None:
            return None
        if self.settings.log:
            with Path(self.settings.log).open("a") as log:
                log.write(message.key + "\n")
        return Accepted(provider_id=f"{self.is_open}-{message.key}")

    async def _raise(self, *_: object) -> None:
        raise KeyError("a person's secret")

    async def _none(self, *_: object) -> None:
        return None

    async def _odd(self, *_: object) -> None:
        raise OddOne

    async def _refuse(self, *_: object) -> None:
        raise ValueError("token: hunter2hunter2 is not known there")

    async def _cancelled(self, *_: object) -> None:
        raise asyncio.CancelledError

    async def _nonsense(self, *_: object) -> None:
        failure = TemporaryFailure("sms_rogue: busy")
        failure.retry_after = "soon"  # type: ignore[assignment]  # as a plugin may
        raise failure

    async def _overflow(self, *_: object) -> None:
        failure = PermanentFailure("sms_rogue: gone", address_dead=True)
        failure.dead_since = 1 << 80
        raise failure

    async def _huge(self, *_: object) -> Accepted:
        return Accepted(provider_id="x" * 5_000_000)

    async def _hang(self, *_: object) -> None:
        await asyncio.Event().wait()

    async def _cling(self, *_: object) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def _block(self, _: object, seconds: str) -> None:
        time.sleep(float(seconds or 1000))

    async def _spin(self, *_: object) -> None:
        while True:
            pass

    async def _seize(self, *_: object) -> None:
        """Holds the interpreter's lock as well: no other thread of the process ever runs."""
        sum(itertools.repeat(0))

    async def _exit(self, *_: object) -> None:
        os._exit(3)

    async def _quit(self, *_: object) -> None:
        sys.exit("I do not like it here")

    async def _crash(self, *_: object) -> None:
        ctypes.string_at(0)

    async def _fork(self, message: Message | None, _: object) -> Any:
        if os.fork() == 0:
            time.sleep(1000)
        return self._accept(message)

    async def _start(self, message: Message | None, _: object) -> Any:
        subprocess.Popen(["sleep", "1000"])
        return self._accept(message)

    async def _close(self, message: Message | None, file: str) -> Any:
        os.close(int(file))
        return self._accept(message)

    async def _leak(self, message: Message | None, _: object) -> Any:
        """A gigabyte."""
        for _ in range(1_000):
            self.leaked.append(b"x" * 1_000_000)
            await asyncio.sleep(0)
        return self._accept(message)

    async def _slow(self, message: Message | None, seconds: str) -> Any:
        await asyncio.sleep(float(seconds or 1))
        return self._accept(message)

    async def _print(self, message: Message | None, rest: str) -> Any:
        print(rest, self.settings.token.reveal(), message.address if message else "")
        return self._accept(message)

    async def _flood(self, message: Message | None, _: object) -> Any:
        for number in range(1000):
            print("line", number, file=sys.stderr)
        return self._accept(message)

    async def _answer(self, _: object, text: str) -> None:
        os.write(4, b"\0\0\0\1" + text.encode())

    async def _later(self, *_: object) -> None:
        raise TemporaryFailure("sms_rogue: busy", 7, pause=True)

    async def _never(self, *_: object) -> None:
        raise PermanentFailure("sms_rogue: gone", address_dead=True)

    async def _perhaps(self, *_: object) -> None:
        raise InDoubt("sms_rogue: no answer")

    async def _environ(self, *_: object) -> Accepted:
        return Accepted(provider_id=" ".join(sorted(os.environ)))

    async def _pid(self, *_: object) -> Accepted:
        return Accepted(provider_id=str(os.getpid()))

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        if request.body == b"block":
            time.sleep(1000)
        if request.body == b"raise":
            raise KeyError("a person's secret")
        if request.headers.get("x-signature") != "good":
            raise PermissionError("not signed")
        return [StatusUpdate(status="delivered", provider_id=request.body.decode(), at=5)]

    async def close(self) -> None:
        self.is_open = False


class Live(Rogue):
    """One that also hears of its messages over a connection of its own."""

    name: ClassVar[str] = "sms_live"
    platforms = ("android",)

    async def listen(self, report: Any) -> None:
        for number in range(3):
            await report(StatusUpdate(status="delivered", provider_id=str(number), at=5))
        if self.settings.opening:
            await self.act(self.settings.opening)


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [Rogue, Live]


async def keep(report: Report) -> None:
    """Keeps what it hears; does what the delivery's id says."""
    if report.delivery == "raise":
        raise KeyError("a person's secret")
    if report.delivery == "exit":
        os._exit(3)
    if report.delivery == "block":
        time.sleep(1000)
    with Path(os.environ["ROGUE_LOG"]).open("a") as log:
        log.write(f"{report.delivery} {report.status}\n")


@hookimpl
def register_report_listeners() -> Mapping[str, Any]:
    return {"rogue_keep": keep}
