"""From facts to what shall become of each claimed delivery: gates first, then the message."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from angarium.core.delivery.attempt import Attempt
from angarium.core.delivery.codes import CODE_GATE, owner_of
from angarium.core.delivery.gates import ASK_AGAIN, GATES, Gate, Hold, Send, Skip
from angarium.core.delivery.judge import Judgement, judge
from angarium.core.delivery.promises import end_unsent
from angarium.core.delivery.record import Delivery, move
from angarium.core.delivery.render import Draft, Renderer, scope_of, with_handing
from angarium.core.delivery.routes import Board, Choice
from angarium.core.delivery.rules import Received
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.attempts import Judged
from angarium.core.store.codes import Wanted
from angarium.core.store.ledger import Key
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
    others: Sequence[str] = ()
    """The providers that may have it if its own surely does not take it."""


class Opinion(NamedTuple):
    """What the gates say of one case; `case`: with the provider that was chosen."""

    case: Case
    judgement: Judgement
    choice: Choice

    @property
    def sends(self) -> bool:
        """Nothing stands in the way."""
        return isinstance(self.judgement.decision, Send)


def judge_all(cases: Sequence[Case], board: Board, gates: Sequence[Gate] = GATES) -> list[Opinion]:
    """Ask the gates, in order; those of one batch count towards each other's limits and caps."""
    sent = _Sent()
    return [_judge(case, sent, board, gates) for case in cases]


def wanted_codes(opinions: Sequence[Opinion]) -> list[Wanted]:
    """Of those that may be sent: who needs a promo code and has not asked for one."""
    asking = (one.case.attempt for one in opinions if one.sends)
    return [
        Wanted(attempt.delivery.workspace, attempt.codes, owner_of(attempt.delivery))
        for attempt in asking
        if attempt.codes and attempt.code is None
    ]


def with_codes(
    cases: Sequence[Case], wanted: Sequence[Wanted], codes: Mapping[Key, str]
) -> list[Case]:
    """The cases, with what was given to those that asked; "" to those that got nothing."""
    told = {(one.workspace, one.delivery): "" for one in wanted} | dict(codes)
    return [_with_code(case, told) if case.attempt.codes else case for case in cases]


def _with_code(case: Case, told: Mapping[Key, str]) -> Case:
    delivery = case.attempt.delivery
    code = told.get((delivery.workspace, owner_of(delivery)), case.attempt.code)
    return msgspec.structs.replace(case, attempt=msgspec.structs.replace(case.attempt, code=code))


def write_all(opinions: Sequence[Opinion], renderer: Renderer) -> list[Ready]:
    """Write the messages that may be sent, and say what shall become of all."""
    drafts = [_draft(one.case) if one.sends else None for one in opinions]
    made = [draft for draft in drafts if draft is not None]
    if made:
        renderer.render(made, opinions[0].case.attempt.now)
    return [_ready(one, draft) for one, draft in zip(opinions, drafts, strict=True)]


def held_after_mistake(delivery: Delivery, now: int) -> Judged:
    """What cannot even be judged is held, never sent; somebody must look at the log."""
    return Judged(
        delivery, _held(delivery, now + ASK_AGAIN, "gate_error"), "[]", delivery.context, None
    )


class _Sent:
    """What of a batch goes to each person so far; nothing is noted where no rule counts it."""

    def __init__(self) -> None:
        self._campaigns: dict[tuple[str, str, str], int] = {}
        self._received: dict[tuple[str, str], list[Received]] = {}

    def seen_by(self, case: Case) -> Attempt:
        """The attempt, with what goes out before it counted."""
        attempt, delivery = case.attempt, case.attempt.delivery
        if case.recent is not None:
            count = self._campaigns.get(_campaign_of(delivery), 0)
            attempt = msgspec.structs.replace(attempt, recent=attempt.recent + count)
        if case.seen.since is not None and self._received:
            more = self._received.get((delivery.workspace, delivery.profile_id), ())
            attempt = msgspec.structs.replace(attempt, received=(*attempt.received, *more))
        return attempt

    def note(self, case: Case) -> None:
        """It is to be sent."""
        delivery = case.attempt.delivery
        if delivery.test:
            return
        if case.recent is not None:
            key = _campaign_of(delivery)
            self._campaigns[key] = self._campaigns.get(key, 0) + 1
        if case.attempt.rules.caps:
            person = (delivery.workspace, delivery.profile_id)
            one = Received(case.attempt.now, delivery.class_)
            self._received.setdefault(person, []).append(one)


def _campaign_of(delivery: Delivery) -> tuple[str, str, str]:
    return (delivery.workspace, delivery.profile_id, delivery.campaign)


def _judge(case: Case, sent: _Sent, board: Board, gates: Sequence[Gate]) -> Opinion:
    delivery = case.attempt.delivery
    choice = board.pick(delivery, case.platform)
    attempt = msgspec.structs.replace(
        sent.seen_by(case),
        provider=choice.provider,
        paused_until=choice.until,
        pause=choice.reason,
    )
    judgement = judge(attempt, (*gates, CODE_GATE) if attempt.codes else gates)
    if isinstance(judgement.decision, Send):
        sent.note(case)
        board.take(choice.provider)
    elif choice.until:
        board.park(choice.provider)
    if judgement.error is not None:
        kind = type(judgement.error).__name__
        log.error("gate_failed", delivery=delivery.id, error=kind, exc_info=judgement.error)
    return Opinion(msgspec.structs.replace(case, attempt=attempt), judgement, choice)


def _draft(case: Case) -> Draft | None:
    """None: nothing is written for the channel."""
    attempt = case.attempt
    if case.design is None or attempt.person is None:
        return None
    attributes = attempt.person.facts.attributes
    scope = scope_of(attempt.delivery, case.campaign_name, attributes, attempt.code)
    return Draft(case.design, attempt.delivery, scope, attempt.person.address)


def _ready(opinion: Opinion, draft: Draft | None) -> Ready:
    case, judgement, choice = opinion
    delivery = case.attempt.delivery
    match judgement.decision:
        case Hold(until, reason):
            wanted = _held(delivery, until, reason)
        case Skip(reason):
            wanted = end_unsent(delivery, S.SKIPPED, reason, worker=None)
        case _ if draft is not None and draft.message is not None:
            ready = _handed(case, judgement, draft, draft.message)
            return msgspec.structs.replace(ready, others=choice.others) if choice.others else ready
        case _:
            wanted = end_unsent(delivery, S.FAILED, _failure(delivery, draft), worker=None)
    return Ready(_judged(case, wanted, judgement, delivery.context))


def _handed(case: Case, judgement: Judgement, draft: Draft, message: Message) -> Ready:
    attempt = case.attempt
    context = with_handing(attempt.delivery, draft.address, draft.links, attempt.code)
    wanted = move(
        attempt.delivery,
        S.HANDED,
        provider=attempt.provider,
        handed_at=attempt.now,
        attempt=attempt.delivery.attempt + 1,
        context=context,
    )
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
    return Judged(
        case.attempt.delivery, wanted, gates, context, case.revision, case.recent, case.seen
    )
