"""What a plugin's process and we say to each other: frames of msgpack, each after its length.

We write to the child's standard input, it to its standard output; the two have nothing to do with
each other, so that the last words of a child that died are still there to be read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

LENGTH: Final = 4
"""Bytes of a frame's length, big-endian."""
MOST_SAID: Final = 4 * 1024 * 1024
"""Bytes of the largest frame that we take from a plugin."""

Point = tuple[str, str]
"""An entry point: its name and its value."""
Task = Literal["describe", "check", "serve"]
Verb = Literal["open", "send", "listen", "callback", "report", "close"]


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One thing said; short names of the kinds keep it small."""


class Start(Frame, frozen=True, tag="start"):
    """The first frame to a child: what to load, and within which limits.

    provider: "" for a child that has none; section: its settings, as they stand under `where`.
    channels: the plugins that may bring its channel. memory_bytes, files, hang_seconds: its limits.
    parent: without that process it ends.
    """

    task: Task
    point: Point
    parent: int
    memory_bytes: int
    files: int
    hang_seconds: float
    provider: str = ""
    where: str = ""
    section: Mapping[str, Any] = {}
    channels: tuple[Point, ...] = ()


class Call(Frame, frozen=True, tag="call"):
    """Do this; `name` is a report listener's, `body` the msgpack of what it takes."""

    id: int
    verb: Verb
    body: bytes = b""
    name: str = ""


class Cancel(Frame, frozen=True, tag="cancel"):
    """The answer to that call is not waited for any more."""

    id: int


class Noted(Frame, frozen=True, tag="noted"):
    """What was heard under that number is kept, or it is not."""

    number: int
    kept: bool


class Ping(Frame, frozen=True, tag="ping"):
    """Is the loop free?"""

    number: int


class Offer(msgspec.Struct, frozen=True):
    """A provider as its plugin's process describes it; secrets: names of its secret settings.

    listens: it has `listen`. platforms: the types of device that it sends to.
    """

    name: str
    channel: str
    secrets: tuple[str, ...] = ()
    listens: bool = False
    platforms: tuple[str, ...] = ()


class Described(Frame, frozen=True, tag="described"):
    """What a plugin registers; error: why it cannot be used.

    inside: it registers what only works inside our own processes (channels, filters, gates).
    """

    providers: tuple[Offer, ...] = ()
    listeners: tuple[str, ...] = ()
    inside: bool = False
    error: str = ""


class Ready(Frame, frozen=True, tag="ready"):
    """It is loaded, and its provider built. mistakes: (setting, what is wrong) if it is not."""

    mistakes: tuple[tuple[str, str], ...] = ()
    error: str = ""


class Begun(Frame, frozen=True, tag="begun"):
    """From here on nobody but the plugin knows what it did."""

    id: int


class Done(Frame, frozen=True, tag="done"):
    """A call's result: the provider's id of a message, or the msgpack of updates."""

    id: int
    body: bytes = b""


class Heard(Frame, frozen=True, tag="heard"):
    """A provider that listens heard this: the msgpack of an update, for `Noted` to answer."""

    id: int
    number: int
    body: bytes


Kind = Literal[
    "temporary", "permanent", "in_doubt", "raised", "wrong", "cancelled", "forged", "invalid"
]


class Failed(Frame, frozen=True, tag="failed"):
    """A call that gave no result.

    raised, wrong: the plugin broke the contract. forged, invalid: PermissionError, ValueError of a
    call that may raise them. where: the last line of the plugin's own that was passed.
    """

    id: int
    kind: Kind
    reason: str = ""
    retry_after: float | None = None
    pause: bool = False
    address_dead: bool = False
    dead_since: int | None = None
    where: str = ""


class Pong(Frame, frozen=True, tag="pong"):
    """The loop is free."""

    number: int


Order = Start | Call | Cancel | Noted | Ping
Said = Described | Ready | Begun | Done | Failed | Heard | Pong

encode: Final = msgspec.msgpack.Encoder().encode
decode_order: Final[Callable[[bytes], Order]] = msgspec.msgpack.Decoder(Order).decode
decode_said: Final[Callable[[bytes], Said]] = msgspec.msgpack.Decoder(Said).decode


class Oversized(Exception):
    """A frame that claims to be larger than is allowed."""


def frame(body: Order | Said) -> bytes:
    """The bytes of one frame."""
    data = encode(body)
    return len(data).to_bytes(LENGTH, "big") + data


class Frames:
    """Cuts what was read into frames."""

    def __init__(self, most: int | None = None) -> None:
        """`most`: bytes of the largest frame that is taken."""
        self._rest = bytearray()
        self._most = most

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The frames that are complete now. Raises Oversized."""
        rest = self._rest
        rest += data
        begin = 0
        while len(rest) - begin >= LENGTH:
            body = begin + LENGTH
            size = int.from_bytes(rest[begin:body], "big")
            if self._most is not None and size > self._most:
                raise Oversized
            if len(rest) < body + size:
                break
            begin = body + size
            yield bytes(rest[body:begin])
        del rest[:begin]
