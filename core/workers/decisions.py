"""Plan what any service decided: "this person should get this campaign" (B1)."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from angarium.config.limits import JSON_DEPTH, USER_ID_LENGTH
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import StreamReset
from angarium.core.bus.feed import Received
from angarium.core.bus.subjects import DECISIONS, workspace_of
from angarium.core.campaigns.decision import Decision
from angarium.core.campaigns.definition import CampaignDefinition, parse_campaign
from angarium.core.delivery.fallback import EXPIRES
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.record import NewDelivery
from angarium.core.delivery.rules import NO_RULES, MessageRules
from angarium.core.events.depth import is_deep
from angarium.core.events.message import MessageRefused, read_id
from angarium.core.events.times import parse_instant
from angarium.core.events.values import Problem
from angarium.core.people.identity import profile_of_user
from angarium.core.people.profile import Profile
from angarium.core.store import ledger, people, rejects
from angarium.core.store.campaigns import find_campaign
from angarium.core.store.changes import Changes
from angarium.core.store.errors import StoreError
from angarium.core.store.ledger import Key
from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.workspaces import DEFAULT
from angarium.core.workers.clock import Now
from angarium.core.workers.crash import crash_point
from angarium.core.workers.outbox import Publisher
from angarium.core.workers.place import Place
from angarium.core.workers.planning import (
    PROMISES,
    Channels,
    Wanted,
    choose_channels,
    expiry,
    fallback_after,
)
from angarium.core.workers.workspaces import Workspaces, unknown_workspace

log: Any = structlog.get_logger()

BATCH = 500
PAUSE_SECONDS = 0.5
ID_LETTERS = 200
TOO_DEEP = f"a decision may have {JSON_DEPTH} levels; this has more"
UNHEARD = 2_000
"""Milliseconds that a decision waits for a person of whom nothing is known yet: what a service said
of them just before may still be on the other stream."""
LOOK = 100
"""Milliseconds between two looks whether something is known now."""


class Refused(ValueError):
    """A decision of which nothing comes."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(field, code, reason, None)


_decode = msgspec.json.Decoder(Decision).decode


