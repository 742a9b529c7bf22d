"""Whether an app is open, by Segment's lifecycle events (S1.15).

An app that dies says nothing, so what it said last holds only for a while after its device was
last heard of.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

APP_EVENTS: Final[Mapping[str, bool]] = {
    "Application Opened": True,
    "Application Foregrounded": True,
    "Application Backgrounded": False,
    "Application Crashed": False,
    "Application Uninstalled": False,
}
"""By event: whether the app is open after it."""


class AppState(msgspec.Struct, array_like=True, frozen=True):
    """What a device's app said last of itself; `at`, `tie`: when."""

    at: int
    tie: int
    open: bool


class Sight(msgspec.Struct, frozen=True):
    """What is known of an app. said: its last word (None: never any); heard_at: of its device."""

    said: bool | None
    heard_at: int

    def is_open(self, now: int, within: int) -> bool:
        """Whether it said so, and was heard of no more than `within` ms ago."""
        return self.said is True and now - self.heard_at <= within
