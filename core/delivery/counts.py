"""Counters that add up because they are moved with the state, never counted again (N4).

Every delivery stands under one `state` key, and under one `receipt` key once its provider has
said more; both follow from its row, so what is taken away is always what was added.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from angarium.core.delivery.status import Bucket, DeliveryState, base, bucket, is_receipt

HOUR: int = 3_600_000
"""Milliseconds; counters are kept under the hour in which a delivery was planned."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """What of a delivery's key never changes; `hour` is counted from 1970."""

    workspace: str
    hour: int
    campaign: str
    step: str
    channel: str


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What of a delivery's key changes."""

    state: DeliveryState
    provider: str = ""
    reason: str = ""


class CountKey(NamedTuple):
    """A row of `delivery_counts`, without its shard.

    kind: `state`, `receipt`, `reaction` (each delivery once), `reactions` (every time), or
    `unknown`: what was said of messages that are not ours, or not known to be.
    """

    workspace: str
    hour: int
    campaign: str
    step: str
    channel: str
    provider: str
    kind: str
    name: str
    reason: str


class Counts:
    """The changes of the counters in one transaction.

    Moves of one kind are counted first and written out as keys in the end: there are few kinds.
    """

    def __init__(self) -> None:
        self._moves: defaultdict[tuple[Place, Standing | None, Standing | None], int]
        self._moves = defaultdict(int)
        self._reactions: defaultdict[CountKey, int] = defaultdict(int)

    def move(self, place: Place, old: Standing | None, new: Standing | None) -> None:
        """From one standing to another; None: not there yet, or no more."""
        self._moves[place, old, new] += 1

    def react(self, place: Place, provider: str, reaction: str, *, first: bool) -> None:
        """One more reaction; `first`: of its kind to this delivery."""
        self._reactions[_key(place, provider, "reactions", reaction, "")] += 1
        if first:
            self._reactions[_key(place, provider, "reaction", reaction, "")] += 1

    def strange(
        self, workspace: str, hour: int, channel: str, provider: str, word: str, count: int
    ) -> None:
        """More news (fewer, if negative) of messages that are not known; they have no campaign."""
        place = Place(workspace, hour, "", "", channel)
        self._reactions[_key(place, provider, "unknown", word, "")] += count

    def changes(self) -> list[tuple[CountKey, int]]:
        """What really changed, in the order of the keys: the order in which rows are locked."""
        sums = self._reactions.copy()
        for (place, old, new), count in self._moves.items():
            for key in _keys(place, old):
                sums[key] -= count
            for key in _keys(place, new):
                sums[key] += count
        return sorted((key, count) for key, count in sums.items() if count)


def totals(states: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """The seven totals of api.md from (state, count) pairs; `planned` is the sum of the rest."""
    sums = {name.value: 0 for name in Bucket}
    for state, count in states:
        sums[bucket(DeliveryState(state)).value] += count
    return {"planned": sum(sums.values()), **sums}


def _keys(place: Place, at: Standing | None) -> Iterable[CountKey]:
    if at is None:
        return
    if is_receipt(at.state):
        yield _key(place, at.provider, "receipt", at.state.value, at.reason)
        yield _key(place, at.provider, "state", base(at.state).value, "")
    else:
        yield _key(place, at.provider, "state", at.state.value, at.reason)


def _key(place: Place, provider: str, kind: str, name: str, reason: str) -> CountKey:
    where = (place.workspace, place.hour, place.campaign, place.step, place.channel)
    return CountKey(*where, provider, kind, name, reason)