class Decisions:
    """Reads the stream; its position is the fence, as in ingest."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        publisher: Publisher,
        channels: Channels,
        now: Now,
        messages: MessageRules = NO_RULES,
    ) -> None:
        """`messages`: the operator's rules."""
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._channels = channels
        self._now = now
        self._messages = messages
        self._place = Place(DECISIONS)
        self._workspaces = Workspaces(store)

    async def run(self) -> None:
        """Read until cancelled. Raises Fenced."""
        while True:
            await self._place.find(self._store, self._bus, self._publisher)
            try:
                await self._read()
            except StreamReset as reset:
                log.error("decisions_stream_is_new", reason=str(reset))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        async with self._bus.pull(DECISIONS, after=self._place.position) as puller:
            while True:
                received = await puller.get(BATCH)
                await self._apply(received)
                await puller.ack(self._place.position)

    async def _apply(self, received: Sequence[Received]) -> None:
        named = [(workspace_of(item.subject), item) for item in received]
        strange: set[str] = set()

        async def work(tx: Transaction, changes: Changes) -> None:
            await self._work(tx, changes, named, strange)

        while True:
            try:
                strange |= await self._workspaces.strangers([name for name, _ in named])
                await self._wait_for_people(named)
                await self._publisher.commit(work)
            except StoreError as error:
                log.warning("decisions_wait", reason=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if strange:
                count = sum(1 for name, _ in named if name in strange)
                log.warning("unknown_workspace", stream=DECISIONS, count=count)
            self._place.position = received[-1].sequence
            crash_point("decisions.committed")
            return

    async def _wait_for_people(self, named: Sequence[tuple[str, Received]]) -> None:
        """Until something is known of those for whom a channel is to be chosen, or too late."""
        for _ in range(UNHEARD // LOOK):
            async with self._store.reading() as tx:
                until = await _unheard_until(tx, named, self._now())
            if self._now() >= until:
                return
            await asyncio.sleep(LOOK / 1000)

    async def _work(
        self,
        tx: Transaction,
        changes: Changes,
        named: Sequence[tuple[str, Received]],
        strange: set[str],
    ) -> None:
        await self._place.advance(tx, named[-1][1].sequence)
        planned: list[NewDelivery] = []
        refused: dict[str, list[tuple[str, Problem]]] = {}
        for workspace, item in named:
            id = make_id("msg_", self._place.epoch, str(item.sequence))
            if workspace in strange:
                refused.setdefault(DEFAULT, []).append((id, unknown_workspace(workspace)))
                continue
            try:
                planned.append(await self._plan(tx, workspace, item))
            except Refused as refusal:
                refused.setdefault(workspace, []).append((id, refusal.problem))
        for workspace, problems in refused.items():
            await rejects.save(tx, workspace, problems, changes, self._now())
        await ledger.plan(tx, planned, changes)
        crash_point("decisions.before_commit")

    async def _plan(self, tx: Transaction, workspace: str, item: Received) -> NewDelivery:
        decision = _read(item.body)
        stored = await find_campaign(tx, workspace, decision.campaign)
        if stored is None:
            raise Refused("unknown_campaign", "campaign", "no campaign has this id")
        definition = parse_campaign(stored.definition)
        now = self._now()
        person = await _lock_person(tx, workspace, decision.user_id, now)
        if person.revision == 0:
            await people.save_profiles(tx, workspace, [person])
        soonest = now + UNHEARD if _is_unheard(person, now) else now
        due_at = max(soonest, _instant(decision.not_before, "notBefore") or now)
        named = _channel(decision, definition)
        order = (named,) if named else definition.content.order
        wanted = Wanted(workspace, person, definition, order, due_at)
        [channel] = await choose_channels(tx, [wanted], self._channels, self._messages)
        until = _instant(decision.expires, "expires")
        expires = until or expiry(definition, channel, due_at, self._messages)
        return NewDelivery(
            workspace=workspace,
            id=make_id("dlv_", workspace, "decision", decision.decision_id),
            source="test" if decision.test else "decision",
            campaign=stored.id,
            version=stored.version,
            profile_id=person.id,
            channel=channel,
            class_=definition.class_,
            promise=PROMISES[definition.class_],
            due_at=due_at,
            expires_at=expires,
            planned_at=now,
            context=_context(decision, until),
            test=decision.test,
            request_id=decision.request_id,
            fallback_after=None if named else fallback_after(definition, channel),
        )


async def _unheard_until(tx: Transaction, named: Sequence[tuple[str, Received]], now: int) -> int:
    """How long (ms) to wait for people of whom nothing is known yet, and who may be reached on one
    channel or another; 0: there are none.

    What stands behind them in the stream waits as well: two seconds after they came at most.
    """
    asked = [one for workspace, item in named if (one := _asking(workspace, item, now))]
    known: set[Key] = set()
    for workspace in {one.workspace for one in asked}:
        ids = {one.profile for one in asked if one.workspace == workspace}
        found = await people.find_profiles(tx, workspace, ids)
        known |= {(workspace, id) for id, one in found.items() if not _is_unheard(one, now)}
    ends: dict[Key, int] = {}
    for one in asked:
        if (one.workspace, one.profile) not in known:
            campaign = (one.workspace, one.campaign)
            ends[campaign] = max(one.until, ends.get(campaign, 0))
    return max([end for key, end in ends.items() if await _has_choice(tx, *key)], default=0)


class _Asking(NamedTuple):
    """A decision that leaves the channel to us, and how long it may wait for its person (ms)."""

    workspace: str
    profile: str
    campaign: str
    until: int


def _asking(workspace: str, item: Received, now: int) -> _Asking | None:
    until = item.at + UNHEARD
    if until <= now:
        return None
    try:
        decision = _read(item.body)
    except Refused:
        return None
    if decision.channel is not None:
        return None
    profile = profile_of_user(workspace, decision.user_id)
    return _Asking(workspace, profile, decision.campaign, until)


async def _has_choice(tx: Transaction, workspace: str, campaign: str) -> bool:
    stored = await find_campaign(tx, workspace, campaign)
    return stored is not None and len(parse_campaign(stored.definition).content.order) > 1


def _is_unheard(person: Profile, now: int) -> bool:
    """Whether nothing is known of somebody who may have been told of just now."""
    known = person.attributes or person.devices or person.merged_into
    return not known and now - person.created_at < UNHEARD


async def _lock_person(tx: Transaction, workspace: str, user_id: str, now: int) -> Profile:
    """Whom the user id means, made where they are new."""
    profile_id = profile_of_user(workspace, user_id)
    await people.save_users(tx, workspace, {user_id: profile_id})
    person = (await people.lock_profiles(tx, workspace, {profile_id: user_id}, now))[profile_id]
    while (joined_into := person.merged_into) is not None:
        found = await people.lock_profiles(tx, workspace, {joined_into: None}, now)
        person = found[joined_into]
    return person


def _context(decision: Decision, until: int | None) -> dict[str, Any]:
    data = decision.data or {}
    context = {"data": data, "event": {"name": "", "properties": data, "timestamp": ""}}
    return context | {EXPIRES: until} if until is not None else context


def _read(body: bytes) -> Decision:
    try:
        decision = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused("bad_decision", "", f"not a decision: {error}"[:200]) from error
    except RecursionError as error:
        raise Refused("too_deep", "", TOO_DEEP) from error
    if is_deep(body):
        raise Refused("too_deep", "", TOO_DEEP)
    if not 0 < len(decision.decision_id) <= ID_LETTERS:
        raise Refused("bad_decision", "decisionId", f"decisionId has 1 to {ID_LETTERS} characters")
    try:
        user = read_id(decision.user_id, "userId", USER_ID_LENGTH)
    except MessageRefused as refused:
        raise Refused("bad_decision", "userId", refused.reason) from refused
    if user is None:
        raise Refused("bad_decision", "userId", "userId names nobody")
    decision.user_id = user
    if b"\\u0000" in body:
        raise Refused("null_character", "", "the character U+0000 cannot be stored; remove it")
    return decision


def _channel(decision: Decision, definition: CampaignDefinition) -> str | None:
    if decision.channel is not None and decision.channel not in definition.content.messages:
        raise Refused("no_content", "channel", "the campaign says nothing on this channel")
    return decision.channel


def _instant(text: str | None, field: str) -> int | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Refused("bad_timestamp", field, f"{field} is not an RFC 3339 time") from error
