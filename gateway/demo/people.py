"""The shop's customers: who they are, and what each is in the habit of doing there."""

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import repeat
from random import Random
from typing import Any, Final, Literal

import msgspec

from angarium.core.events.times import DAY, format_instant
from angarium.gateway.demo.catalogue import CITIES, FIRST_NAMES, FOREIGN_NAMES, LAST_NAMES

Habit = Literal[
    "visitor",  # looks, and never says who they are
    "newcomer",  # looked for days, signs up today
    "window_shopper",  # has an account, and only looks
    "buyer",
    "loyal",  # buys often, and today again
    "lapsed",  # bought a fortnight ago, and nothing since
    "abandoner",  # has left a full cart
    "rescued",  # left a full cart, and came back for it
]
HABITS: Final[Mapping[Habit, float]] = {
    "visitor": 0.27,
    "newcomer": 0.11,
    "window_shopper": 0.10,
    "buyer": 0.20,
    "loyal": 0.05,
    "lapsed": 0.09,
    "abandoner": 0.12,
    "rescued": 0.06,
}
"""What share of the people has which habit."""

PERSIAN: Final = 0.78
"""The share of customers who read Persian."""
BY_MOBILE_ONLY: Final = 0.07
"""The share who gave a mobile number and no email."""
TWO_BROWSERS: Final = 0.45


class Person(msgspec.Struct, frozen=True):
    """user_id: "" for visitors. browsers: anonymous ids, in the order in which they are used."""

    habit: Habit
    user_id: str
    browsers: Sequence[str]
    locale: Literal["fa", "en"]
    traits: Mapping[str, Any] = {}


def make_people(chance: Random, size: int, now: int, tag: str) -> list[Person]:
    """`size` people, their habits in the shares of HABITS. tag: what sets their ids apart."""
    return [
        _person(chance, habit, number, now, tag)
        for number, habit in enumerate(_habits(chance, size))
    ]


def _habits(chance: Random, size: int) -> list[Habit]:
    habits: list[Habit] = []
    for habit, share in HABITS.items():
        habits.extend(repeat(habit, max(1, round(share * size))))
    habits.extend(repeat("buyer", size))
    del habits[size:]
    chance.shuffle(habits)
    return habits


def _person(chance: Random, habit: Habit, number: int, now: int, tag: str) -> Person:
    locale: Literal["fa", "en"] = "fa" if chance.random() < PERSIAN else "en"
    browsers = [f"{chance.getrandbits(64):016x}{tag}"]
    if chance.random() < TWO_BROWSERS:
        browsers.append(f"{chance.getrandbits(64):016x}{tag}")
    if habit == "visitor":
        return Person(habit, "", browsers[:1], locale)
    traits = _traits(chance, locale, f"{number}{tag}", now)
    return Person(habit, f"u-{1001 + number}{tag}", browsers, locale, traits)


def _traits(chance: Random, locale: str, number: str, now: int) -> dict[str, Any]:
    """As SDKs send them: some under Segment's names, some under the shop's own."""
    first, last, gender, address = _name(chance, locale)
    city = chance.choices(CITIES, [weight for _, _, weight in CITIES])[0]
    traits: dict[str, Any] = {
        "firstName": first,
        "lastName": last,
        "gender": gender,
        "locale": locale,
        "city": city[locale == "en"],
        "registered_on": format_instant(now - chance.randint(20, 700) * DAY)[:10],
    }
    if chance.random() < BY_MOBILE_ONLY:
        return traits | {"phone": _mobile(chance)}
    traits["email"] = f"{address}{number}@example.com"
    if chance.random() < 0.7:
        traits["phone"] = _mobile(chance)
    if chance.random() < 0.4:
        traits["birthday"] = f"{chance.randint(1965, 2006)}-{chance.randint(1, 12):02}-17"
    return traits


def _name(chance: Random, locale: str) -> tuple[str, str, str, str]:
    """First name, last name, gender, and what stands before the number in the address."""
    if locale == "en" and chance.random() < 0.6:
        first, last, gender = chance.choice(FOREIGN_NAMES)
        return first, last, gender, _plain(f"{first}.{last}")
    gender = chance.choice(("female", "male"))
    first_fa, first = chance.choice(FIRST_NAMES[gender])
    last_fa, last = chance.choice(LAST_NAMES)
    address = _plain(f"{first}.{last}")
    return (
        (first, last, gender, address) if locale == "en" else (first_fa, last_fa, gender, address)
    )


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return letters.replace("'", "").lower()


def _mobile(chance: Random) -> str:
    """Written as people write it: with a zero, with the country's code, in Persian digits."""
    rest = f"{chance.choice((912, 935, 919, 902, 990))}{chance.randint(1_000_000, 9_999_999)}"
    style = chance.random()
    if style < 0.2:
        return "".join("۰۱۲۳۴۵۶۷۸۹"[int(digit)] for digit in "0" + rest)
    return ("+98" if style < 0.4 else "0098" if style < 0.5 else "0") + rest
