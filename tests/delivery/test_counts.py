"""Counters that are moved with the state."""

from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.counts import CountKey, Counts, Place, Standing, totals
from angarium.core.delivery.status import DeliveryState

S = DeliveryState
PLACE = Place("default", 500_000, "cmp_1", "", "email")
STANDINGS = st.builds(
    Standing, st.sampled_from(S), st.sampled_from(["", "p"]), st.sampled_from(["", "x"])
)


def key(kind: str, name: str, provider: str = "", reason: str = "") -> CountKey:
    return CountKey("default", 500_000, "cmp_1", "", "email", provider, kind, name, reason)


def test_a_planned_delivery_counts_once() -> None:
    counts = Counts()
    counts.move(PLACE, None, Standing(S.PLANNED))
    assert counts.changes() == [(key("state", "planned"), 1)]


def test_a_move_takes_away_what_was_added() -> None:
    counts = Counts()
    counts.move(PLACE, Standing(S.HELD, "", "active_hours"), Standing(S.HANDED, "p"))
    assert counts.changes() == [
        (key("state", "held", "", "active_hours"), -1),
        (key("state", "handed", "p"), 1),
    ]


def test_a_receipt_leaves_the_total_and_counts_beside_it() -> None:
    counts = Counts()
    counts.move(PLACE, Standing(S.ACCEPTED, "p"), Standing(S.BOUNCED, "p", "full"))
    assert counts.changes() == [(key("receipt", "bounced", "p", "full"), 1)]
    counts.move(PLACE, Standing(S.DELIVERED, "p"), Standing(S.BOUNCED, "p"))
    assert (key("receipt", "delivered", "p"), -1) in counts.changes()


def test_what_comes_to_nothing_is_not_written() -> None:
    counts = Counts()
    counts.move(PLACE, Standing(S.PLANNED), Standing(S.CLAIMED))
    counts.move(PLACE, Standing(S.CLAIMED), Standing(S.PLANNED))
    assert counts.changes() == []


def test_a_reaction_counts_the_first_and_all() -> None:
    counts = Counts()
    for first in (True, False, False):
        counts.react(PLACE, "p", "opened", first=first)
    assert counts.changes() == [
        (key("reaction", "opened", "p"), 1),
        (key("reactions", "opened", "p"), 3),
    ]


@given(st.lists(STANDINGS, min_size=1, max_size=20))
def test_any_way_through_the_states_leaves_one_delivery_counted(way: list[Standing]) -> None:
    """N4."""
    counts = Counts()
    before: Standing | None = None
    for standing in way:
        counts.move(PLACE, before, standing)
        before = standing
    left = counts.changes()
    assert [(k.kind, n) for k, n in left if k.kind == "state"] == [("state", 1)]
    found = totals((k.name, n) for k, n in left if k.kind == "state")
    assert found["planned"] == 1


def test_planned_is_the_sum_of_the_other_six() -> None:
    counted = [("planned", 1), ("held", 2), ("claimed", 3), ("handed", 4), ("accepted", 5)]
    rest = [("failed", 6), ("in_doubt", 7), ("skipped", 8), ("cancelled", 9)]
    assert totals([*counted, *rest]) == {
        "planned": 45,
        "waiting": 10,
        "accepted": 5,
        "failed": 6,
        "skipped": 8,
        "cancelled": 9,
        "in_doubt": 7,
    }
