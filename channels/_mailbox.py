"""A folder of mail that came back, read to its end: report, then mark, and never the other way.

A death between the two reads the mail again; the same news has no second effect. What is no news
of ours is left where it is, with a flag: nobody's mail is lost, and none is read for ever.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Literal, Protocol

import msgspec

from angarium.channels._returned_mail import Returned
from angarium.plugins import TemporaryFailure
from angarium.plugins.provider import Report

MOST_BYTES: Final = 256 * 1024
"""Of a mail; a report stands before the message that it returns, so its beginning is enough."""
MOST_MAILS: Final = 400
"""In one visit."""
AT_ONCE: Final = 20
"""Read together, and then marked together: what a death repeats."""
MOST_BREAKS: Final = 3
"""After so many connections were lost over one mail, it is passed over."""

Verdict = Literal["done", "left"]
Read = Callable[[bytes], Returned]


class Standing(msgspec.Struct, frozen=True):
    """How many mails a folder holds; how many were not looked at yet, and how many were left."""

    mails: int
    waiting: int
    left: int


class Folder(Protocol):
    """Mails by ids that name the same mail in the next visit too, or none.

    All raise TemporaryFailure when the server, or the disk, does not do it.
    """

    async def find(self, most: int) -> Sequence[str]:
        """Up to so many of those that are neither done nor left, oldest first."""
        ...

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The first MOST_BYTES of each; a mail that cannot be read, or is gone, is not there."""
        ...

    async def mark(self, ids: Collection[str], verdict: Verdict) -> None:
        """`done`: seen, moved or deleted, as the settings say. `left`: flagged."""
        ...

    async def count(self) -> Standing: ...


class Box(Protocol):
    """Where the folder is."""

    def open(self, *, to_look: bool = False) -> AbstractAsyncContextManager[Folder]:
        """Raises TemporaryFailure. `to_look`: nothing is to be changed."""
        ...


class Mailbox:
    """Visits one folder again and again; what a visit could not mark, the next one marks."""

    def __init__(self, box: Box, read: Read) -> None:
        """`read` may raise ValueError: it is no mail."""
        self._box = box
        self._read = read
        self._unmarked: dict[str, Verdict] = {}
        self._breaks: Counter[str] = Counter()
        self.more = False
        """Whether the last visit left some for the next."""

    async def visit(self, report: Report) -> Mapping[str, int]:
        """Read and mark what is new; how many were of which kind. Raises TemporaryFailure.

        `missing`: the folder did not give them; another process may have taken them meanwhile.
        """
        counts: Counter[str] = Counter()
        async with self._box.open() as folder:
            found = await folder.find(MOST_MAILS + len(self._unmarked))
            self._forget(found)
            new = [id for id in found if id not in self._unmarked]
            self.more = len(new) >= MOST_MAILS
            earlier = dict(self._unmarked)
            async for letters in self._letters(folder, new):
                counts += await self._take(letters, report)
                await self._mark(folder, letters)
            await self._mark(folder, earlier)
        return counts

    async def look(self) -> Standing:
        """Change nothing. Raises TemporaryFailure."""
        async with self._box.open(to_look=True) as folder:
            return await folder.count()

    def _forget(self, found: Sequence[str]) -> None:
        """Those that are marked by now, by whomever, or gone."""
        there = set(found)
        self._unmarked = {id: v for id, v in self._unmarked.items() if id in there}
        self._breaks = Counter({id: n for id, n in self._breaks.items() if id in there})

    async def _letters(
        self, folder: Folder, new: Sequence[str]
    ) -> AsyncIterator[Mapping[str, bytes | None]]:
        for ids in self._batches(new):
            if self._breaks[ids[0]] >= MOST_BREAKS:
                yield dict.fromkeys(ids)
                continue
            try:
                letters = await folder.fetch(ids)
            except TemporaryFailure:
                self._breaks.update(ids)
                raise
            yield {id: letters.get(id) for id in ids}

    def _batches(self, new: Sequence[str]) -> list[Sequence[str]]:
        """Those over which a connection was lost come last, each alone, the worst at the end."""
        sound = [id for id in new if not self._breaks[id]]
        suspect = sorted((id for id in new if self._breaks[id]), key=self._breaks.__getitem__)
        batches = [sound[at : at + AT_ONCE] for at in range(0, len(sound), AT_ONCE)]
        return [*batches, *([id] for id in suspect)]

    async def _take(self, letters: Mapping[str, bytes | None], report: Report) -> Counter[str]:
        counts: Counter[str] = Counter()
        for id, raw in letters.items():
            returned = None if raw is None else await asyncio.to_thread(self._judge, raw)
            if returned is not None and returned.update is not None:
                await report(returned.update)
                counts[returned.update.status] += 1
                self._unmarked[id] = "done"
                continue
            unread = "missing" if raw is None else "unreadable"
            counts[returned.kind if returned else unread] += 1
            self._unmarked[id] = "left"
        return counts

    def _judge(self, raw: bytes) -> Returned | None:
        """None: it cannot be read. Whatever a stranger wrote, the next mail is read too."""
        try:
            return self._read(raw)
        except Exception:
            return None

    async def _mark(self, folder: Folder, ids: Collection[str]) -> None:
        verdicts: tuple[Verdict, ...] = ("done", "left")
        for verdict in verdicts:
            alike = [id for id in ids if self._unmarked.get(id) == verdict]
            if alike:
                await folder.mark(alike, verdict)
