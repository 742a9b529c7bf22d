"""Ask the gates about one attempt, and keep what each of them said for `explain` (N2)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from angarium.core.delivery.attempt import Attempt
from angarium.core.delivery.gates import ASK_AGAIN, GATES, SEND, Decision, Gate, Hold, Send, Skip
from angarium.core.events.times import format_instant

NOT_ASKED: Final = "not_asked"


class Verdict(msgspec.Struct, frozen=True):
    """What one gate said: `send`, `hold`, `skip`, or `not_asked` as an earlier one had refused.

    at: RFC 3339, in UTC. saw: what it looked at.
    """

    gate: str
    verdict: str
    reason: str
    at: str
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
    at = format_instant(attempt.now)
    verdicts: list[Verdict] = []
    decision: Decision = SEND
    error: Exception | None = None
    for gate in gates:
        if decision is not SEND:
            verdicts.append(Verdict(gate.name, NOT_ASKED, "", at, {}))
            continue
        saw: Mapping[str, Any] = {}
        try:
            answer = gate.decide(attempt)
            saw = gate.saw(attempt)
        except Exception as mistake:
            error = mistake
            answer = Hold(attempt.now + ASK_AGAIN, "gate_error")
        verdicts.append(Verdict(gate.name, *_words(answer), at, saw))
        if not isinstance(answer, Send):
            decision = answer
    return Judgement(decision, verdicts, error)


def _words(decision: Decision) -> tuple[str, str]:
    match decision:
        case Hold(_, reason):
            return "hold", reason
        case Skip(reason):
            return "skip", reason
        case _:
            return "send", ""
