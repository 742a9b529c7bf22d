"""What a plugin prints: a line of our log for each of its lines, without secrets, not endless."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from angarium.gateway.logs import HIDDEN, clean_text

log: Any = structlog.get_logger()

LINE_LENGTH: Final = 500
LINES_A_MINUTE: Final = 120
MINUTE: Final = 60.0
SHORT: Final = 4
"""Letters below which a text is no secret: hiding it would leave no line readable."""


class Output:
    """Takes what a plugin's process wrote to its standard output and standard error."""

    def __init__(
        self, plugin: str, secrets: Iterable[str], hide: Callable[[], Iterable[str]]
    ) -> None:
        """`secrets`: never shown. `hide`: what else must not be shown now, as addresses."""
        self._plugin = plugin
        self._secrets = [secret for secret in secrets if len(secret) >= SHORT]
        self._hide = hide
        self._rest = b""
        self._since = 0.0
        self._count = 0

    def take(self, data: bytes, now: float) -> None:
        """More of it; `now` in seconds."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LINE_LENGTH:]
        for line in lines:
            self._log(line, now)

    def finish(self, now: float) -> None:
        """There will be no more."""
        if self._rest:
            self._log(self._rest, now)
            self._rest = b""
        self._tell_dropped()

    def _log(self, line: bytes, now: float) -> None:
        if now - self._since >= MINUTE:
            self._tell_dropped()
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= LINES_A_MINUTE and line.strip():
            log.info("plugin_said", plugin=self._plugin, line=self._clean(line))

    def _tell_dropped(self) -> None:
        dropped = self._count - LINES_A_MINUTE
        if dropped > 0:
            log.warning("plugin_said_too_much", plugin=self._plugin, lines_left_out=dropped)

    def _clean(self, line: bytes) -> str:
        text = line[:LINE_LENGTH].decode("utf-8", "replace")
        for secret in (*self._secrets, *self._hide()):
            if len(secret) >= SHORT:
                text = text.replace(secret, HIDDEN)
        printable = "".join(letter if letter.isprintable() else " " for letter in text)
        return clean_text(printable)
