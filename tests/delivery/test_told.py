from typing import Any

import pytest

from angarium.core.delivery.told import read_told

DELIVERY = "dlv_0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Message Shown", "shown"),
        ("Message Opened", "opened"),
        ("Message Clicked", "clicked"),
        ("Message Dismissed", "dismissed"),
    ],
)
def test_an_event_tells_a_reaction(event: str, kind: str) -> None:
    told = read_told(event, {"delivery": DELIVERY, "button": "buy"}, "m1", 17)

    assert told is not None
    assert (told.kind, told.delivery, told.at) == (kind, DELIVERY, 17)
    assert told == read_told(event, {"delivery": DELIVERY}, "m1", 17), "the same message, once"
    assert told != read_told(event, {"delivery": DELIVERY}, "m2", 17)


@pytest.mark.parametrize(
    ("event", "properties"),
    [
        ("Message Opened", {}),
        ("Message Opened", {"delivery": None}),
        ("Message Opened", {"delivery": 7}),
        ("Message Opened", {"delivery": [DELIVERY]}),
        ("Message Opened", {"delivery": "express"}),
        ("Message Opened", {"delivery": "dlv_" + "x" * 100}),
        ("message opened", {"delivery": DELIVERY}),
        ("Purchase", {"delivery": DELIVERY}),
    ],
)
def test_any_other_event_is_only_that(event: str, properties: dict[str, Any]) -> None:
    assert read_told(event, properties, "m1", 17) is None
