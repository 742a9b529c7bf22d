"""The demo's traffic as data: the same for the same seed and instant. It sends nothing.

Events carry the times of the last fortnight. So a delay of a day that began 24 hours ago, less a
few seconds, ends a few seconds after it was told: the gateway judges events by their own time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Final

import msgspec

from angarium.core.events.times import DAY, HOUR, MINUTE, SECOND
from angarium.gateway.demo.catalogue import PRODUCTS, Product
from angarium.gateway.demo.diary import Diary, Said, pause
from angarium.gateway.demo.mishaps import mishaps
from angarium.gateway.demo.people import Habit, Person, make_people

SIZE: Final = 340
TEHRAN: Final = 3 * HOUR + 30 * MINUTE  # no summer time since 2022
DUE: Final = (3 * SECOND, 9 * SECOND)
"""How soon, after the traffic begins, delays that began days ago end."""
LATE: Final = 0.03
"""The share of looks at pages and products that a phone out of reach tells last."""
BATCH: Final = (25, 70)
REPEATED: Final = 3
"""Requests that a client repeats because it lost the answer."""
OPT_OUTS: Final[Mapping[Habit, float]] = {"abandoner": 0.15, "lapsed": 0.12, "newcomer": 0.08}
OPT_OUTS_ELSEWHERE: Final = 0.04

Batch = Sequence[Said]


class Shop(msgspec.Struct, frozen=True):
    """Its customers, and their messages in the order and the batches in which they are sent.

    history: the fortnight before; today: the last minutes.
    """

    people: Sequence[Person]
    history: Sequence[Batch]
    today: Sequence[Batch]


def open_shop(seed: int, now: int, *, size: int = SIZE, tag: str = "") -> Shop:
    """The traffic of `size` people up to `now` (ms). tag: what sets it apart from earlier ones."""
    chance = Random(f"{seed}:{tag}")
    people = make_people(chance, size, now, tag)
    history: list[Said] = []
    today: list[Said] = []
    for person in people:
        story = Story(chance, person, now)
        history += story.past()
        today += story.present()
    history += mishaps(chance, people, now, tag)
    ordered = _delay(chance, sorted(history, key=lambda said: said.at))
    return Shop(people, _batches(chance, ordered, REPEATED), _batches(chance, _in_order(today), 0))


def count_events(batches: Iterable[Batch]) -> Counter[str]:
    """How often each event ought to have been stored: what came twice counts once."""
    seen = {said.body.get("messageId"): said.event for batch in batches for said in batch}
    return Counter(event for event in seen.values() if event)


class Story:
    """How one person's fortnight went."""

    def __init__(self, chance: Random, person: Person, now: int) -> None:
        self._chance = chance
        self._person = person
        self._now = now
        self._diary = Diary(chance, person)
        self._order = 0

    def past(self) -> list[Said]:
        """Up to some hours ago."""
        match self._person.habit:
            case "visitor":
                self._look_around(self._chance.randint(1, 3), 12)
                self._maybe_leave_a_cart()
            case "newcomer":
                self._look_around(self._chance.randint(1, 3), 4)
            case "lapsed":
                self._buy_once_and_vanish()
            case habit:
                days = self._chance.randint(4, 12)
                self._get_known(days)
                self._live(habit, days - 1)
        return self._diary.said

    def present(self) -> list[Said]:
        """The last minutes."""
        self._diary.said = []
        chance = self._chance
        at = self._now - chance.randint(8, 15) * MINUTE
        match self._person.habit:
            case "newcomer":
                at = self._diary.browse(at, 0, self._products(1))
                self._maybe_opt_out(self._diary.log_in(at, first=True))
            case "loyal":
                self._shop_now(at)
            case "buyer" if chance.random() < 0.2:
                self._shop_now(at)
            case "window_shopper" if chance.random() < 0.5:
                self._diary.fill_cart(at, self._products(1)[0])
            case _:
                pass
        return self._diary.said

    def _look_around(self, visits: int, days: int) -> None:
        for at in sorted(self._evening(self._chance.randint(0, days)) for _ in range(visits)):
            browser = self._chance.randint(0, 1)
            self._diary.browse(at, browser, self._products(self._chance.randint(1, 3)))

    def _maybe_leave_a_cart(self) -> None:
        if self._chance.random() < 0.2:
            self._diary.fill_cart(self._due(DAY), self._products(1)[0])

    def _get_known(self, days: int) -> None:
        """Sixty in a hundred looked around before they logged in, some in two browsers."""
        for browser in range(self._chance.choice((0, 0, 1, 2, 2))):
            first = self._evening(days + 1 + (2 - browser))
            self._diary.browse(first, browser, self._products(2))
        at = self._diary.browse(self._evening(days), 1, self._products(1))
        self._diary.log_in(at)

    def _live(self, habit: Habit, days: int) -> None:
        """The days since then."""
        chance = self._chance
        if habit in ("buyer", "loyal"):
            purchases = chance.randint(3, 6) if habit == "loyal" else chance.randint(1, 2)
            for at in sorted(self._evening(chance.randint(1, days)) for _ in range(purchases)):
                self._shop(at, 3 if habit == "loyal" else 2)
        elif habit in ("abandoner", "rescued"):
            at = self._leave_a_cart(habit)
            if habit == "rescued":
                self._order += 1
                self._diary.buy(
                    at + chance.randint(1, 10) * HOUR, self._order_name(), self._products(1)
                )
        self._look_around(chance.randint(0, 2), 2)
        self._maybe_opt_out(self._now - chance.randint(30, 600) * MINUTE)

    def _leave_a_cart(self, habit: Habit) -> int:
        """A day ago, or, now and then, some hours ago: that one is still waited for."""
        recent = habit == "abandoner" and self._chance.random() < 0.25
        at = self._now - self._chance.randint(1, 20) * HOUR if recent else self._due(DAY)
        product = self._products(1)[0]
        self._diary.browse(at - 4 * MINUTE, 1, [product])
        self._diary.fill_cart(at, product)
        return at

    def _buy_once_and_vanish(self) -> None:
        bought_at = self._due(14 * DAY)
        at = self._diary.browse(bought_at - 2 * HOUR, 0, self._products(1))
        self._diary.log_in(at)
        products = self._products(self._chance.randint(1, 2))
        self._diary.fill_cart(bought_at - pause(self._chance), products[0])
        self._diary.buy(bought_at, self._order_name(), products)
        self._maybe_opt_out(self._now - self._chance.randint(1, 9) * DAY)

    def _shop(self, at: int, most: int) -> None:
        products = self._products(self._chance.randint(1, most))
        at = self._diary.browse(at, 1, products[:1])
        for product in products:
            at = self._diary.fill_cart(at, product)
        self._order += 1
        self._diary.buy(at + pause(self._chance), self._order_name(), products)

    def _shop_now(self, at: int) -> None:
        products = self._products(self._chance.randint(1, 3))
        self._diary.fill_cart(at, products[0])
        self._order += 1
        self._diary.buy(at + MINUTE, self._order_name(), products)

    def _maybe_opt_out(self, at: int) -> None:
        if self._chance.random() < OPT_OUTS.get(self._person.habit, OPT_OUTS_ELSEWHERE):
            self._diary.opt_out(at)

    def _order_name(self) -> str:
        return f"{self._person.user_id.removeprefix('u-')}-{self._order}"

    def _products(self, count: int) -> list[Product]:
        return self._chance.sample(PRODUCTS, count)

    def _due(self, delay: int) -> int:
        return self._now - delay + self._chance.randint(*DUE)

    def _evening(self, days_ago: int) -> int:
        """Some time on that day, in Tehran: people shop after work. Never in the future."""
        midnight = (self._now + TEHRAN) // DAY * DAY - TEHRAN - days_ago * DAY
        minute = round(self._chance.triangular(7 * 60, 24 * 60, 20 * 60))
        at = midnight + minute * MINUTE + self._chance.randint(0, 59_999)
        latest = self._now - HOUR
        return at if at < latest else latest - self._chance.randint(0, 5 * HOUR)


def _in_order(messages: Iterable[Said]) -> list[Said]:
    return sorted(messages, key=lambda said: said.at)


def _delay(chance: Random, messages: Sequence[Said]) -> list[Said]:
    """Some are told late; nothing that a campaign waits for."""
    looks = ("Page Viewed", "Product Viewed")
    late = {i for i, said in enumerate(messages) if said.event in looks and chance.random() < LATE}
    return [said for i, said in enumerate(messages) if i not in late] + [
        messages[i] for i in sorted(late)
    ]


def _batches(chance: Random, messages: Sequence[Said], repeated: int) -> list[Batch]:
    batches: list[Batch] = []
    at = 0
    while at < len(messages):
        count = chance.randint(*BATCH)
        batches.append(messages[at : at + count])
        at += count
    sound = [batch for batch in batches if not any(said.faulty for said in batch)]
    for batch in chance.sample(sound, min(repeated, len(sound))):
        batches.insert(batches.index(batch) + 1, batch)
    return batches
