"""When to leave a provider alone: it asked for a pause, or fails whatever it is given (D9, D10)."""

from typing import Final

import msgspec

TROUBLE: Final = 10
"""Failures in a row after which the provider itself is taken to be the reason."""
FIRST_PAUSE: Final = 1_000
LONGEST_PAUSE: Final = 60_000
"""Milliseconds; each pause without a success between is twice the one before."""


class Health(msgspec.Struct, frozen=True):
    """How a provider has been lately; each answer gives the next Health."""

    failures: int = 0
    pauses: int = 0
    paused_until: int = 0

    def allowance(self, concurrency: int, now: int) -> int:
        """How many sends at once it may be given now; after a pause one, to see."""
        if now < self.paused_until:
            return 0
        return 1 if self.pauses else concurrency

    def succeeded(self) -> "Health":
        """It took a message, or refused that message for good: it works.

        A pause that has begun meanwhile is kept: the message was sent before it.
        """
        return Health(paused_until=self.paused_until) if self.failures or self.pauses else self

    def failed(self, now: int) -> "Health":
        """It did not take a message, or gave no answer."""
        failures = self.failures + 1
        if failures < TROUBLE and not self.pauses:
            return Health(failures, self.pauses, self.paused_until)
        return Health(failures, self.pauses, self.paused_until).asked_to_pause(now, None)

    def asked_to_pause(self, now: int, retry_after: int | None) -> "Health":
        """It wants no messages at all for `retry_after` ms (None: for as long as we think best).

        Answers to what was sent before the pause began do not lengthen it, unless they ask to.
        """
        own = min(FIRST_PAUSE << min(self.pauses, 16), LONGEST_PAUSE)
        if now < self.paused_until:
            asked = now + (retry_after or 0)
            return Health(self.failures, self.pauses, max(self.paused_until, asked))
        wait = own if retry_after is None else max(retry_after, FIRST_PAUSE)
        return Health(self.failures, self.pauses + 1, now + wait)

    def told(self, until: int) -> "Health":
        """Another process was asked to leave it alone until then."""
        if until <= self.paused_until:
            return self
        return Health(self.failures, max(1, self.pauses), until)
