"""Reports: every change of a delivery, for plugins that want to hear of them."""

from collections.abc import Awaitable, Callable

import msgspec


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One change, told after it was committed, at least once.

    A report that comes again has the same `sequence`, which grows within one store of streams.
    """

    sequence: int = 0
    workspace: str = ""
    delivery: str
    campaign: str
    version: int
    step: str = ""
    channel: str
    provider: str = ""
    status: str
    """Where it stands now (planned, accepted, skipped, …), or what a person did (opened, …)."""
    reason: str = ""
    at: str
    """RFC 3339 in UTC."""
    profile: str
    request_id: str | None = None
    first: bool = True
    """Of what a person did: whether it is the first time."""


Listener = Callable[[Report], Awaitable[None]]
