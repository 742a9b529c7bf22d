"""The page of states is made from the table."""

import re
from pathlib import Path

from angarium.core.delivery.drawing import REASONS, states_page
from angarium.core.delivery.status import DeliveryState

GATES = Path(__file__).parents[2] / "core/delivery/gates.py"
PAGE = Path(__file__).parents[2] / "docs/delivery-states.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == states_page()


def test_every_state_is_drawn_and_explained() -> None:
    page = states_page()
    for state in DeliveryState:
        assert f"| `{state}` |" in page
        assert f"--> {state}\n" in page


def test_every_reason_that_a_gate_gives_is_explained() -> None:
    gates = GATES.read_text(encoding="utf-8")
    given = set(re.findall(r'\b(?:Skip|Hold)\([^()]*?"(\w+)"\)', gates)) - {"skip", "hold"}
    assert {"quiet_hours", "opted_out"} <= given <= {name for name, _, _ in REASONS}
