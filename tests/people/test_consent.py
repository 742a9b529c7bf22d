import pytest

from angarium.core.events.message import Message
from angarium.core.people.catalogue import Types
from angarium.core.people.consent import (
    Consent,
    Standing,
    Word,
    bind,
    merge,
    say,
    standing,
    standings,
)
from angarium.core.people.profile import State, absorb, attributes_of, consents_of

OUT, IN = False, True


def known(opted_in: bool, at: int) -> Word:
    return Word(opted_in, at, 0)


def visitor(opted_in: bool, at: int, bound_at: int | None = None) -> Word:
    return Word(opted_in, at, 0, "explicit", "a1", bound_at)


def consent_of(*words: Word) -> Consent:
    consent = Consent()
    for word in words:
        consent = say(consent, word)
    return consent


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([known(IN, 1)], "opted_in"),
        ([known(IN, 1), known(OUT, 2)], "opted_out"),
        ([known(OUT, 2), known(IN, 1)], "opted_out"),
        ([known(OUT, 1), known(IN, 2)], "opted_in"),
        # In a merge the stricter wins, whichever side said it and when.
        ([known(IN, 1), visitor(OUT, 2, bound_at=3)], "opted_out"),
        ([visitor(OUT, 1, bound_at=3), known(IN, 2)], "opted_out"),
        ([known(OUT, 1), visitor(IN, 2, bound_at=3)], "opted_out"),
        ([visitor(IN, 1, bound_at=3), known(OUT, 2)], "opted_out"),
        # What the person says after the login is the latest word.
        ([visitor(OUT, 1, bound_at=3), known(IN, 4)], "opted_in"),
        # A visit's own last word is what counts of it.
        ([visitor(OUT, 1, bound_at=3), visitor(IN, 2, bound_at=3)], "opted_in"),
        ([visitor(OUT, 1), visitor(IN, 2)], "opted_in"),
        ([visitor(IN, 1), visitor(OUT, 2)], "opted_out"),
        # Two visits: a later visit's permission does not undo the earlier one's refusal.
        ([visitor(OUT, 1, bound_at=3), visitor(IN, 5, bound_at=7)], "opted_out"),
    ],
)
def test_the_ruling_word(words: list[Word], state: str) -> None:
    assert standing(consent_of(*words), False, None).state == state
    assert standing(consent_of(*reversed(words)), False, None).state == state


def test_a_login_binds_what_the_visitor_said_before_it() -> None:
    consent = consent_of(known(IN, 2), visitor(OUT, 1))

    assert bind(consent, "a1", 3)
    assert standing(consent, False, None).state == "opted_out"


def test_an_earlier_login_that_arrives_late_binds_nearer() -> None:
    consent = consent_of(visitor(OUT, 1))
    bind(consent, "a1", 9)

    assert bind(consent, "a1", 3)
    assert not bind(consent, "a1", 5)
    assert consent.anonymous[0].bound_at == 3


def test_merging_consents_equals_hearing_all_words_of_both() -> None:
    left, right = [known(IN, 1), visitor(OUT, 2, 3)], [known(OUT, 2), visitor(IN, 5)]

    assert merge(consent_of(*left), consent_of(*right)) == consent_of(*left, *right)


@pytest.mark.parametrize(
    ("attributes", "email", "sms", "push"),
    [
        ({}, "unset", "unset", "unset"),
        ({"email": "a@b.example"}, "opted_in", "unset", "unset"),
        ({"mobile": "+989121234567"}, "unset", "opted_in", "unset"),
    ],
)
def test_who_gave_an_address_is_opted_in_by_default(
    attributes: dict[str, str], email: str, sms: str, push: str
) -> None:
    found = standings({}, attributes)

    assert (found["email"].state, found["sms"].state, found["push"].state) == (email, sms, push)
    assert found["push"] == Standing("unset", "none")


def test_an_opt_out_that_came_before_the_address_holds() -> None:
    found = standings({"email": consent_of(known(OUT, 1))}, {"email": "a@b.example"})

    assert found["email"].state == "opted_out"


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("first", [True, False])
def test_of_two_words_of_one_instant_the_stricter_rules(number: int, first: bool) -> None:
    """As in one batch without timestamps; the attribute says the same."""
    state = State()
    for id, opted_in in ((f"a{number}", first), (f"b{number}", not first)):
        traits = {"email": "sara@example.org", "email_opt_in": opted_in}
        told = Message(
            id=id,
            kind="identify",
            name="",
            properties={},
            traits=traits,
            user_id="u",
            anonymous_id=None,
            at=5,
            received_at=5,
        )
        absorb(state, told, Types({}), "IR", lambda _: None)
    attributes = attributes_of(state)
    assert consents_of(state, attributes)["email"].state == "opted_out"
    assert attributes["email_opt_in"] is False
