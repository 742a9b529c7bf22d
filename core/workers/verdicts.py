"""From facts to what shall become of each claimed delivery: gates first, then the message."""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from angarium.core.delivery.gates import ASK_AGAIN, Hold, Send, Skip
from angarium.core.delivery.judge import Judgement, judge
from angarium.core.delivery.promises import end_unsent
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.render import Draft, Renderer, scope_of, with_handing
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Judged
from angarium.core.workers.facts import Case
from angarium.plugins import Message

log: Any = structlog.get_logger()

S = DeliveryState

REASON_LENGTH = 200

_encode = msgspec.json.Encoder().encode


class Ready(msgspec.Struct, frozen=True):
    """A judged delivery; with its message, if it may be sent."""

    judged: Judged
    message: Message | None = None


def judge_all(cases: Sequence[Case], renderer: Renderer) -> list[Ready]:
    """Judge and render, in order; those of one batch count towards each other's limits."""
    sent: dict[tuple[str, str, str], int] = {}
    judgements = [_judge(case, sent) for case in cases]
    drafts = [
        _draft(case) if isinstance(judgement.decision, Send) else None
        for case, judgement in zip(cases, judgements, strict=True)
    ]
    made = [draft for draft in drafts if draft is not None]
    if made:
        renderer.render(made, cases[0].attempt.now)
    return [
        _ready(case, judgement, draft)
        for case, judgement, draft in zip(cases, judgements, drafts, strict=True)
    ]


def held_after_mistake(delivery: Delivery, now: int) -> Judged:
    """What cannot even be judged is held, never sent; somebody must look at the log."""
    return Judged(
        delivery, _held(delivery, now + ASK_AGAIN, "gate_error"), "[]", delivery.context, None
    )


def _judge(case: Case, sent: dict[tuple[str, str, str], int]) -> Judgement:
    """`sent`: how many of this batch go to each person for each campaign so far."""
    attempt = case.attempt
    delivery = attempt.delivery
    key = (delivery.workspace, delivery.profile_id, delivery.campaign)
    if case.recent is not None and key in sent:
        attempt = msgspec.structs.replace(attempt, recent=attempt.recent + sent[key])
    judgement = judge(attempt)
    if isinstance(judgement.decision, Send):
        sent[key] = sent.get(key, 0) + 1
    if judgement.error is not None:
        kind = type(judgement.error).__name__
        log.error("gate_failed", delivery=delivery.id, error=kind, exc_info=judgement.error)
    return judgement


def _draft(case: Case) -> Draft | None:
    """None: nothing is written for the channel."""
    attempt = case.attempt
    if case.design is None or attempt.person is None:
        return None
    scope = scope_of(attempt.delivery, case.campaign_name, attempt.person.facts.attributes)
    return Draft(case.design, attempt.delivery, scope, attempt.person.address)


def _ready(case: Case, judgement: Judgement, draft: Draft | None) -> Ready:
    delivery = case.attempt.delivery
    match judgement.decision:
        case Hold(until, reason):
            wanted = _held(delivery, until, reason)
        case Skip(reason):
            wanted = end_unsent(delivery, S.SKIPPED, reason, worker=None)
        case _ if draft is not None and draft.message is not None:
            return _handed(case, judgement, draft, draft.message)
        case _:
            wanted = end_unsent(delivery, S.FAILED, _failure(delivery, draft), worker=None)
    return Ready(_judged(case, wanted, judgement, delivery.context))


def _handed(case: Case, judgement: Judgement, draft: Draft, message: Message) -> Ready:
    attempt = case.attempt
    wanted = move(
        attempt.delivery,
        S.HANDED,
        provider=attempt.provider,
        handed_at=attempt.now,
        attempt=attempt.delivery.attempt + 1,
    )
    context = with_handing(attempt.delivery, draft.address, draft.links)
    return Ready(_judged(case, wanted, judgement, context), message)


def _failure(delivery: Delivery, draft: Draft | None) -> str:
    if draft is None:
        return "no_content"
    log.info("render_failed", delivery=delivery.id, reason=str(draft.failure)[:REASON_LENGTH])
    return "render_failed"


def _held(delivery: Delivery, until: int, reason: str) -> Delivery:
    """Asked again at `until`, or when it expires, whichever is first."""
    due_at = min(until, max(delivery.expires_at, delivery.due_at + 1))
    return move(delivery, S.HELD, reason=reason, due_at=due_at, worker=None)


def _judged(case: Case, wanted: Delivery, judgement: Judgement, context: str) -> Judged:
    gates = _encode(judgement.verdicts).decode()
    return Judged(case.attempt.delivery, wanted, gates, context, case.revision, case.recent)
