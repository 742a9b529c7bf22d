"""No process of ours outlives its supervisor, however that ended.

Each holds the reading end of a pipe that only the supervisor could write to: when the supervisor
is gone, reading gives end of file.
"""

import os
import signal
import threading

GRACE_SECONDS = 10.0  # for finishing what was begun


def watch(fd: int, grace: float = GRACE_SECONDS) -> None:
    """End this process, as by SIGTERM, when the writing end of the pipe `fd` is gone.

    A thread does it, so that a busy event loop cannot miss it.
    """
    threading.Thread(target=_wait, args=(fd, grace), name="tether", daemon=True).start()


def _wait(fd: int, grace: float) -> None:
    while os.read(fd, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(grace)
    os._exit(1)
