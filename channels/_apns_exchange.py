"""One request to APNs and the answer to it, as far as both have come."""

import asyncio
from typing import Final, TypeAlias

from h2.errors import ErrorCodes
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from angarium.channels._http import Answer
from angarium.plugins import InDoubt, TemporaryFailure

MAX_BYTES: Final = 16 * 1024
"""Of an answer; the rest is not kept."""

Ending: TypeAlias = Answer | TemporaryFailure | InDoubt
StreamEvent: TypeAlias = ResponseReceived | DataReceived | StreamEnded | StreamReset


class Exchange:
    """What is known of a request when nothing more comes: without its last byte it was not taken;
    a whole one was not if the server says so, else it is in doubt."""

    def __init__(self, stream: int, body: bytes) -> None:
        self.stream = stream
        self.unsent = body
        self.written = False
        """Whether what was begun has left this process."""
        self.ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def take(self, event: StreamEvent) -> Ending | None:
        """Keep what came; give the ending if it was the last."""
        match event:
            case ResponseReceived():
                self._headers = {_text(name): _text(value) for name, value in event.headers}
                self._status = int(self._headers.pop(":status"))
            case DataReceived():
                self._body += event.data[: MAX_BYTES - len(self._body)]
            case StreamEnded():
                return Answer(self._status, self._headers, bytes(self._body))
            case StreamReset():
                return self._broken_off(event)
        return None

    def failure(self, what: str) -> TemporaryFailure | InDoubt:
        """What it means that there will be no answer."""
        if self.unsent or not self.written:
            return TemporaryFailure(f"push_apns: {what} before the message was sent")
        return InDoubt(f"push_apns: {what}, and no answer came")

    def _broken_off(self, event: StreamReset) -> TemporaryFailure | InDoubt:
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            return TemporaryFailure("push_apns: the server refused the stream")
        return self.failure("the server broke the stream off")


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
