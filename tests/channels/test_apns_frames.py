"""Frames come out whole, however their bytes came in; GOAWAY comes out as what it says."""

from itertools import pairwise

import pytest
from h2.exceptions import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

from angarium.channels._apns_frames import FrameReader, GoAway
from tests.counterparts.h2_scripted import frame, goaway

FRAMES = st.builds(
    frame,
    st.sampled_from([0, 1, 2, 3, 4, 5, 6, 8, 9, 200]),
    st.integers(0, 255),
    st.integers(0, 2**31 - 1),
    st.binary(max_size=40),
)
LEAVINGS = st.builds(goaway, st.integers(0, 2**31 - 1), st.integers(0, 13))


@given(st.lists(FRAMES | LEAVINGS, max_size=10), st.lists(st.integers(0, 500)))
def test_frames_come_out_whole(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    reader = FrameReader()

    read = [one for begin, end in pairwise(edges) for one in reader.read(data[begin:end])]

    assert read == [
        GoAway(int.from_bytes(one[9:13], "big")) if one[3] == 7 else one for one in frames
    ]


def test_a_goaway_that_is_too_short_is_left_to_h2() -> None:
    short = frame(7, 0, 0, b"1234567")

    assert list(FrameReader().read(short)) == [short]


def test_a_frame_that_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(ProtocolError):
        list(FrameReader().read(b"\x00\x40\x01" + bytes(6)))
