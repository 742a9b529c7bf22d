"""One Angarium in a data directory at a time.

The lock is held by open files: the supervisor's, and those that its children inherit. So it lasts
until the last of them is gone, and two brokers never write the same streams, whatever was killed.
"""

import asyncio
import fcntl
import os
from pathlib import Path

FILE = "angarium.lock"
LEFTOVER_SECONDS = 30.0  # how long children whose supervisor was killed may take to end
POLL_SECONDS = 0.05


class DirectoryInUse(Exception):
    """Another Angarium works in the data directory."""

    def __init__(self, folder: Path, pid: int | None, alive: bool) -> None:
        who = f"process {pid}" if alive else f"what process {pid} started and left behind"
        super().__init__(f"{folder} is in use by {who}: stop it first, or set another data.dir")


class DirectoryLock:
    """The lock on a data directory, from `take` to `release` or the end of the process."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    async def take(
        cls, folder: Path, *, leftover_seconds: float = LEFTOVER_SECONDS
    ) -> "DirectoryLock":
        """Make the folder if need be, and lock it. Raises DirectoryInUse, OSError.

        A living owner is refused at once; children whose owner was killed are waited for.
        """
        fd = _open(folder)
        try:
            await _lock(fd, folder, leftover_seconds)
        except BaseException:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        return cls(fd)

    def release(self) -> None:
        """Let go. Children that still run go on holding it."""
        os.close(self.fd)


def _open(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


async def _lock(fd: int, folder: Path, leftover_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + leftover_seconds
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(fd)
            alive = owner is not None and _is_alive(owner)
            if alive or loop.time() >= give_up_at:
                raise DirectoryInUse(folder, owner, alive) from None
        await asyncio.sleep(POLL_SECONDS)  # the kernel tells nobody when a lock is let go


def _owner(fd: int) -> int | None:
    text = os.pread(fd, 20, 0)
    return int(text) if text.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
