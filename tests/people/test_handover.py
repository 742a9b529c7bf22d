"""Whose devices are, and which of them an address reaches, in whatever order words come."""

from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.people.devices import Device, Devices, Word, address_key, stamp
from angarium.core.people.handover import Books, Claim

PEOPLE = ("p1", "p2", "p3")
ONE_ENDPOINT = tuple(f'{{"endpoint":"e","keys":{{"auth":"{key}"}}}}' for key in "ab")


class Said(NamedTuple):
    profile: str
    id: str
    word: Word


class World:
    """All people and the whole directory."""

    def __init__(self, most: int = 50) -> None:
        self.people: dict[str, Devices] = {profile: {} for profile in PEOPLE}
        self.holders: dict[str, str] = {}
        self.claims: dict[str, Claim] = {}
        self.most = most

    def hear(self, *said: Said) -> Books:
        """One batch."""
        books = Books(self.people, self.holders, self.claims, self.most)
        for one in said:
            books.hear(*one)
        books.close()
        return books

    @property
    def reached(self) -> dict[str, tuple[str, str]]:
        """By address: whom it reaches, on which device."""
        return {
            device.address.text: (profile, id)
            for profile, devices in self.people.items()
            for id, device in devices.items()
            if device.address is not None and device.is_live
        }


def said(profile: str, id: str, at: int, address: str | None = None, tie: int = 0) -> Said:
    return Said(profile, id, Word(at, tie, "ios", address))


def test_a_token_goes_along_to_who_logs_in_on_the_phone() -> None:
    world = World()
    world.hear(said("p1", "phone", 1, "token"))

    books = world.hear(said("p2", "phone", 2))

    assert world.reached == {"token": ("p2", "phone")}
    assert (books.moved, books.touched) == ({"phone"}, {"p1", "p2"})
    assert world.people["p1"] == {}


def test_a_late_word_of_who_had_the_phone_before_takes_nothing_back() -> None:
    world = World()
    world.hear(said("p2", "phone", 2))

    books = world.hear(said("p1", "phone", 1, "token"))

    assert world.reached == {"token": ("p2", "phone")}
    assert books.moved == set()


def test_a_token_reaches_only_the_device_that_told_it_last() -> None:
    world = World()
    world.hear(said("p1", "old install", 1, "token"))
    world.hear(said("p2", "new install", 2, "token"))
    assert world.reached == {"token": ("p2", "new install")}

    world.hear(said("p1", "old install", 3, "token"))
    assert world.reached == {"token": ("p1", "old install")}


def test_an_endpoint_reaches_one_device_whatever_its_keys() -> None:
    world = World()
    first, second = ONE_ENDPOINT
    world.hear(said("p1", "before", 1, first))
    world.hear(said("p2", "after", 2, second))

    assert world.reached == {second: ("p2", "after")}


def test_a_browser_that_withdraws_gets_nothing() -> None:
    world = World()
    world.hear(said("p1", "browser", 1, '{"endpoint": "e"}'))
    world.hear(said("p1", "browser", 2, ""))
    assert world.reached == {}

    world.hear(said("p1", "browser", 3, '{"endpoint": "e"}'))
    assert world.reached == {'{"endpoint": "e"}': ("p1", "browser")}


@pytest.mark.parametrize(("at", "live"), [(4, False), (5, False), (6, True)])
def test_a_dead_token_lives_again_when_it_is_told_later(at: int, live: bool) -> None:
    world = World()
    world.hear(said("p1", "phone", 1, "token"))
    claim = world.claims[address_key("token")]
    claim.dead_at, claim.dead_reason = 5, "gone"
    world.hear(said("p1", "phone", at, "token"))

    assert ("token" in world.reached) is live
    assert world.people["p1"]["phone"].is_dead is not live


def test_a_token_that_died_on_one_device_is_dead_on_the_next() -> None:
    world = World()
    world.hear(said("p1", "phone", 1, "token"))
    world.claims[address_key("token")].dead_at = 5
    world.hear(said("p1", "copy", 4, "token"))

    assert world.reached == {}


def test_only_the_devices_used_last_are_kept() -> None:
    world = World(most=2)

    books = world.hear(*(said("p1", f"d{n}", n) for n in (3, 1, 2)))

    assert sorted(world.people["p1"]) == ["d2", "d3"]
    assert (books.dropped, books.moved) == ({"d1"}, {"d2", "d3"})


@st.composite
def histories(draw: st.DrawFn) -> list[Said]:
    addresses = st.sampled_from([None, None, "", "t1", "t2", *ONE_ENDPOINT])
    return [
        Said(
            draw(st.sampled_from(PEOPLE)),
            draw(st.sampled_from(["d1", "d2"])),
            Word(
                draw(st.integers(0, 5)),
                number,
                draw(st.sampled_from([None, "android", "ios"])),
                draw(addresses),
                draw(st.sampled_from([None, None, True, False])),
                draw(st.sampled_from([None, None, True, False])),
            ),
        )
        for number in range(draw(st.integers(1, 9)))
    ]


def expected(history: list[Said]) -> dict[str, tuple[str, Device]]:
    """By device: who holds it, and what it said, worked out from all words at once."""
    found: dict[str, tuple[str, Device]] = {}
    words = sorted(history, key=lambda one: stamp(one.word))
    claims = {address_key(one.word.address): one.id for one in words if one.word.address}
    for one in words:
        world = World()
        world.people["p1"] = {one.id: found[one.id][1]} if one.id in found else {}
        world.holders = {one.id: "p1"} if one.id in found else {}
        world.hear(Said("p1", one.id, one.word))
        found[one.id] = (one.profile, world.people["p1"][one.id])
    for id, (_, device) in found.items():
        if device.address is not None and device.address.text:
            device.address.lost = claims[address_key(device.address.text)] != id
    return found


@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_batches_give_the_same_books(
    history: list[Said], shuffle: Random
) -> None:
    shuffled = list(history)
    shuffle.shuffle(shuffled)
    one_by_one, at_once = World(), World()

    for one in shuffled:
        one_by_one.hear(one)
    at_once.hear(*reversed(shuffled))

    for world in (one_by_one, at_once):
        found = {
            id: (profile, device)
            for profile, devices in world.people.items()
            for id, device in devices.items()
        }
        assert found == expected(history)
        assert world.holders == {id: profile for id, (profile, _) in found.items()}
