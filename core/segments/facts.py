"""What is known of one person when a condition is tested."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from angarium.core.events.totals import EventTotals


class Facts(msgspec.Struct, frozen=True):
    """One person.

    attributes: values by name; one that is not set is absent. events: totals by event, of those
    that `events_used` names at least. consents: by channel, `opted_in`, `opted_out` or `unset`.
    reachable: the channels on which the person is opted in and has an address; only conditions
    whose `asks_reachable` is true read it.
    """

    attributes: Mapping[str, Any] = {}
    events: Mapping[str, EventTotals] = {}
    known: bool = False
    consents: Mapping[str, str] = {}
    reachable: Collection[str] = frozenset()
