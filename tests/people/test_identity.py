from hypothesis import given
from hypothesis import strategies as st

from angarium.core.people.identity import Binding, compress, extend, first_new, owner_at

bindings = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["u1", "u2", "u3"])), max_size=10)


def owner_by_definition(history: list[Binding], at: int) -> str | None:
    """The person of the first binding at or after `at` (architecture.md, People)."""
    later = sorted(binding for binding in history if binding[0] >= at)
    return later[0][1] if later else None


@given(bindings, st.integers(0, 31))
def test_compressed_bindings_give_the_same_owner_as_all_of_them(
    history: list[Binding], at: int
) -> None:
    assert owner_at(compress(history), at) == owner_by_definition(history, at)


@given(bindings, bindings, st.integers(0, 31))
def test_extending_gives_the_same_owner_or_asks_for_the_history(
    old: list[Binding], new: list[Binding], at: int
) -> None:
    extended = extend(compress(old), new)

    if extended is not None:
        assert owner_at(extended, at) == owner_by_definition(old + new, at)


def test_bindings_in_order_never_need_the_history() -> None:
    found: list[Binding] = []
    for binding in [(1, "u1"), (2, "u1"), (3, "u2"), (4, "u1")]:
        extended = extend(found, [binding])
        assert extended is not None
        found = extended

    assert found == [(2, "u1"), (3, "u2"), (4, "u1")]


def test_a_late_binding_to_somebody_else_needs_the_history() -> None:
    assert extend([(5, "u1")], [(3, "u2")]) is None


def test_a_late_binding_to_the_same_person_changes_nothing() -> None:
    assert extend([(5, "u1")], [(3, "u1")]) == [(5, "u1")]


def test_what_somebody_does_after_the_logout_is_not_the_first_persons() -> None:
    login = [(10, "first")]

    assert owner_at(login, 9) == "first"
    assert owner_at(login, 10) == "first"
    assert owner_at(login, 11) is None
    assert owner_at([*login, (20, "second")], 11) == "second"


def test_the_first_new_binding_takes_the_open_profile() -> None:
    assert first_new([], [(5, "u1")]) == (5, "u1")
    assert first_new([(5, "u1")], [(8, "u1")]) == (8, "u1")
    assert first_new([(5, "u1")], [(5, "u1")]) is None
