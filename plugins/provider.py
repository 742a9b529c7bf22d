"""The contract of a provider: what delivers on a channel."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.message import Accepted, Message


class Provider(Protocol):
    """Delivers the messages of one channel through one vendor or protocol.

    Retrying, throttling, time limits, batching, logging and opt-in are the caller's business. A
    class need not inherit from this one; one that does may leave out `open`, `parse_callback` and
    `close`.
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
        """Verify and translate what the vendor posted to `/callbacks/<name>`.

        Raise PermissionError if it is not from the vendor (answered 401), ValueError if it cannot
        be read (400). Events that mean nothing here give no update.
        """
        return ()

    async def close(self) -> None:
        """Called after the last send has ended; a second call does nothing."""
        return None  # noqa: RET501 — as above
