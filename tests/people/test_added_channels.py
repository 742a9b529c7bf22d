"""S2.10 for channels that plugins add: their consent is told, weighed and withdrawn as of ours."""

from typing import Any

import pytest

from angarium.core.delivery.addresses import Contact, consent_to
from angarium.core.events.message import Message, Operations
from angarium.core.events.values import Problem
from angarium.core.people.catalogue import Types
from angarium.core.people.consent import channels_by_attribute
from angarium.core.people.profile import State, absorb, attributes_of, choose, hear_login
from angarium.plugins import Channel, SmsContent

CHAT = Channel(
    name="chat",
    consent_attribute="chatOk",
    consent_default="opted_in",
    address_attribute="chat_id",
    address_kind="chat_id",
    content=SmsContent,
)
CONSENTS = channels_by_attribute([CHAT])
ADDRESS = {"chat_id": "4711"}


def told(at: int, known: bool = True, **members: Any) -> Message:
    user, visitor = ("u", None) if known else (None, "a")
    base: dict[str, Any] = {"kind": "identify", "name": "", "properties": {}, "traits": {}}
    base |= {"user_id": user, "anonymous_id": visitor, "at": at, "received_at": at}
    return Message(id=f"m{at}", **(base | members))


def after(*steps: Message | tuple[int, bool], fixed: dict[str, str] | None = None) -> State:
    """The state of somebody who said that, and chose (at, opted in) on a page of ours."""
    state, types = State(), Types(fixed or {}, [CHAT])
    for step in steps:
        if isinstance(step, Message):
            absorb(state, step, types, "IR", lambda _: None)
        else:
            at, opted_in = step
            choose(state, "chat", opted_in, at, f"c{at}", "preferences", CONSENTS)
    return state


def test_why_somebody_is_opted_out_is_told() -> None:
    state = after(told(1, traits={"chatOk": True}), (2, False))

    assert consent_to(CHAT, ADDRESS | attributes_of(state), Contact(state.consents)) == (
        "opted_out",
        "preferences",
    )


def stands(state: State) -> str:
    return consent_to(CHAT, ADDRESS | attributes_of(state), Contact(state.consents))[0]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((told(1, traits={"chatOk": False}),), "opted_out"),
        ((told(1, traits={"chatOk": "false"}),), "opted_out"),
        ((told(1, traits={"chatOk": 0}),), "opted_out"),
        ((told(1, traits={"chatOk": "true"}),), "opted_in"),
        (((1, True), told(2, traits={"chatOk": False})), "opted_out"),
        (((1, False), told(2, traits={"chatOk": True})), "opted_in"),
        ((told(1, traits={"chatOk": False}), (2, True)), "opted_in"),
        ((told(1, traits={"chatOk": True}), (2, False)), "opted_out"),
        ((told(2, traits={"chatOk": False}), told(1, traits={"chatOk": True})), "opted_out"),
    ],
)
def test_the_latest_word_rules_however_it_was_said(
    steps: tuple[Message | tuple[int, bool], ...], expected: str
) -> None:
    assert stands(after(*steps)) == expected


def test_an_opt_out_is_heard_whatever_type_its_attribute_had_before() -> None:
    state = after(told(1, traits={"chatOk": False}), fixed={"chatOk": "string"})

    assert stands(state) == "opted_out"


def test_an_opt_out_is_heard_where_there_are_as_many_attributes_as_may_be() -> None:
    full = {f"flag_{n}": "boolean" for n in range(25)}

    assert stands(after(told(1, traits={"chatOk": False}), fixed=full)) == "opted_out"


def test_what_was_refused_as_a_visitor_holds_after_the_login() -> None:
    state = after(told(1, known=False, traits={"chatOk": False}), told(2, traits={"chatOk": True}))
    hear_login(state, "a", 3)

    assert stands(state) == "opted_out"


@pytest.mark.parametrize("fixed", [{}, {"chat_id": "number"}])
def test_an_address_is_text_however_it_is_sent(fixed: dict[str, str]) -> None:
    """An app may send the id of a chat as a number, and another as text."""
    by_number = after(told(1, traits={"chat_id": 4711}), fixed=fixed)
    by_text = after(told(1, traits={"chat_id": 4711}), told(2, traits={"chat_id": "x"}))

    assert attributes_of(by_number) == {"chat_id": "4711"}
    assert attributes_of(by_text) == {"chat_id": "x"}


def test_the_attribute_shows_what_was_chosen() -> None:
    state = after(told(1, traits={"chatOk": True}), (2, False))

    assert attributes_of(state) == {"chatOk": False}


def test_a_consent_is_set_and_neither_counted_nor_collected() -> None:
    problems: list[Problem] = []
    said = told(1, operations=Operations(increment={"chatOk": 1}), traits={"chatOk": "perhaps"})
    state = State()

    absorb(state, said, Types({}, [CHAT]), "IR", problems.append)

    assert attributes_of(state) == {}
    assert {problem.code for problem in problems} == {"wrong_type"}


@pytest.mark.parametrize("stored", ["false", "true", 0, ["yes"]])
def test_what_was_stored_before_the_plugin_came_and_is_not_true_is_no_consent(
    stored: object,
) -> None:
    assert consent_to(CHAT, {**ADDRESS, "chatOk": stored}, Contact())[0] == "unset"


def test_an_opt_out_told_while_the_plugin_was_away_holds_when_it_is_back() -> None:
    state = after(told(1, traits={"chatOk": True}))
    absorb(state, told(2, traits={"chatOk": False}), Types({}), "IR", lambda _: None)

    assert stands(state) == "opted_out"
