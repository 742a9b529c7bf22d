"""A Maildir, for hosts where the mail server is: bounces are files, and flags are in their names.

`new/` holds what nobody has seen; a letter is marked by moving it to `cur/` with `:2,` and flags:
S seen, F flagged. Nothing is locked, as https://cr.yp.to/proto/maildir.html has it.
"""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from angarium.channels._mailbox import MOST_BYTES, Standing, Verdict
from angarium.channels._mailbox_settings import MailboxSettings
from angarium.plugins import TemporaryFailure

T = TypeVar("T")

_INFO: Final = ":2,"
_FOLDERS: Final = ("cur", "new")
"""In the order of their age."""


class MaildirBox:
    """The folder of this path; `move_to` names one beside its own `cur`, as `.Done`."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def open(self, *, to_look: bool = False) -> AsyncGenerator["MaildirFolder"]:
        """Raises TemporaryFailure."""
        yield MaildirFolder(Path(self._settings.maildir), self._settings)


class MaildirFolder:
    """Ids are names without flags, so that a letter keeps its own when it is marked."""

    def __init__(self, path: Path, settings: MailboxSettings) -> None:
        self._path = path
        self._settings = settings
        self._files: dict[str, Path] = {}

    async def find(self, most: int) -> Sequence[str]:
        done = "SFT" if self._settings.after == "seen" else "FT"
        self._files = await _run("list", lambda: dict(_waiting(self._path, done)))
        return list(self._files)[:most]

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        return await _run("read", lambda: dict(self._read(ids)))

    async def mark(self, ids: Collection[str], verdict: Verdict) -> None:
        await _run("mark", lambda: self._mark(ids, verdict))

    async def count(self) -> Standing:
        waiting = await self.find(0)
        names = await _run("list", lambda: [file.name for file in _letters(self._path)])
        left = sum("F" in _flags(name) for name in names)
        return Standing(len(names), len(self._files) or len(waiting), left)

    def _read(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for id in ids:
            # No link is followed out of the folder, and nobody waits at a pipe that lies in it.
            with suppress(FileNotFoundError, _NotPlain):
                yield id, _beginning(self._files[id])

    def _mark(self, ids: Collection[str], verdict: Verdict) -> None:
        for id in ids:
            with suppress(FileNotFoundError):  # somebody else has moved it
                self._move(id, verdict)

    def _move(self, id: str, verdict: Verdict) -> None:
        file = self._files[id]
        flags = _flags(file.name) | {"F" if verdict == "left" else "S"}
        name = f"{id}{_INFO}{''.join(sorted(flags))}"
        if verdict == "left" or self._settings.after == "seen":
            file.rename(self._path / "cur" / name)
        elif self._settings.after == "delete":
            file.unlink()
        else:
            file.rename(_made(self._path / self._settings.move_to) / name)


class _NotPlain(OSError):
    """No letter: a link, a folder, a pipe."""


def _waiting(path: Path, done: str) -> Iterator[tuple[str, Path]]:
    for file in _letters(path):
        if _flags(file.name).isdisjoint(done):
            yield file.name.partition(_INFO)[0], file


def _letters(path: Path) -> list[Path]:
    entries = chain.from_iterable((path / folder).iterdir() for folder in _FOLDERS)
    return sorted(file for file in entries if not file.name.startswith("."))


def _flags(name: str) -> set[str]:
    return set(name.partition(_INFO)[2])


def _beginning(file: Path) -> bytes:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _NotPlain from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _NotPlain
        return os.read(handle, MOST_BYTES)
    finally:
        os.close(handle)


def _made(folder: Path) -> Path:
    """A folder of its own, as Maildir has them."""
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder / "cur"


async def _run(step: str, work: Callable[[], T]) -> T:
    """Raises TemporaryFailure, which holds no name of a file: senders choose parts of them."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TemporaryFailure(
            f"email_smtp: the mailbox (bounces_maildir): {step}: {reason}"
        ) from None
