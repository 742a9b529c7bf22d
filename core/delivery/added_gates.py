"""Gates that plugins add, as gates of ours: asked last, and only to restrict."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from angarium.core.delivery.attempt import Attempt
from angarium.core.delivery.gates import SECOND, SEND, Decision, Gate, Hold, Skip
from angarium.plugins import gates as added

PREFIX: Final = "plugin."
"""Of names and reasons: what a plugin says cannot pass for what we say."""
SOONEST: Final = SECOND
"""How long a hold lasts at least: one that ends in the past would be asked without end."""


def added_gates(gates: Mapping[str, added.Gate]) -> tuple[Gate, ...]:
    """Plugins' gates by name, in the order of their names."""
    return tuple(_gate(name, ask) for name, ask in sorted(gates.items()))


def _gate(name: str, ask: added.Gate) -> Gate:
    name = PREFIX + name

    def decide(attempt: Attempt) -> Decision:
        match _answer(ask, candidate_of(attempt)):
            case added.Send():
                return SEND
            case added.Hold(until, reason):
                return Hold(max(until, attempt.now + SOONEST), _word(name, reason))
            case added.Skip(reason):
                return Skip(_word(name, reason))
            case _:
                raise TypeError(f"the gate {name} answered neither Send, Hold nor Skip")

    return Gate(name, decide, _saw_nothing)


def candidate_of(attempt: Attempt) -> added.Candidate:
    """What a plugin's gate may see of an attempt that every gate of ours let pass."""
    delivery, person = attempt.delivery, attempt.person
    return added.Candidate(
        now=attempt.now,
        workspace=delivery.workspace,
        delivery=delivery.id,
        campaign=delivery.campaign,
        version=delivery.version,
        step=delivery.step,
        channel=delivery.channel,
        provider=attempt.provider,
        kind=delivery.class_,
        test=delivery.test,
        expires_at=delivery.expires_at,
        address=person.address if person is not None else "",
        attributes=MappingProxyType(dict(attempt.attributes)),
        known=person is not None and person.facts.known,
    )


def _answer(ask: added.Gate, candidate: added.Candidate) -> object:
    try:
        return ask(candidate)
    except SystemExit as error:  # no Exception: it would end the worker
        raise RuntimeError("a gate called exit()") from error


def _word(name: str, reason: str) -> str:
    """What the statistics count."""
    return f"{name}.{reason}" if reason else name


def _saw_nothing(_: Attempt) -> Mapping[str, Any]:
    return {}
