"""How much the door lets in: of one body, of one key, of everybody."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.gateway.limits import UNDECLARED_BYTES, Allowances, ClientGone, Room, read_body
from angarium.gateway.problems import Refusal
from tests.gateway.doors import NOON, Clock

Receive = Callable[[], Awaitable[dict[str, Any]]]


def arriving(*parts: bytes, then: str = "http.disconnect") -> Receive:
    """A client that sends `parts` and then goes, or never sends the rest."""
    waiting = [{"type": "http.request", "body": p, "more_body": True} for p in parts]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        if then == "nothing":
            await asyncio.Event().wait()
        return {"type": then, "body": b"!", "more_body": False}

    return receive


async def test_a_body_is_put_together_from_its_parts() -> None:
    assert await read_body(arriving(b"a", b"b", then="http.request"), None, 3) == b"ab!"


async def test_a_body_that_is_declared_too_large_is_not_read() -> None:
    with pytest.raises(Refusal) as refused:
        await read_body(arriving(then="nothing"), 4, 3)

    assert refused.value.problem.status == 413
    assert refused.value.headers == {}, "its sender shall be able to read this"


async def test_a_sender_of_a_huge_body_is_cut_off() -> None:
    with pytest.raises(Refusal) as refused:
        await read_body(arriving(then="nothing"), 10**12, 3)

    assert refused.value.headers == {"Connection": "close"}


async def test_reading_stops_at_the_limit() -> None:
    with pytest.raises(Refusal) as refused:
        await read_body(arriving(b"ab", b"cd", then="nothing"), None, 3)

    assert (refused.value.problem.status, refused.value.headers) == (413, {"Connection": "close"})


async def test_of_a_client_that_goes_nothing_is_kept() -> None:
    with pytest.raises(ClientGone):
        await read_body(arriving(b"a"), None, 3)


def refused_after(allowances: Allowances, key: str) -> int:
    """The Retry-After that `key` gets; 0 if it may send."""
    try:
        allowances.check(key)
    except Refusal as refusal:
        return int(refusal.headers["Retry-After"])
    return 0


def test_a_key_may_go_into_debt_once_and_then_waits() -> None:
    clock = Clock()
    allowances = Allowances(10, clock)

    allowances.spend("a", 35)

    assert (refused_after(allowances, "a"), refused_after(allowances, "b")) == (3, 0)
    clock.at += 2_400
    assert refused_after(allowances, "a") == 1
    clock.at += 200
    assert refused_after(allowances, "a") == 0


def test_what_is_not_used_does_not_add_up() -> None:
    clock = Clock()
    allowances = Allowances(10, clock)
    allowances.spend("a", 1)
    clock.at += 3_600_000

    allowances.spend("a", 21)

    assert refused_after(allowances, "a") == 2


def test_without_a_limit_nobody_waits() -> None:
    allowances = Allowances(0, Clock())

    allowances.spend("a", 10**9)

    assert refused_after(allowances, "a") == 0


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 100)), max_size=40))
def test_over_any_time_a_key_gets_no_more_than_its_share(steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    allowances = Allowances(10, clock)
    taken, largest = 0, 0

    for wait, count in steps:
        clock.at += wait
        if not refused_after(allowances, "a"):
            allowances.spend("a", count)
            taken, largest = taken + count, max(largest, count)

    assert taken <= 10 + (clock.at - NOON) * 10 / 1000 + largest


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    clock = Clock()
    allowances = Allowances(10, clock)
    allowances.spend("a", 20)
    clock.at -= 10_000

    assert refused_after(allowances, "a") == 2


def test_bodies_inside_the_door_have_a_limit_together() -> None:
    room = Room(100)
    sizes = [room.take(60), room.take(40)]

    with pytest.raises(Refusal) as refused:
        room.take(1)

    assert refused.value.problem.status == 429
    assert refused.value.headers == {"Retry-After": "1"}
    for size in sizes:
        room.give(size)
    assert room.taken == 0


def test_one_body_always_finds_room() -> None:
    assert Room(100).take(1_000) == 1_000


def test_a_body_of_unknown_length_takes_some_room() -> None:
    assert Room().take(None) == UNDECLARED_BYTES
