"""The depth of JSON, told without parsing it."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.events.depth import is_deep

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[{]\\"', max_size=3), inner)
    ),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(VALUES)
def test_it_agrees_with_counting_the_levels_of_the_parsed_value(value: Any) -> None:
    text = msgspec.json.encode(value)

    assert is_deep(text, depth(value)) is False
    assert is_deep(text, depth(value) - 1) is (depth(value) > 0)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert not is_deep(b"[" + b"[[]]," * 5_000 + b"[]]", 3)


def test_brackets_inside_texts_do_not_count() -> None:
    assert not is_deep(b'["' + b"[" * 1_000 + b'"]')


def test_no_depth_is_too_much_for_it() -> None:
    assert is_deep(b"[" * 1_000_000)
