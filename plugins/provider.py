"""The contract of a provider: what delivers on a channel."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.message import Accepted, Message

Report: TypeAlias = Callable[[StatusUpdate], Awaitable[None]]
"""Takes one update, durably by the time it returns; the same one twice has no second effect."""


def platforms_of(provider: "Provider | type[Provider]") -> tuple[str, ...]:
    """The types of device that a provider sends to; (): to whatever the channel finds."""
    return tuple(getattr(provider, "platforms", ()))


class Provider(Protocol):
    """Delivers the messages of one channel through one vendor or protocol.

    Retrying, throttling, time limits, batching, logging and opt-in are the caller's business. A
    class need not inherit from this one; one that does may leave out `open`, `parse_callback` and
    `close`. One that sends to devices may say to which types, as `platforms = ("ios",)`: it is
    given messages to no others.
    """

    name: ClassVar[str]
    """`<channel>_<provider>`: "email_smtp". Its settings stand under `[channels.<name>]`."""
    channel: ClassVar[str]
    """The name of a channel, ours or one that a plugin registers."""
    Settings: ClassVar[type]
    """A msgspec struct; unknown fields are refused; secrets are `settings.Secret`."""

    def __init__(self, settings: Any) -> None:
        """Keep the settings, an instance of `Settings`. Do no I/O here.

        Raise ValueError, naming the setting, for what cannot work.
        """

    async def open(self) -> None:
        """Called once, before the first send. Connect lazily: a vendor that is away is no error.

        Raise ValueError, naming the setting, for what cannot work (a file that is not there).
        """
        return None  # noqa: RET501 — a body, so that those who inherit may leave it out

    async def send(self, message: Message) -> Accepted:
        """Hand one message over, once.

        Called many times at once. May be cancelled at any point; the next send must still work.
        Return Accepted when the vendor has taken the message. Raise TemporaryFailure when it
        surely has not but may later, PermanentFailure when it never will, InDoubt when it may
        have. Anything else raised, or a time-out, counts as in doubt. Do not retry here.
        Cancelled before anything was handed over, it may raise TemporaryFailure in place of
        CancelledError: then nobody need be in doubt.
        """
        raise NotImplementedError

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        """Verify and translate what the vendor sent to `/callbacks/<name>`, by POST or GET.

        Raise PermissionError if it is not from the vendor (answered 401), ValueError if it cannot
        be read (400). Events that mean nothing here give no update.
        """
        return ()

    async def close(self) -> None:
        """Called after the last send has ended; a second call does nothing."""
        return None  # noqa: RET501 — as above


@runtime_checkable
class Listening(Protocol):
    """What a provider has besides, if the vendor's news reach it over a connection of its own.

    Optional (SMPP brings its receipts over the session that sends); everybody else has
    `parse_callback`. The caller asks `isinstance(provider, Listening)`.
    """

    async def listen(self, report: Report) -> Mapping[str, int] | None:
        """Connect where no connection is, and report what is heard until it is lost; then return.

        Called after `open`, in one task beside the sends, and again, after a pause of the caller's
        choice, whenever it has returned or raised TemporaryFailure (no connection can be made).
        Cancelled before `close`. An update of which `report` raises is lost: let it wait instead.
        What it returns is logged: how many of what kind it heard, or could make nothing of.
        """
        ...


@runtime_checkable
class Looking(Protocol):
    """What a provider has besides, if `angarium doctor` can see how it fares; optional."""

    async def look(self) -> str:
        """Say in a few words how things stand, or "". Called on one that is not opened.

        Change nothing. Raise TemporaryFailure, with a reason that names the setting, if it is ill.
        """
        ...
