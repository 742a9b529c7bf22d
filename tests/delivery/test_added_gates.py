"""Gates of plugins: asked after ours, able to restrict and to nothing else, failing closed."""

import sys
from typing import Any

import pytest

from angarium.core.delivery.added_gates import SOONEST, added_gates, candidate_of
from angarium.core.delivery.gates import ASK_AGAIN, GATES, SEND, Decision, Hold, Skip
from angarium.core.delivery.judge import judge
from angarium.plugins import gates as added
from tests.delivery.examples import NOW
from tests.delivery.test_gates import attempt, person


def decision(gate: Any, **changes: Any) -> Decision:
    return judge(attempt(**changes), (*GATES, *added_gates({"mine": gate}))).decision


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (added.Send(), SEND),
        (added.Hold(NOW + 5_000), Hold(NOW + 5_000, "plugin.mine")),
        (added.Hold(NOW + 5_000, "holiday"), Hold(NOW + 5_000, "plugin.mine.holiday")),
        (added.Hold(0), Hold(NOW + SOONEST, "plugin.mine")),
        (added.Skip("listed"), Skip("plugin.mine.listed")),
        (added.Skip(), Skip("plugin.mine")),
    ],
)
def test_what_a_gate_answers_is_done(answer: Any, expected: Decision) -> None:
    assert decision(lambda _: answer) == expected


@pytest.mark.parametrize("answer", [None, True, "send", SEND, Skip("ours"), added.Send])
def test_what_is_no_answer_holds(answer: Any) -> None:
    assert decision(lambda _: answer) == Hold(NOW + ASK_AGAIN, "gate_error")


@pytest.mark.parametrize(
    "gate",
    [
        lambda _: 1 / 0,
        lambda _: sys.exit(),
        lambda _: added.Skip("A Reason With Somebody's Name"),
        lambda candidate: candidate.attributes.update(city="Karaj"),
        lambda: added.Send(),
    ],
)
def test_a_gate_that_raises_holds(gate: Any) -> None:
    assert decision(gate) == Hold(NOW + ASK_AGAIN, "gate_error")


def test_a_gate_is_not_asked_about_what_ours_refuse() -> None:
    asked: list[added.Candidate] = []

    refused = decision(asked.append, person=person(consent=("opted_out", "said")))

    assert refused == Skip("opted_out")
    assert asked == []


def test_gates_are_asked_in_the_order_of_their_names_and_shown_under_them() -> None:
    gates = added_gates({"b": lambda _: added.Send(), "a": lambda _: added.Skip()})

    verdicts = judge(attempt(), (*GATES, *gates)).verdicts

    assert [(one.gate, one.verdict) for one in verdicts[-2:]] == [
        ("plugin.a", "skip"),
        ("plugin.b", "not_asked"),
    ]


def test_a_candidate_says_what_is_to_be_sent_and_shows_nobody() -> None:
    candidate = candidate_of(attempt())

    assert (candidate.now, candidate.address, candidate.known) == (NOW, "a@b.c", True)
    assert dict(candidate.attributes) == {"city": "Tehran"}
    assert (candidate.kind, candidate.provider) == ("marketing", "email_smtp")
    assert "a@b.c" not in repr(candidate)
    assert "Tehran" not in repr(candidate)
