"""Ask the gates about one attempt, and keep what each of them said for `explain` (N2)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from angarium.core.delivery.attempt import Attempt
from angarium.core.delivery.gates import ASK_AGAIN, GATES, SEND, Decision, Gate, Hold, Skip

NOT_ASKED: Final = "not_asked"


class Verdict(msgspec.Struct, frozen=True):
    """What one gate said: `send`, `hold`, `skip`, or `not_asked` as an earlier one had refused.

    saw: what it looked at.
    """

    gate: str
    verdict: str
    reason: str
    saw: Mapping[str, Any]


class Judgement(msgspec.Struct, frozen=True):
    """The decision, every gate's verdict in order, and the mistake of a gate that failed."""

    decision: Decision
    verdicts: Sequence[Verdict]
    error: Exception | None = None


def judge(attempt: Attempt, gates: Sequence[Gate] = GATES) -> Judgement:
    """Ask every gate in order; the first refusal wins.

    Fails closed: a gate that raises holds the message, and is asked again a minute later.
    """
    verdicts: list[Verdict] = []
    for gate in gates:
        try:
            answer = gate.decide(attempt)
            saw = gate.saw(attempt)
        except Exception as mistake:
            answer = Hold(attempt.now + ASK_AGAIN, "gate_error")
            return _refused(answer, gate, {}, verdicts, gates, mistake)
        if answer is not SEND:
            return _refused(answer, gate, saw, verdicts, gates, None)
        verdicts.append(Verdict(gate.name, "send", "", saw))
    return Judgement(SEND, verdicts)


def _refused(
    answer: Decision,
    gate: Gate,
    saw: Mapping[str, Any],
    before: Sequence[Verdict],
    gates: Sequence[Gate],
    error: Exception | None,
) -> Judgement:
    verdict = Verdict(gate.name, *_words(answer), saw)
    after = [Verdict(each.name, NOT_ASKED, "", {}) for each in gates[len(before) + 1 :]]
    return Judgement(answer, [*before, verdict, *after], error)


def _words(decision: Decision) -> tuple[str, str]:
    match decision:
        case Hold(_, reason):
            return "hold", reason
        case Skip(reason):
            return "skip", reason
        case _:
            return "send", ""
