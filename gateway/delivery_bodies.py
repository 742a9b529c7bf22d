"""Deliveries as bodies: in a list, and in full."""

from collections.abc import Sequence
from typing import Any

import msgspec

from angarium.core.store.outcomes import FullDelivery, StoredDelivery
from angarium.gateway.instants import instant


class ReactionBody(msgspec.Struct):
    """When somebody first did that with it, and how often."""

    first: str
    count: int


class DeliveryBody(msgspec.Struct, rename="camel", kw_only=True):
    """A delivery: what was planned for whom, and where it stands."""

    id: str
    source: str
    campaign: str
    version: int
    step: str
    profile: str
    user_id: str | None
    channel: str
    class_: str = msgspec.field(name="class")
    promise: str
    test: bool
    state: str
    reason: str
    provider: str
    provider_id: str | None
    due_at: str
    expires_at: str
    attempt: int
    resends: int
    planned_at: str
    updated_at: str
    handed_at: str | None
    accepted_at: str | None
    triggered_at: str | None
    device: str | None
    request_id: str | None
    reactions: dict[str, ReactionBody]


class FullDeliveryBody(DeliveryBody, rename="camel", kw_only=True):
    """All of one delivery. `gates`: the verdicts of the last judgement, in their order.

    `event`, `data`, `code`: what its templates saw besides the person. `links`: where its tracked
    links lead. `history`: what happened, by time.
    """

    run: str | None
    generation: int
    gates: Any
    event: Any
    data: Any
    code: str | None
    links: Sequence[str]
    history: Sequence[dict[str, str]]


def listed(row: StoredDelivery) -> DeliveryBody:
    """A delivery as it is told in a list."""
    return DeliveryBody(**_columns(row))


def full(found: FullDelivery) -> FullDeliveryBody:
    """A delivery as it is told alone."""
    context = found.context
    return FullDeliveryBody(
        **_columns(found.listed),
        run=found.listed.run,
        generation=found.generation,
        gates=found.gates,
        event=context.get("event"),
        data=context.get("data"),
        code=context.get("code"),
        links=context.get("links") or [],
        history=_history(found.listed),
    )


def _columns(row: StoredDelivery) -> dict[str, Any]:
    body = msgspec.structs.asdict(row)
    del body["run"]
    body["profile"] = body.pop("profile_id")
    body["reactions"] = {
        kind: ReactionBody(instant(at), count) for kind, (at, count) in row.reactions.items()
    }
    for name in ("due_at", "expires_at", "planned_at", "updated_at"):
        body[name] = instant(body[name])
    for name in ("handed_at", "accepted_at", "triggered_at"):
        body[name] = instant(body[name])
    return body


def _history(row: StoredDelivery) -> list[dict[str, str]]:
    steps = [
        ("triggered", row.triggered_at),
        ("planned", row.planned_at),
        ("handed", row.handed_at),
        ("accepted", row.accepted_at),
    ]
    known = [(name, at) for name, at in steps if at is not None]
    if row.state not in {name for name, _ in known}:
        known.append((row.state, row.updated_at))
    known += [(kind, at) for kind, (at, _) in row.reactions.items()]
    return [{"status": name, "at": instant(at)} for name, at in sorted(known, key=lambda s: s[1])]
