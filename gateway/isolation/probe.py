"""Ask a plugin's process one question and let it go: what it registers, whether a section will do.

These wait; they are asked when a process of ours starts. The plugin's code never runs in ours.
"""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any, Final

import msgspec

from angarium.gateway.isolation.home import COMMAND, Home
from angarium.gateway.isolation.serving import OUT_OF_MEMORY, QUIT
from angarium.gateway.isolation.wire import (
    MOST_SAID,
    Described,
    Frames,
    Oversized,
    Point,
    Ready,
    Said,
    Start,
    decode_said,
    frame,
)

LAST_WORDS_SECONDS: Final = 1.0
_CAUSES: Final = {QUIT: "called exit()", OUT_OF_MEMORY: "ran out of memory"}


class Probe:
    """A question that is under way; several run at once."""

    def __init__(self, start: Start, home: Home) -> None:
        self._seconds = home.start_seconds
        self._process = subprocess.Popen(
            COMMAND,
            env=dict(home.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None, "it was asked for"
        with suppress(BrokenPipeError), self._process.stdin as orders:
            orders.write(frame(start))
        self._process.stdin = None

    def said(self) -> Said | str:
        """The answer, or in words why there is none."""
        try:
            data, _ = self._process.communicate(timeout=self._seconds)
            status: int | None = self._process.returncode
            self._kill()
        except subprocess.TimeoutExpired:
            self._kill()
            data, status = self._last_words(), None
        said = _read(data)
        if said is not None:
            return said
        if status is None:
            return f"it did not finish loading in {self._seconds:g} s"
        return "its process " + _CAUSES.get(status, f"ended with status {status}")

    def _last_words(self) -> bytes:
        """What was said until the end; somebody that it has started may keep the pipe open."""
        try:
            data, _ = self._process.communicate(timeout=LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired as late:
            data = late.output or b""
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return data

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _read(data: bytes) -> Said | None:
    try:
        for body in Frames(MOST_SAID).cut(data):
            return decode_said(body)
    except (msgspec.MsgspecError, Oversized):
        pass
    return None


def ask_what(point: Point, home: Home) -> Probe:
    """Begin to ask a plugin what it registers."""
    limits = home.memory_bytes, home.files, home.hang_seconds
    return Probe(Start("describe", point, os.getpid(), *limits), home)


def described(probe: Probe) -> Described:
    """What it registers, or in `error` why that cannot be known."""
    said = probe.said()
    if isinstance(said, Described):
        return said
    return Described(error=said if isinstance(said, str) else "it answered another question")


def mistakes_in(start: Start, home: Home) -> list[tuple[str, str]]:
    """What its plugin finds wrong with a provider's section: (setting, what is wrong)."""
    said: Any = Probe(start, home).said()
    if isinstance(said, Ready) and not said.error:
        return list(said.mistakes)
    error = said.error if isinstance(said, Ready) else said
    return [(start.where, f"cannot be used: {error}")]
