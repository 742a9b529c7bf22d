"""Frames: cut right wherever the pipe cuts them, and never too large."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.gateway.isolation.wire import (
    Begun,
    Call,
    Cancel,
    Described,
    Done,
    Failed,
    Frames,
    Heard,
    Noted,
    Offer,
    Order,
    Oversized,
    Ping,
    Pong,
    Ready,
    Said,
    Start,
    decode_order,
    decode_said,
    frame,
)

ORDERS: Sequence[Order] = (
    Start(
        "serve",
        ("a", "b:c"),
        7,
        1 << 40,
        3,
        10.5,
        provider="sms_a",
        where="channels.sms_a",
        section={"token": "t", "n": 5},
        channels=(("x", "y"),),
    ),
    Call(1, "send", b"body"),
    Call(2**40, "report", b"", "name"),
    Cancel(1),
    Noted(3, True),
    Ping(5),
)
SAID: Sequence[Said] = (
    Described((Offer("sms_a", "sms", ("token",), True, ("ios",)),), ("listener",), True),
    Described(error="no"),
    Ready((("channels.a.b", "missing"),)),
    Begun(1),
    Done(1, b"id"),
    Failed(1, "temporary", "busy", 1.5, pause=True, where="file.py:3"),
    Failed(1, "permanent", "gone", address_dead=True, dead_since=5),
    Heard(1, 2, b"update"),
    Pong(5),
)


@pytest.mark.parametrize("order", ORDERS, ids=lambda one: type(one).__name__)
def test_an_order_arrives_as_it_was_given(order: Order) -> None:
    [body] = Frames().cut(frame(order))

    assert decode_order(body) == order


@pytest.mark.parametrize("said", SAID, ids=lambda one: type(one).__name__)
def test_what_is_said_arrives_as_it_was_said(said: Said) -> None:
    [body] = Frames().cut(frame(said))

    assert decode_said(body) == said


@given(st.lists(st.binary(max_size=300), max_size=8), st.data())
def test_frames_are_the_same_however_the_pipe_cuts_them(
    bodies: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(frame(Done(1, body)) for body in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    frames = Frames()

    found = [
        decode_said(body)
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for body in frames.cut(stream[begin:end])
    ]

    assert found == [Done(1, body) for body in bodies]


def test_a_frame_that_claims_to_be_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(Oversized):
        list(Frames(100).cut(b"\xff\xff\xff\xff"))


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_answer_or_is_refused(data: bytes) -> None:
    try:
        for body in Frames(1000).cut(data):
            decode_said(body)
    except (Oversized, msgspec.MsgspecError):
        pass
