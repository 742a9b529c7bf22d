"""Take the lock on a store, tie one's life to the parent's, and become nats-server.

Run as a program of its own: `python -I -S launch.py LOCK PROGRAM ARGUMENT…`, with the standard
library only. The lock is held by an open file that the server inherits, so it lasts exactly as
long as the server does, however either of them ends: two servers on one store would ruin it.
"""

import ctypes
import fcntl
import os
import signal
import sys

STORE_IN_USE = 75
"""Exit status: another server holds the store (EX_TEMPFAIL of sysexits.h)."""

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Become the program in `arguments`; returns only if that cannot be."""
    lock, program = arguments[0], arguments[1:]
    parent = os.getppid()
    if not _lock(lock):
        print(f"another nats-server uses this store ({lock} is locked)", file=sys.stderr)
        return STORE_IN_USE
    _die_with_parent()
    if os.getppid() == parent:
        os.execv(program[0], program)
    return 0


def _lock(path: str) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.set_inheritable(descriptor, True)
    return True


def _die_with_parent() -> None:
    """Have the kernel end us when the parent ends; only Linux can, elsewhere the lock must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
