from hypothesis import given
from hypothesis import strategies as st

from angarium.core.bus.wire import Outgoing, join

MOST = 12

kinds = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans()), max_size=30)


def made_of(kinds: list[tuple[str, bool]]) -> list[Outgoing]:
    """A message for each subject, that joins or not; each body is another number."""
    return [
        Outgoing(subject, b"%d" % number, joins=joins)
        for number, (subject, joins) in enumerate(kinds)
    ]


def members(message: Outgoing) -> list[bytes]:
    return message.body.strip(b"[]").split(b",")


@given(kinds)
def test_each_body_stays_once_under_its_subject(kinds: list[tuple[str, bool]]) -> None:
    given = made_of(kinds)

    found = [(m.subject, body) for m in join(given, MOST) for body in members(m)]

    assert sorted(found) == sorted((message.subject, message.body) for message in given)


@given(kinds)
def test_those_of_a_subject_that_join_stay_in_their_order(kinds: list[tuple[str, bool]]) -> None:
    given = made_of(kinds)
    joining = {message.body for message in given if message.joins}

    for subject in ("a", "b"):
        of_subject = [m for m in join(given, MOST) if m.subject == subject]
        found = [int(body) for m in of_subject for body in members(m) if body in joining]
        assert found == sorted(found)


@given(kinds)
def test_no_array_is_larger_than_allowed(kinds: list[tuple[str, bool]]) -> None:
    assert all(len(message.body) <= MOST for message in join(made_of(kinds), MOST))


def test_what_fits_is_one_array() -> None:
    given = [Outgoing("a", body, joins=True) for body in (b"{}", b"[1]", b"2")]

    assert join(given, MOST) == [Outgoing("a", b"[{},[1],2]")]


def test_one_alone_stays_as_it_is() -> None:
    assert join([Outgoing("a", b"{}", joins=True)], MOST) == [Outgoing("a", b"{}")]


def test_what_has_an_id_or_readers_of_its_own_is_left_alone() -> None:
    given = [Outgoing("a", b"{}", "id"), Outgoing("a", b"{}")]

    assert join(given, MOST) == given
