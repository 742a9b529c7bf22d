"""The providers of one channel: which of them a round may use, and how many messages each takes."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from angarium.core.delivery.pace import Pace
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.routes import Board, Routes
from angarium.core.store import paces as rows
from angarium.core.store.protocol import Transaction
from angarium.core.workers.clock import Now
from angarium.core.workers.sender import Sender
from angarium.plugins import Message

NO_PACE = Pace()


class Round(msgspec.Struct, frozen=True):
    """One round of claiming.

    limit: how many messages could be given away, or held where nobody sends. slots: what was taken
    of providers whose rate is limited, by name.
    """

    board: Board
    limit: int
    paces: Mapping[str, Pace] = {}
    slots: Mapping[str, int] = {}


class Senders:
    """Each holds its own places: one that hangs keeps none of the others from sending."""

    def __init__(self, senders: Sequence[Sender], now: Now, absent: Sequence[str] = ()) -> None:
        """`absent`: names of the channel's providers that could not be opened."""
        self._routes = Routes((sender.route for sender in senders), absent)
        by_name = {sender.name: sender for sender in senders}
        self._senders = {route.name: by_name[route.name] for route in self._routes}
        self._limited = [name for name, one in self._senders.items() if one.route.per_second]
        self._now = now
        self._unused: dict[str, int] = {}
        self._ended = asyncio.Event()
        self._missing = 1
        """How many sends must end before it is worth looking again."""
        for sender in self._senders.values():
            sender.on_end = self._end

    def __bool__(self) -> bool:
        """Whether anybody sends on this channel."""
        return bool(self._senders)

    @property
    def ask_platform(self) -> bool:
        """Whether it depends on the type of a device who sends to it."""
        return self._routes.ask_platform

    @property
    def full(self) -> bool:
        """Whether none takes more until a send ends."""
        return self.sending and self.free == 0

    @property
    def sending(self) -> bool:
        """Whether anything is on its way."""
        return any(sender.sending for sender in self._senders.values())

    @property
    def free(self) -> int:
        """How many messages could be given away now, as far as this process knows."""
        return self._board({}).limit

    async def room(self, seconds: float) -> int:
        """`free`, after waiting up to `seconds` for half the places while sends are under way."""
        now = self._now()
        half = max((sender.half(now) for sender in self._senders.values()), default=1)
        return await self._wait_for(half, seconds)

    async def one_place(self, seconds: float) -> None:
        """Wait up to `seconds` for a place while sends are under way."""
        await self._wait_for(1, seconds)

    async def change(self, board: Board, seconds: float) -> None:
        """Wait until a send ends or somebody may take more again; up to `seconds`."""
        until = max(0.001, (board.ready_at - self._now()) / 1000)
        self._missing = 1
        self._ended.clear()
        try:
            async with asyncio.timeout(min(until, seconds)):
                await self._ended.wait()
        except TimeoutError:
            pass

    async def open(self, tx: Transaction, most: int) -> Round:
        """How all of them stand now, other processes counted in; for `most` messages."""
        if not self._senders:
            return Round(self._board({}), most)
        read = rows.lock_paces if self._limited else rows.find_paces
        found = {**await read(tx, self._senders)}
        for name in self._limited:
            found[name] = self._spend(name, found, -self._unused.get(name, 0))
        board = self._board(found)
        return Round(board, min(board.limit, most), found)

    async def spend(self, tx: Transaction, round_: Round, count: int) -> Round:
        """Take the slots of up to `count` messages, whichever provider they will go to.

        In the transaction of `open`; `begin` follows on its commit.
        """
        if not self._limited or not (count or any(self._unused.values())):
            return round_
        slots = {name: min(count, round_.board.places(name)) for name in self._limited}
        taken = {name: self._spend(name, round_.paces, slots[name]) for name in self._limited}
        await rows.spend_paces(tx, taken)
        return Round(round_.board, round_.limit, round_.paces, slots)

    def begin(self, round_: Round) -> None:
        """The slots of a round are this process's; those left over are given back in the next."""
        self._unused = dict(round_.slots)

    def send(self, delivery: Delivery, message: Message, others: Sequence[str]) -> None:
        """Start sending what is committed as handed; `others` may take it if its own does not."""
        name = delivery.provider
        if name in self._unused:
            self._unused[name] -= 1
        self._senders[name].send(delivery, message, partial(self._ready_at, others))

    async def drain(self, seconds: float) -> None:
        """Let what is on its way end; after that long, cut it off: it is in doubt."""
        await asyncio.gather(*(sender.drain(seconds) for sender in self._senders.values()))

    def _ready_at(self, names: Sequence[str]) -> Mapping[str, int]:
        return {name: self._senders[name].ready_at for name in names}

    async def _wait_for(self, wanted: int, seconds: float) -> int:
        free = self.free
        try:
            async with asyncio.timeout(seconds):
                while self.sending and free < wanted:
                    self._missing = wanted - free
                    self._ended.clear()
                    await self._ended.wait()
                    free = self.free
        except TimeoutError:
            free = self.free
        return free

    def _end(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._ended.set()

    def _spend(self, name: str, paces: Mapping[str, Pace], count: int) -> Pace:
        per_second = self._senders[name].route.per_second
        return paces.get(name, NO_PACE).spend(count, per_second, self._now())

    def _board(self, paces: Mapping[str, Pace]) -> Board:
        now = self._now()
        for sender in self._senders.values():
            sender.tidy(now)
        standings = {
            name: sender.standing(now, paces.get(name)) for name, sender in self._senders.items()
        }
        return Board(self._routes, standings, now)
