"""Take turns at writing one file, fairly, between processes.

SQLite's own waiting sleeps and tries again, so whoever writes without pause nearly always wins
(figures in docs/decisions/store.md). Here a writer first takes the turnstile, then the right to
write, and only then lets go of the turnstile. Whoever waits for the right holds the turnstile
meanwhile, so a busy writer that comes back queues behind it. The kernel frees both when a process
dies.
"""

import fcntl
import os
from pathlib import Path


class Turnstile:
    """Two lock files beside the database: `<name>-turn` and `<name>-write`.

    Not shared between threads: each writer makes its own, threads of one process included.
    """

    def __init__(self, database: Path) -> None:
        """Open the lock files. Raises OSError."""
        self._turn = _open(database.with_name(f"{database.name}-turn"))
        try:
            self._write = _open(database.with_name(f"{database.name}-write"))
        except OSError:
            os.close(self._turn)
            raise

    def enter(self) -> None:
        """Block until this is the only writer."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._write, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Let the next one in. Does nothing if this one is not in."""
        fcntl.flock(self._write, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave and close the files; they stay in place, so that all meet at the same two."""
        os.close(self._turn)
        os.close(self._write)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
