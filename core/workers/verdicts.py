"""From facts to what shall become of each claimed delivery: gates first, then the message."""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.delivery.gates import ASK_AGAIN, Hold, Skip
from angarium.core.delivery.judge import Verdict, judge
from angarium.core.delivery.promises import end_unsent
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.render import Renderer, read_context, scope_of
from angarium.core.delivery.status import DeliveryState
from angarium.core.delivery.templates import RenderFailed
from angarium.core.store.attempts import Judged
from angarium.core.workers.facts import Case
from angarium.plugins import Message

log: Any = structlog.get_logger()

S = DeliveryState

REASON_LENGTH = 200


class Ready(msgspec.Struct, frozen=True):
    """A judged delivery; with its message, if it may be sent."""

    judged: Judged
    message: Message | None = None


def judge_all(cases: Sequence[Case], renderer: Renderer) -> list[Ready]:
    """Judge and render, in order; those of one batch count towards each other's limits."""
    sent: dict[tuple[str, str, str], int] = {}
    found: list[Ready] = []
    for case in cases:
        delivery = case.attempt.delivery
        key = (delivery.workspace, delivery.profile_id, delivery.campaign)
        ready = _judge(case, sent.get(key, 0), renderer)
        if ready.message is not None:
            sent[key] = sent.get(key, 0) + 1
        found.append(ready)
    return found


def held_after_mistake(delivery: Delivery, now: int) -> Judged:
    """What cannot even be judged is held, never sent; somebody must look at the log."""
    return Judged(
        delivery, _held(delivery, now + ASK_AGAIN, "gate_error"), "[]", delivery.context, None
    )


def _judge(case: Case, before: int, renderer: Renderer) -> Ready:
    attempt = case.attempt
    if before and case.recent is not None:
        attempt = msgspec.structs.replace(attempt, recent=attempt.recent + before)
    judgement = judge(attempt)
    if judgement.error is not None:
        kind = type(judgement.error).__name__
        log.error("gate_failed", delivery=attempt.delivery.id, error=kind, exc_info=judgement.error)
    match judgement.decision:
        case Hold(until, reason):
            wanted = _held(attempt.delivery, until, reason)
        case Skip(reason):
            wanted = end_unsent(attempt.delivery, S.SKIPPED, reason, worker=None)
        case _:
            return _render(case, judgement.verdicts, renderer)
    return Ready(_judged(case, wanted, judgement.verdicts, attempt.delivery.context))


def _render(case: Case, verdicts: Sequence[Verdict], renderer: Renderer) -> Ready:
    attempt = case.attempt
    delivery, person = attempt.delivery, attempt.person
    assert person is not None  # a gate saw to it
    if case.design is None:
        return _failed(case, verdicts, "no_content")
    context = read_context(delivery)
    scope = scope_of(delivery, context, case.campaign_name, person.facts.attributes)
    try:
        rendered = renderer.render(case.design, delivery, scope, person.address, attempt.now)
    except RenderFailed as failure:
        log.info("render_failed", delivery=delivery.id, reason=str(failure)[:REASON_LENGTH])
        return _failed(case, verdicts, "render_failed")
    context["links"] = rendered.links
    context["address"] = person.address
    wanted = move(
        delivery,
        S.HANDED,
        provider=attempt.provider,
        handed_at=attempt.now,
        attempt=delivery.attempt + 1,
    )
    text = msgspec.json.encode(context).decode()
    return Ready(_judged(case, wanted, verdicts, text), rendered.message)


def _failed(case: Case, verdicts: Sequence[Verdict], reason: str) -> Ready:
    delivery = case.attempt.delivery
    wanted = end_unsent(delivery, S.FAILED, reason, worker=None)
    return Ready(_judged(case, wanted, verdicts, delivery.context))


def _held(delivery: Delivery, until: int, reason: str) -> Delivery:
    """Asked again at `until`, or when it expires, whichever is first."""
    due_at = min(until, max(delivery.expires_at, delivery.due_at + 1))
    return move(delivery, S.HELD, reason=reason, due_at=due_at, worker=None)


def _judged(case: Case, wanted: Delivery, verdicts: Sequence[Verdict], context: str) -> Judged:
    gates = msgspec.json.encode(verdicts).decode()
    return Judged(case.attempt.delivery, wanted, gates, context, case.revision, case.recent)
