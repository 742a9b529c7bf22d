"""Decide whether a message may be sent now (B3).

Each gate answers for one rule and knows nothing of the others. The first gate that does not let the
message pass decides its fate. No path goes round them. A test send passes the same gates, but
four do not apply to it: it may come from a draft, to a tester outside the audience, at any hour,
and does not count towards the limit.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from angarium.core.campaigns.hours import ActiveHours, next_open, zone_of
from angarium.core.delivery.addresses import NO_ADDRESS, OPTED_IN, OPTED_OUT
from angarium.core.delivery.attempt import Attempt
from angarium.core.events.times import format_instant
from angarium.core.segments import conditions

SECOND: Final = 1_000
ASK_AGAIN: Final = 60 * SECOND
"""How long to hold what waits for an operator: a paused campaign, a missing provider."""


class Send(msgspec.Struct, frozen=True, tag="send"):
    """Nothing stands in the way."""


class Hold(msgspec.Struct, frozen=True, tag="hold"):
    """Ask again at `until` (ms); `reason` is what it waits for."""

    until: int
    reason: str


class Skip(msgspec.Struct, frozen=True, tag="skip"):
    """Never send it; `reason` is what the statistics count."""

    reason: str


Decision = Send | Hold | Skip

SEND: Final = Send()
"""The one value that lets a message pass; gates answer with it, not with another like it."""


class Gate(NamedTuple):
    """One rule: its name in explanations, its answer, and what it looked at (no address)."""

    name: str
    decide: Callable[[Attempt], Decision]
    saw: Callable[[Attempt], Mapping[str, Any]]


def campaign(attempt: Attempt) -> Decision:
    """The campaign is there, and nobody has stopped it."""
    if attempt.delivery.test:
        return SEND
    if attempt.campaign is None:
        return Skip("campaign_gone")
    match attempt.campaign.state:
        case "active":
            return SEND
        case "paused":
            return Hold(attempt.now + ASK_AGAIN, "campaign_paused")
        case state:
            return Skip(f"campaign_{state}")


def expiry(attempt: Attempt) -> Decision:
    """It is still of use."""
    return Skip("expired") if attempt.now >= attempt.delivery.expires_at else SEND


def person(attempt: Attempt) -> Decision:
    """There is such a person; who was erased is not."""
    return Skip("person_gone") if attempt.person is None else SEND


def audience(attempt: Attempt) -> Decision:
    """They are still in the audience, if leaving it cancels (S1.7)."""
    condition = _audience(attempt)
    if condition is None or attempt.person is None:
        return SEND
    inside = conditions.matches(condition, attempt.person.facts, attempt.now)
    return SEND if inside else Skip("left_audience")


def opt_in(attempt: Attempt) -> Decision:
    """They asked for messages on this channel (S2.10)."""
    state, why = attempt.person.consent if attempt.person else ("unset", "")
    if state == OPTED_IN:
        return SEND
    if state == OPTED_OUT:
        return Skip("opted_out")
    return Skip(NO_ADDRESS if why == NO_ADDRESS else "not_opted_in")


def address(attempt: Attempt) -> Decision:
    """There is somewhere to send it."""
    if attempt.person is None or not (attempt.person.address or attempt.person.bad_address):
        return Skip(NO_ADDRESS)
    return Skip("bad_address") if attempt.person.bad_address else SEND


def suppression(attempt: Attempt) -> Decision:
    """The address has not bounced, complained or been blocked."""
    suppressed = attempt.person is not None and attempt.person.suppressed
    return Skip("suppressed") if suppressed else SEND


def limit(attempt: Attempt) -> Decision:
    """They have not had enough of this campaign lately (S1.9)."""
    most = _limit(attempt)
    return Skip("limit_reached") if most is not None and attempt.recent >= most[0] else SEND


def active_hours(attempt: Attempt) -> Decision:
    """The campaign may send at this time of their day; else it waits until it may (S1.9)."""
    hours = _hours(attempt)
    if hours is None:
        return SEND
    opens_at = next_open(hours, _zone(hours, attempt), attempt.now)
    if opens_at == attempt.now:
        return SEND
    if opens_at >= attempt.delivery.expires_at:
        return Skip("expires_before_active_hours")
    return Hold(opens_at, "active_hours")


def provider(attempt: Attempt) -> Decision:
    """Somebody delivers on this channel, and wants messages now."""
    if not attempt.provider:
        return Hold(attempt.now + ASK_AGAIN, "no_provider")
    if attempt.now < attempt.paused_until:
        return Hold(attempt.paused_until, "provider_paused")
    return SEND


def _audience(attempt: Attempt) -> conditions.Condition | None:
    if attempt.campaign is None or attempt.delivery.test:
        return None
    return attempt.campaign.audience


def _limit(attempt: Attempt) -> tuple[int, int] | None:
    if attempt.campaign is None or attempt.delivery.test:
        return None
    return attempt.campaign.limit


def _hours(attempt: Attempt) -> ActiveHours | None:
    if attempt.campaign is None or attempt.delivery.test:
        return None
    return attempt.campaign.hours


def _zone(hours: ActiveHours, attempt: Attempt) -> str:
    return zone_of(hours, attempt.attributes, attempt.zone)


def _saw_campaign(attempt: Attempt) -> Mapping[str, Any]:
    state = attempt.campaign.state if attempt.campaign else None
    return {"state": state, "test": True} if attempt.delivery.test else {"state": state}


def _saw_expiry(attempt: Attempt) -> Mapping[str, Any]:
    return {"expiresAt": format_instant(attempt.delivery.expires_at)}


def _saw_person(attempt: Attempt) -> Mapping[str, Any]:
    return {"known": attempt.person.facts.known} if attempt.person else {}


def _saw_audience(attempt: Attempt) -> Mapping[str, Any]:
    condition = _audience(attempt)
    if condition is None or attempt.person is None:
        return {}
    return conditions.saw(condition, attempt.person.facts, attempt.now)


def _saw_opt_in(attempt: Attempt) -> Mapping[str, Any]:
    if attempt.person is None:
        return {}
    state, reason = attempt.person.consent
    return {"state": state, "reason": reason}


def _saw_address(attempt: Attempt) -> Mapping[str, Any]:
    if attempt.person is not None and attempt.person.bad_address:
        return {"problem": attempt.person.bad_address}
    return {"found": bool(attempt.person and attempt.person.address)}


def _saw_suppression(attempt: Attempt) -> Mapping[str, Any]:
    reason = attempt.person.suppressed if attempt.person else ""
    return {"reason": reason} if reason else {}


def _saw_limit(attempt: Attempt) -> Mapping[str, Any]:
    most = _limit(attempt)
    if most is None:
        return {}
    return {"sent": attempt.recent, "most": most[0], "withinSeconds": most[1] // SECOND}


def _saw_hours(attempt: Attempt) -> Mapping[str, Any]:
    hours = _hours(attempt)
    if hours is None:
        return {}
    zone = _zone(hours, attempt)
    return {"zone": zone, "opensAt": format_instant(next_open(hours, zone, attempt.now))}


def _saw_provider(attempt: Attempt) -> Mapping[str, Any]:
    if attempt.now < attempt.paused_until:
        until = format_instant(attempt.paused_until)
        return {"provider": attempt.provider, "pausedUntil": until}
    return {"provider": attempt.provider or None}


GATES: Final[tuple[Gate, ...]] = (
    Gate("campaign", campaign, _saw_campaign),
    Gate("expiry", expiry, _saw_expiry),
    Gate("person", person, _saw_person),
    Gate("audience", audience, _saw_audience),
    Gate("opt_in", opt_in, _saw_opt_in),
    Gate("address", address, _saw_address),
    Gate("suppression", suppression, _saw_suppression),
    Gate("limit", limit, _saw_limit),
    Gate("active_hours", active_hours, _saw_hours),
    Gate("provider", provider, _saw_provider),
)
