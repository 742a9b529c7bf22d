"""Decide whether a message may be sent now (B3).

Each gate answers for one rule and knows nothing of the others. The first gate that does not let the
message pass decides its fate. No path goes round them. A test send passes the same gates, but
some do not apply to it: it may come from a draft, to a tester outside the audience, at any hour,
and neither limit nor caps hold it or count it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from angarium.core.campaigns.hours import ActiveHours, next_open, zone_of
from angarium.core.delivery.addresses import ADDRESS_DEAD, NO_ADDRESS, OPTED_IN, OPTED_OUT
from angarium.core.delivery.attempt import Attempt
from angarium.core.delivery.rules import Cap, capped_until, counted
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


def fallback(attempt: Attempt) -> Decision:
    """They have not reacted to the message in whose place it goes (S1.14)."""
    return Skip("reacted") if attempt.reacted else SEND


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
    if attempt.person.bad_address == ADDRESS_DEAD:
        return Skip(ADDRESS_DEAD)
    return Skip("bad_address") if attempt.person.bad_address else SEND


def suppression(attempt: Attempt) -> Decision:
    """The address has not bounced, complained or been blocked."""
    suppressed = attempt.person is not None and attempt.person.suppressed
    return Skip("suppressed") if suppressed else SEND


def app(attempt: Attempt) -> Decision:
    """Their app is open, where the message is only for an app that is (S1.15)."""
    if not _is_live(attempt):
        return SEND
    sight = attempt.person.app if attempt.person is not None else None
    is_open = sight is not None and sight.is_open(attempt.now, attempt.rules.app_open)
    return SEND if is_open else Skip("app_closed")


def limit(attempt: Attempt) -> Decision:
    """They have not had enough of this campaign lately (S1.9)."""
    most = _limit(attempt)
    return Skip("limit_reached") if most is not None and attempt.recent >= most[0] else SEND


def frequency_cap(attempt: Attempt) -> Decision:
    """They have not had enough of all messages lately; else it waits until they may get more."""
    until = capped_until(_caps(attempt), attempt.received, attempt.now)
    return SEND if until == attempt.now else Hold(until, "frequency_cap")


def quiet_hours(attempt: Attempt) -> Decision:
    """It is not the time of their day at which nobody is disturbed; else it waits for the end."""
    late = Skip("expires_in_quiet_hours")
    return _until_open(_quiet(attempt), attempt, lambda at: Hold(at, "quiet_hours"), late)


def active_hours(attempt: Attempt) -> Decision:
    """The campaign may send at this time of their day; else it waits until it may (S1.9)."""
    late = Skip("expires_before_active_hours")
    return _until_open(_hours(attempt), attempt, lambda at: Hold(at, "active_hours"), late)


def provider(attempt: Attempt) -> Decision:
    """Somebody delivers on this channel, and wants messages now."""
    if not attempt.provider:
        return Hold(attempt.now + ASK_AGAIN, "no_provider")
    if attempt.now < attempt.paused_until:
        return Hold(attempt.paused_until, attempt.pause)
    return SEND


def _audience(attempt: Attempt) -> conditions.Condition | None:
    if attempt.campaign is None or attempt.delivery.test:
        return None
    return attempt.campaign.audience


def _is_live(attempt: Attempt) -> bool:
    return attempt.campaign is not None and attempt.campaign.live


def _limit(attempt: Attempt) -> tuple[int, int] | None:
    if attempt.campaign is None or attempt.delivery.test:
        return None
    return attempt.campaign.limit


def _hours(attempt: Attempt) -> ActiveHours | None:
    if attempt.campaign is None or attempt.delivery.test:
        return None
    return attempt.campaign.hours


def _caps(attempt: Attempt) -> tuple[Cap, ...]:
    return () if attempt.delivery.test else attempt.rules.caps_of(attempt.delivery.class_)


def _quiet(attempt: Attempt) -> ActiveHours | None:
    return None if attempt.delivery.test else attempt.rules.hours_of(attempt.delivery.class_)


def _until_open(
    hours: ActiveHours | None, attempt: Attempt, wait: Callable[[int], Hold], late: Skip
) -> Decision:
    """Now, if it is within `hours`; else when they next begin, unless it has expired by then."""
    if hours is None:
        return SEND
    opens_at = next_open(hours, _zone(hours, attempt), attempt.now)
    if opens_at == attempt.now:
        return SEND
    return late if opens_at >= attempt.delivery.expires_at else wait(opens_at)


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


def _saw_fallback(attempt: Attempt) -> Mapping[str, Any]:
    return {"reaction": attempt.reacted} if attempt.reacted else {}


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


def _saw_app(attempt: Attempt) -> Mapping[str, Any]:
    if not _is_live(attempt):
        return {}
    within = {"withinSeconds": attempt.rules.app_open // SECOND}
    sight = attempt.person.app if attempt.person is not None else None
    if sight is None:
        return within
    said = {None: "nothing", True: "open", False: "closed"}[sight.said]
    return {"said": said, "heardAt": format_instant(sight.heard_at), **within}


def _saw_limit(attempt: Attempt) -> Mapping[str, Any]:
    most = _limit(attempt)
    if most is None:
        return {}
    return {"sent": attempt.recent, "most": most[0], "withinSeconds": most[1] // SECOND}


def _saw_caps(attempt: Attempt) -> Mapping[str, Any]:
    caps = _caps(attempt)
    if not caps:
        return {}
    return {"caps": [_saw_cap(cap, attempt) for cap in caps]}


def _saw_cap(cap: Cap, attempt: Attempt) -> Mapping[str, Any]:
    sent = len(counted(cap, attempt.received, attempt.now))
    of = {"class": cap.class_} if cap.class_ else {}
    return {"sent": sent, "most": cap.most, "withinSeconds": cap.within // SECOND, **of}


def _saw_quiet(attempt: Attempt) -> Mapping[str, Any]:
    return _saw_opening(_quiet(attempt), attempt)


def _saw_hours(attempt: Attempt) -> Mapping[str, Any]:
    return _saw_opening(_hours(attempt), attempt)


def _saw_opening(hours: ActiveHours | None, attempt: Attempt) -> Mapping[str, Any]:
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
    Gate("fallback", fallback, _saw_fallback),
    Gate("opt_in", opt_in, _saw_opt_in),
    Gate("address", address, _saw_address),
    Gate("suppression", suppression, _saw_suppression),
    Gate("app", app, _saw_app),
    Gate("limit", limit, _saw_limit),
    Gate("frequency_cap", frequency_cap, _saw_caps),
    Gate("quiet_hours", quiet_hours, _saw_quiet),
    Gate("active_hours", active_hours, _saw_hours),
    Gate("provider", provider, _saw_provider),
)
