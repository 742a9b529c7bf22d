"""Identities, profiles and totals of events, read and written in batches."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from angarium.core.events.totals import EventTotals, Figures
from angarium.core.people.identity import Binding, Visitor
from angarium.core.people.profile import Profile
from angarium.core.store.protocol import Transaction

USER = "user"
ANONYMOUS = "anonymous"

TotalsKey = tuple[str, str]
"""(profile id, event name)"""

_bindings = msgspec.json.Decoder(list[Binding]).decode
_numbers = msgspec.json.Decoder(dict[str, Figures]).decode
_encode = msgspec.json.Encoder().encode


async def lock_visitors(
    tx: Transaction, workspace: str, anonymous_ids: Collection[str]
) -> dict[str, Visitor]:
    """The anonymous ids, made where they are new; nobody else changes them until the commit."""
    keys = [(ANONYMOUS, value) for value in sorted(anonymous_ids)]
    if not keys:
        return {}
    found = await _visitors(tx, workspace, keys)
    missing = [key for key in keys if key[1] not in found]
    if missing and not tx.exclusive:
        await tx.many("add_identities", [(workspace, *key, None, "[]") for key in missing])
        return found | await _visitors(tx, workspace, missing)
    return found | {value: Visitor(value) for _, value in missing}


async def _visitors(
    tx: Transaction, workspace: str, keys: list[tuple[str, str]]
) -> dict[str, Visitor]:
    rows = await tx.fetch("find_identities", workspace=workspace, keys=keys)
    return {
        value: Visitor(value, profile_id, _bindings(bindings))
        for _, value, profile_id, bindings in rows
    }


async def save_visitors(tx: Transaction, workspace: str, visitors: Iterable[Visitor]) -> None:
    """Whose the anonymous ids are now."""
    rows = [
        (workspace, ANONYMOUS, v.anonymous_id, v.profile_id, _encode(v.bindings).decode())
        for v in sorted(visitors, key=lambda v: v.anonymous_id)
    ]
    await tx.many("save_identities", rows)


async def save_users(tx: Transaction, workspace: str, users: Mapping[str, str]) -> None:
    """New known people: user id to profile id."""
    rows = [(workspace, USER, user, profile, "[]") for user, profile in sorted(users.items())]
    await tx.many("add_identities", rows)


async def lock_profiles(
    tx: Transaction, workspace: str, wanted: Mapping[str, str | None], now: int
) -> dict[str, Profile]:
    """Profiles by id, made where they are new; nobody else changes them until the commit.

    `wanted` gives each profile id its user id (None: anonymous).
    """
    ids = sorted(wanted)
    found = await _profiles(tx, workspace, ids)
    new = [Profile(id, wanted[id], now, 0) for id in ids if id not in found]
    if new and not tx.exclusive:
        await tx.many("add_profiles", [_row(workspace, profile) for profile in new])
        return found | await _profiles(tx, workspace, [profile.id for profile in new])
    return found | {profile.id: profile for profile in new}


async def _profiles(tx: Transaction, workspace: str, ids: list[str]) -> dict[str, Profile]:
    if not ids:
        return {}
    rows = await tx.fetch("lock_profiles", workspace=workspace, ids=ids)
    return {row[0]: Profile(*row) for row in rows}


async def find_profiles(
    tx: Transaction, workspace: str, ids: Collection[str]
) -> dict[str, Profile]:
    """Profiles by id, to be looked at only."""
    if not ids:
        return {}
    rows = await tx.fetch("find_profiles", workspace=workspace, ids=sorted(ids))
    return {row[0]: Profile(*row) for row in rows}


async def find_by_mobile(tx: Transaction, workspace: str, mobile: str, limit: int) -> list[str]:
    """The profiles that have a number (E.164), up to `limit` of them."""
    rows = await tx.fetch("find_by_mobile", workspace=workspace, mobile=mobile, limit=limit)
    return [id for (id,) in rows]


async def save_profiles(tx: Transaction, workspace: str, profiles: Iterable[Profile]) -> None:
    """Profiles as they are now; those that were only heard of are written more cheaply."""
    changed: list[tuple[object, ...]] = []
    seen: list[tuple[object, ...]] = []
    heard: list[tuple[object, ...]] = []
    devices: list[tuple[object, ...]] = []
    for profile in sorted(profiles, key=lambda p: p.id):
        told = profile.new_devices() if profile.held is not None else None
        if profile.changed or profile.merged_into is not None or profile.revision == 0:
            profile.revision += 1
            changed.append(_row(workspace, profile))
            if told is not None:
                devices.append((workspace, profile.id, told))
            continue
        row = (workspace, profile.id, profile.created_at, profile.last_seen_at, "{}", "{}", 0)
        if told is None:
            seen.append(row)
        else:
            heard.append((*row, told))
    await tx.many("save_profiles", changed)
    await tx.many("save_devices_of_profiles", devices)
    await tx.many("see_profiles", seen)
    await tx.many("see_profiles_with_devices", heard)


def _row(workspace: str, profile: Profile) -> tuple[object, ...]:
    return (
        workspace,
        profile.id,
        profile.user_id,
        profile.created_at,
        profile.last_seen_at,
        *profile.texts(),
        profile.revision,
        profile.merged_into,
    )


async def find_totals(
    tx: Transaction, workspace: str, keys: Collection[TotalsKey]
) -> dict[TotalsKey, EventTotals]:
    """The totals among `keys` that exist."""
    if not keys:
        return {}
    rows = await tx.fetch("find_totals", workspace=workspace, keys=sorted(keys))
    return {
        (profile, event): EventTotals(
            count, first, last, _numbers(numbers) if numbers != "{}" else {}
        )
        for profile, event, count, first, last, numbers in rows
    }


async def list_totals(
    tx: Transaction, workspace: str, profiles: Collection[str]
) -> dict[TotalsKey, EventTotals]:
    """All totals of some people."""
    rows = await tx.fetch("list_totals", workspace=workspace, ids=sorted(profiles))
    return {
        (profile, event): EventTotals(count, first, last, _numbers(numbers))
        for profile, event, count, first, last, numbers in rows
    }


async def save_totals(
    tx: Transaction, workspace: str, totals: Mapping[TotalsKey, EventTotals]
) -> None:
    """Totals as they are now."""
    rows = [
        (
            workspace,
            *key,
            t.count,
            t.first_at,
            t.last_at,
            _encode(t.numbers).decode() if t.numbers else "{}",
        )
        for key, t in sorted(totals.items())
    ]
    await tx.many("save_totals", rows)
