"""Which of a channel's providers a message goes to.

The first of the lowest `order` that can take it, those of one order sharing by `weight`. One that
is only busy is waited for; one in trouble (it asked for a pause, failed whatever it was given, or
answers nothing any more) is passed over. A message that may be with a provider already goes to no
other, ever.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import ceil
from typing import Final

import msgspec

from angarium.core.delivery.failover import tried
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.retries import spread_of

LOOK_AGAIN: Final = 500
"""Milliseconds after which a round in which nothing could be given away is tried again at last."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as configured: one section of the settings, one account.

    order: 1 is asked first. weight: share among those of one order; 0: sends nothing.
    per_second: messages of all processes together; 0: no limit. platforms: types of device; ():
    whatever the channel finds.
    """

    name: str
    order: int = 1
    weight: int = 1
    per_second: float = 0.0
    platforms: tuple[str, ...] = ()


class Standing(msgspec.Struct):
    """How a route stands in one round of claiming.

    places: messages that it may be given. ready_at: it takes none before (a pause). free_at: when
    to ask again, if it has no place; apart: how much later each one more. yields: it is in trouble,
    so that later ones need not wait for it. All in ms.
    """

    places: int
    ready_at: int = 0
    free_at: int = 0
    apart: int = 0
    yields: bool = False


class Choice(msgspec.Struct, frozen=True):
    """provider: "" if none sends to such a device. until: before this it takes nothing (reason).

    others: which may take the message in its place, if it surely does not.
    """

    provider: str
    until: int = 0
    reason: str = ""
    others: tuple[str, ...] = ()


NOBODY: Final = Choice("")

Mark = tuple[Mapping[str, int], Mapping[str, int]]
"""How far a board had come."""


class Routes:
    """All routes of one channel; what depends on the settings alone."""

    def __init__(self, routes: Iterable[Route], absent: Iterable[str] = ()) -> None:
        """`absent`: names of those that are configured, and cannot be used now."""
        self._all = tuple(sorted((r for r in routes if r.weight), key=lambda route: route.order))
        self._known = frozenset(one.name for one in self._all) | frozenset(absent)
        self._named = frozenset(word for route in self._all for word in route.platforms)
        self._suitable: dict[str | None, tuple[Route, ...]] = {}

    def __iter__(self) -> Iterator[Route]:
        return iter(self._all)

    @property
    def ask_platform(self) -> bool:
        """Whether the type of the device makes a difference."""
        return bool(self._named)

    def suitable(self, platform: str | None) -> tuple[Route, ...]:
        """Those that send to a type of device (None: not known), in order.

        Where one takes only `ios` and another everything, `ios` is the first one's alone: its
        tokens are of its own kind. What is not known goes to those that take all there are.
        """
        if platform not in self._suitable:
            self._suitable[platform] = self._find(platform)
        return self._suitable[platform]

    def bound(self, delivery: Delivery) -> bool:
        """Whether one provider may have it already, so that no other may get it.

        Not if the operator has taken that one out of the settings, or given it no weight.
        """
        return bool(delivery.resends) and delivery.provider in self._known

    def classes(self) -> list[tuple[Route, ...]]:
        """The different answers of `suitable`."""
        return [self.suitable(one) for one in (None, *sorted(self._named))]

    def _find(self, platform: str | None) -> tuple[Route, ...]:
        wanted = self._named if platform is None else {platform}
        able = [one for one in self._all if not one.platforms or wanted <= {*one.platforms}]
        if platform is None:
            return tuple(able)
        fewest = min((len(one.platforms) for one in able if one.platforms), default=0)
        return tuple(one for one in able if len(one.platforms) == fewest)


class Board:
    """A channel's routes in one round: hands out their places, one message after another."""

    def __init__(self, routes: Routes, standings: Mapping[str, Standing], now: int) -> None:
        """`standings`: of each of the routes, as of `now`."""
        self.routes = routes
        self.taken: dict[str, int] = {}
        self._standings = standings
        self._now = now
        self._parked: dict[str, int] = {}

    @property
    def limit(self) -> int:
        """How many messages could be given away now."""
        most: dict[str, int] = {}
        for suitable in self.routes.classes():
            most |= self._open_now(suitable)
        return sum(most.values())

    @property
    def ready_at(self) -> int:
        """When to look again, if `limit` is 0."""
        times = (max(one.ready_at, one.free_at) for one in self._standings.values())
        soon = self._now + LOOK_AGAIN
        return min((time for time in times if time > self._now), default=soon)

    def places(self, name: str) -> int:
        """How many messages a route may be given in this round."""
        return self._standings[name].places

    def reset(self) -> None:
        """As at the beginning of the round."""
        self.taken.clear()
        self._parked.clear()

    def mark(self) -> Mark:
        """What has been given away so far, to `rewind` to."""
        return dict(self.taken), dict(self._parked)

    def rewind(self, mark: Mark) -> None:
        """As it was at the mark."""
        taken, parked = mark
        self.taken, self._parked = dict(taken), dict(parked)

    def pick(self, delivery: Delivery, platform: str | None = None) -> Choice:
        """Where it goes, or until when it waits; nothing is taken yet."""
        suitable = self.routes.suitable(platform)
        if self.routes.bound(delivery):
            suitable = tuple(one for one in suitable if one.name == delivery.provider)
        if not suitable:
            return NOBODY
        again = tried(delivery)
        chosen, asked = self._choose(suitable, again, delivery.id)
        if chosen is None:
            return self._wait(asked, again)
        others = tuple(one.name for one in suitable if one is not chosen)
        return Choice(chosen.name, others=others)

    def take(self, name: str) -> None:
        """A message goes there."""
        self.taken[name] = self.taken.get(name, 0) + 1

    def park(self, name: str) -> None:
        """A message waits for it."""
        self._parked[name] = self._parked.get(name, 0) + 1

    def _choose(
        self, suitable: Sequence[Route], again: Mapping[str, int], id: str
    ) -> tuple[Route | None, Sequence[Route]]:
        """One that takes it now; else those that it waits for."""
        asked: list[Route] = []
        for _, group in groupby(suitable, key=lambda route: route.order):
            peers = list(group)
            asked += peers
            ready = [one for one in peers if self._ready_at(one, again) <= self._now]
            free = [one for one in ready if self._places(one) > 0]
            if free:
                return _share(free, id), asked
            if not all(self._standings[one.name].yields for one in ready):
                break
        return None, asked

    def _wait(self, asked: Sequence[Route], again: Mapping[str, int]) -> Choice:
        until, name = min((self._until(one, again), one.name) for one in asked)
        paused = self._standings[name].ready_at > self._now
        return Choice(name, until, "provider_paused" if paused else "provider_busy")

    def _until(self, route: Route, again: Mapping[str, int]) -> int:
        standing = self._standings[route.name]
        queue = standing.apart * self._parked.get(route.name, 0)
        return max(self._ready_at(route, again), standing.free_at + queue, self._now + 1)

    def _ready_at(self, route: Route, again: Mapping[str, int]) -> int:
        return max(self._standings[route.name].ready_at, again.get(route.name, 0))

    def _places(self, route: Route) -> int:
        return self._standings[route.name].places - self.taken.get(route.name, 0)

    def _open_now(self, suitable: Sequence[Route]) -> dict[str, int]:
        """Those that messages would go to which none has tried yet, and how many to each."""
        most: dict[str, int] = {}
        for _, group in groupby(suitable, key=lambda route: route.order):
            ready = [one for one in group if self._standings[one.name].ready_at <= self._now]
            most |= self._shares([one for one in ready if self._standings[one.name].places > 0])
            if not all(self._standings[one.name].yields for one in ready):
                break
        return most

    def _shares(self, peers: Sequence[Route]) -> dict[str, int]:
        """Their places in proportion to their weights; one in trouble has what it has."""
        places = {one.name: self._standings[one.name].places for one in peers}
        sound = [one for one in peers if not self._standings[one.name].yields]
        rounds = min((places[one.name] / one.weight for one in sound), default=0)
        return places | {one.name: ceil(rounds * one.weight) for one in sound}


def _share(routes: Sequence[Route], id: str) -> Route:
    """One of them by weight: the same for an id as long as they are the same."""
    if len(routes) == 1:
        return routes[0]
    point = spread_of(id) * sum(route.weight for route in routes)
    for route in routes:
        point -= route.weight
        if point < 0:
            return route
    return routes[-1]
