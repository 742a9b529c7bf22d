"""Whose fault a refusal is that a wrong setting of ours and a stale address bring alike.

A browser that subscribed for another key, a token of another app, project or environment: one such
address among many is stale; where nothing has been taken yet, or nothing more is, it is us.
"""

from typing import Final

REFUSED_SECONDS: Final = 60.0
"""How long to wait where it seems to be us: short, for the first message may be the stale one."""
MOST_REFUSALS: Final = 10
"""In a row, after which stale addresses explain it no longer."""


class Belief:
    """Whether one service believes us: it took a message, and has not refused many since."""

    def __init__(self) -> None:
        self._refusals = MOST_REFUSALS

    @property
    def holds(self) -> bool:
        return self._refusals < MOST_REFUSALS

    def confirm(self) -> None:
        """It took a message with the same settings."""
        self._refusals = 0

    def doubt(self) -> bool:
        """It refused one; whether the address is to blame, not we."""
        to_blame = self.holds
        self._refusals += 1
        return to_blame
