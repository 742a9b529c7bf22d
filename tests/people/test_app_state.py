"""Whether an app is open (S1.15): Segment's lifecycle events, in whatever order they come."""

from itertools import permutations

import pytest

from angarium.core.events.message import Device as Told
from angarium.core.events.message import Message, tie
from angarium.core.events.times import MINUTE
from angarium.core.people.app_state import AppState, Sight
from angarium.core.people.devices import Address, Death, Device, confirm, open_devices, said_of_app
from tests.people.test_devices import read
from tests.workers.people import NOW, said

WITHIN = 10 * MINUTE
PHONE = Told("d1", "ios", None)


def from_app(name: str, at: int = 0, device: Told | None = PHONE) -> Message:
    id = device.id if device is not None else "a1"
    return said(f"m{at}", anonymous_id="a1", at=at, device=device, device_id=id, name=name)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Application Opened", True),
        ("Application Foregrounded", True),
        ("Application Backgrounded", False),
        ("Application Crashed", False),
        ("Application Uninstalled", False),
        ("Application Installed", None),
        ("application opened", None),
        ("Screen Viewed", None),
        ("", None),
    ],
)
def test_what_an_app_says_of_itself(name: str, word: bool | None) -> None:
    assert said_of_app(from_app(name)) is word
    assert said_of_app(from_app(name, device=None)) is None  # of which phone?


def test_a_device_that_says_nothing_else_is_one_if_it_says_that_its_app_is_open() -> None:
    unnamed = from_app("Application Opened", device=Told())
    unnamed.device_id = unnamed.anonymous_id
    word, problems = read(unnamed)

    assert problems == []
    assert word is not None
    assert word.app is True


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_word_stands_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    words = ["Application Opened", "Application Backgrounded", "Application Foregrounded"]
    device = Device(NOW, 0, "ios")
    for at in order:
        assert confirm(device, from_app(words[at], at))

    assert device.app == AppState(NOW + 2, tie("m2"), True)
    assert confirm(device, from_app("Visited", 5))
    assert device.sight == Sight(True, NOW + 5)


@pytest.mark.parametrize(
    ("said", "ago", "expected"),
    [
        (True, 0, True),
        (True, WITHIN, True),
        (True, WITHIN + 1, False),
        (True, -MINUTE, True),  # a clock ahead of ours
        (False, 0, False),
        (None, 0, False),
    ],
)
def test_open_holds_for_a_while_after_the_device_was_heard_of(
    said: bool | None, ago: int, expected: bool
) -> None:
    assert Sight(said, NOW - ago).is_open(NOW, WITHIN) is expected


def test_only_phones_that_can_be_reached_and_are_open_count() -> None:
    is_open, is_closed = AppState(1, 0, True), AppState(1, 0, False)
    devices = {
        "open": Device(NOW, 0, "ios", Address(1, 0, "t1"), app=is_open),
        "closed": Device(NOW, 0, "ios", Address(1, 0, "t2"), app=is_closed),
        "stale": Device(NOW - WITHIN - 1, 0, "ios", Address(1, 0, "t3"), app=is_open),
        "never said": Device(NOW, 0, "ios", Address(1, 0, "t4")),
        "no token": Device(NOW, 0, "ios", app=is_open),
        "dead": Device(NOW, 0, "ios", Address(1, 0, "t5"), death=Death(2, "gone"), app=is_open),
        "lost": Device(NOW, 0, "ios", Address(1, 0, "t6", lost=True), app=is_open),
        "browser": Device(NOW, 0, "web", Address(1, 0, "{}"), app=is_open),
    }

    assert list(open_devices(devices, "device_token", NOW, WITHIN)) == ["open"]
