"""When a plugin is left alone for a while: pure rules over how it has behaved.

Two things count against it. Its process *died*: it exited, was killed for blocking its loop, ran
out of memory. Or it *broke* the contract: raised what no provider raises, answered with what is no
answer, gave none in time. A good answer makes up for the second, only time for the first, since a
plugin that dies at every hundredth message takes others with it each time.
"""

from typing import Final

import msgspec

FIRST_REST: Final = 0.5
LONGEST_REST: Final = 60.0
FORGOTTEN: Final = 600.0
"""Seconds after which a death counts no more."""


class Rules(msgspec.Struct, frozen=True):
    """failures: after how many it is put aside. aside_seconds: for how long."""

    failures: int = 5
    aside_seconds: float = 900.0


class Conduct(msgspec.Struct, frozen=True):
    """How a plugin has behaved; each thing that it does gives the next. Instants in seconds.

    faults: how often it broke the contract since its last good answer. deaths: when its process
    died lately. count: everything that was ever held against it. last: what was, last. aside: it
    is put aside until `rests_until`. on_trial: it was, and has given no good answer since.
    """

    faults: int = 0
    deaths: tuple[float, ...] = ()
    count: int = 0
    last: str = ""
    rests_until: float = 0.0
    aside: bool = False
    on_trial: bool = False

    def rest(self, now: float) -> float:
        """For how many seconds yet its process is not started."""
        return max(0.0, self.rests_until - now)

    def is_aside(self, now: float) -> bool:
        """Whether it is put aside at this moment."""
        return self.aside and now < self.rests_until

    def died(self, now: float, reason: str, rules: Rules) -> "Conduct":
        """Its process ended, and nobody had asked it to."""
        recent = (*(one for one in self.deaths if now - one < FORGOTTEN), now)[-rules.failures :]
        new = self._noted(self.faults, recent, reason)
        if new.deserves(rules):
            return new._put_aside(now, rules)
        rest = min(FIRST_REST * 2 ** (len(recent) - 1), LONGEST_REST)
        return msgspec.structs.replace(new, rests_until=now + rest)

    def broke(self, now: float, reason: str, rules: Rules) -> "Conduct":
        """It did what no provider may do."""
        new = self._noted(self.faults + 1, self.deaths, reason)
        return new._put_aside(now, rules) if new.deserves(rules) else new

    def behaved(self) -> "Conduct":
        """It answered as a provider may: accepted, or failed in one of the three ways."""
        if not (self.faults or self.on_trial):
            return self
        return msgspec.structs.replace(self, faults=0, on_trial=False)

    def deserves(self, rules: Rules) -> bool:
        """Whether it is to be put aside."""
        return self.on_trial or max(self.faults, len(self.deaths)) >= rules.failures

    def _noted(self, faults: int, deaths: tuple[float, ...], reason: str) -> "Conduct":
        return msgspec.structs.replace(
            self, faults=faults, deaths=deaths, count=self.count + 1, last=reason, aside=False
        )

    def _put_aside(self, now: float, rules: Rules) -> "Conduct":
        return msgspec.structs.replace(
            self,
            faults=0,
            deaths=(),
            rests_until=now + rules.aside_seconds,
            aside=True,
            on_trial=True,
        )
