"""How a send ends when it is not accepted. Each failure tells the caller what to do next.

- TemporaryFailure: not accepted. The caller tries again later.
- PermanentFailure: not accepted, and never will be. The caller gives up.
- InDoubt: it may have been accepted. The caller holds it, or repeats it, as its promise says.

Anything else that `send` raises counts as in doubt. A reason begins with the provider's name,
says what to do, and holds no address and no secret: it is shown in reports and counted.
"""

import math

LATEST = 1 << 53
"""Milliseconds: what a vendor's JSON can hold exactly, and any ledger."""


def _words(failure: Exception, reason: object) -> str:
    """A plugin may give what it caught itself."""
    return str(reason or "") or (type(failure).__doc__ or "").splitlines()[0]


class TemporaryFailure(Exception):
    """The provider did not take the message now, and may take it later.

    `retry_after`: seconds to wait at least; None lets the caller choose.
    `pause`: every message would fare the same (server away, password refused), so the caller
    stops calling this provider for that time instead of spending attempts of each message.
    """

    def __init__(
        self,
        reason: str | float | None = None,
        retry_after: float | None = None,
        *,
        pause: bool = False,
    ) -> None:
        if isinstance(reason, int | float):  # TemporaryFailure(30)
            reason, retry_after = None, reason
        self.reason = _words(self, reason)
        self.retry_after = _seconds(retry_after)
        self.pause = pause
        super().__init__(self.reason)


class PermanentFailure(Exception):
    """The provider will never take this message.

    `address_dead`: nothing will ever arrive at this address; the caller suppresses it, or takes it
    from the device that had it.
    `dead_since`: milliseconds since 1970, where the provider says since when (APNs' 410): a device
    that told its address again later keeps it. None: as of now.
    """

    def __init__(
        self,
        reason: str | None = None,
        address_dead: bool = False,
        *,
        dead_since: int | None = None,
    ) -> None:
        self.reason = _words(self, reason)
        self.address_dead = address_dead
        self.dead_since = _instant(dead_since)
        super().__init__(self.reason)


class InDoubt(Exception):
    """The provider may have taken the message: it was handed over, and no answer came."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = _words(self, reason)
        super().__init__(self.reason)


def _seconds(value: object) -> float | None:
    """A vendor's header may hold anything; what is no length of time is no advice."""
    if isinstance(value, int | float) and math.isfinite(value):
        return max(0.0, float(value))
    return None


def _instant(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= LATEST else None
