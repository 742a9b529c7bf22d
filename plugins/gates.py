"""Gates that a plugin adds: rules of an operator's own, asked after all of ours.

A gate is a pure function: `(Candidate) -> Send | Hold | Skip`. It may only restrict: it is asked
about what every gate of ours has let pass. It runs inside our processes for every message, so it
does no I/O, and returns at once. One that raises, or answers anything else, holds the message.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

_REASON = re.compile(r"[a-z][a-z0-9_]{0,39}|")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A message that would be sent now. Instants are milliseconds since 1970, UTC.

    Its `repr` shows nothing of the person.
    """

    now: int
    workspace: str
    delivery: str
    """The id of the delivery ("dlv_…")."""
    campaign: str
    version: int
    step: str
    """Of a journey; "" in a campaign."""
    channel: str
    provider: str
    kind: str
    """marketing or transactional."""
    test: bool
    expires_at: int
    address: str
    attributes: Mapping[str, Any]
    """The recipient's, by name; they cannot be changed here."""
    known: bool
    """Whether the recipient has ever logged in."""

    def __repr__(self) -> str:
        return f"Candidate(delivery={self.delivery!r}, channel={self.channel!r})"


class _Refusal(msgspec.Struct, frozen=True):
    def _check(self, reason: str) -> None:
        if not _REASON.fullmatch(reason):
            raise ValueError(
                "a reason is counted: one of few words such as public_holiday, at most 40 letters"
            )


class Send(msgspec.Struct, frozen=True):
    """Nothing speaks against it."""


class Hold(_Refusal, frozen=True):
    """Ask again at `until` (ms). `reason`: a word that is counted; "" is the gate's name."""

    until: int
    reason: str = ""

    def __post_init__(self) -> None:
        self._check(self.reason)


class Skip(_Refusal, frozen=True):
    """Never send it. `reason`: a word that is counted; "" is the gate's name."""

    reason: str = ""

    def __post_init__(self) -> None:
        self._check(self.reason)


Gate = Callable[[Candidate], Send | Hold | Skip]
