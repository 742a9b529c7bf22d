"""Judge a drill by the mail catcher's own log, and by what senders were told was safe."""

import asyncio
import json
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from angarium.core.store.protocol import Store
from tests.drills.load import MARKETING, TRANSACTIONAL, Load

WORKSPACE = "default"
QUIET_SECONDS = 120


@dataclass
class Verdict:
    """Everything counted; `faults` is empty when all promises were kept."""

    faults: list[str]
    events: int
    mails: int
    repeats: int
    resends: int
    in_doubt: int
    in_flight: int
    states: dict[str, int]

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


@dataclass
class Row:
    """A delivery, as far as a judge needs it."""

    id: str
    campaign: str
    promise: str
    state: str
    resends: int


def say(line: str) -> None:
    """To whoever waits for the verdict, which alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def tell(verdict: Verdict, folder: Path) -> None:
    """Print the verdict; where promises were broken, keep the parts' log, and end with 1."""
    print(verdict.as_json())
    if verdict.faults:
        log = Path("drill-failed.log")
        log.write_bytes((folder / "parts.log").read_bytes())
        say(f"broken promises; the parts' log is in {log}")
        sys.exit(1)


async def until_quiet(store: Store, load: Load, decisions: int = 0) -> None:
    """Wait until all is counted and planned, no run waits and no delivery is on its way.

    Returns after a while in any case: then the judge finds what is missing.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(QUIET_SECONDS):
            while not await _is_quiet(store, load, decisions):
                await asyncio.sleep(0.2)


async def _is_quiet(store: Store, load: Load, decisions: int) -> bool:
    async with store.reading() as tx:
        ((unfinished,),) = await tx.fetch("drill_unfinished", workspace=WORKSPACE)
        ((counted,),) = await tx.fetch("drill_events", workspace=WORKSPACE)
        rows = await tx.fetch("drill_deliveries", workspace=WORKSPACE)
    if unfinished or (counted or 0) < load.events:
        return False
    return not _lost_deliveries(load, [Row(*row) for row in rows], decisions)


async def count_handed(store: Store) -> int:
    """Sends in flight at this moment, as the ledger knows them."""
    async with store.reading() as tx:
        rows = await tx.fetch("drill_deliveries", workspace=WORKSPACE)
    return sum(1 for _, _, _, state, _ in rows if state == "handed")


async def judge(
    store: Store, folder: Path, load: Load, in_flight: int, decisions: int = 0
) -> Verdict:
    """Compare what was acked, what the ledger says and what the SMTP server took.

    `decisions`: how many were published besides, of the marketing campaign.
    """
    async with store.reading() as tx:
        deliveries = [Row(*row) for row in await tx.fetch("drill_deliveries", workspace=WORKSPACE)]
        totals = await tx.fetch("export_totals", workspace=WORKSPACE)
        counters = await tx.fetch("drill_counters", workspace=WORKSPACE)
    mails = _mails(folder)
    by_promise = {row.id: row.promise for row in deliveries}
    repeats = sum(count - 1 for id, count in mails.items() if by_promise.get(id) == "at_most_once")
    states = Counter(row.state for row in deliveries)
    resent = sum(row.resends for row in deliveries)
    doubtful = [row for row in deliveries if row.state == "in_doubt"]
    faults = [
        *_lost_events(load, totals),
        *_lost_deliveries(load, deliveries, decisions),
        *_mail_faults(deliveries, mails),
        *_counter_faults(states, counters),
    ]
    if repeats:
        faults.append(f"{repeats} repeats at the SMTP server in at_most_once")
    again = sum(c - 1 for id, c in mails.items() if by_promise.get(id) == "at_least_once")
    if again > resent:
        faults.append(f"{again} repeats in at_least_once, but {resent} were counted")
    if len(doubtful) > in_flight:
        faults.append(f"{len(doubtful)} in doubt, but {in_flight} were in flight at the kills")
    return Verdict(
        faults,
        sum(int(row[2]) for row in totals),
        sum(mails.values()),
        repeats,
        resent,
        len(doubtful),
        in_flight,
        dict(states),
    )


def _mails(folder: Path) -> Counter[str]:
    log = folder / "mail.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(json.loads(line)["message_id"].strip("<>").split("@")[0] for line in lines)


def _lost_events(load: Load, totals: Any) -> list[str]:
    """Every acked event counts once for the person who did it."""
    expected = Counter((event["userId"], event["event"]) for event in load.history())
    found = Counter({name: 0 for name in {name for _, name in expected}})
    for _, name, count, *_ in totals:
        found[name] += count
    wanted: Counter[str] = Counter()
    for (_, name), count in expected.items():
        wanted[name] += count
    per_person = sorted(int(row[2]) for row in totals if row[1] in wanted)
    if found != wanted:
        return [f"events counted {dict(found)}, sent {dict(wanted)}"]
    if per_person != sorted(expected.values()):
        return ["events were counted for the wrong people"]
    return []


def _lost_deliveries(load: Load, deliveries: list[Row], decisions: int) -> list[str]:
    """Each trigger without delay plans one delivery."""
    faults = []
    planned = Counter(row.campaign for row in deliveries)
    for name in (MARKETING, TRANSACTIONAL):
        wanted = load.happening(name) + (decisions if name == MARKETING else 0)
        if planned[load.campaigns[name]] != wanted:
            faults.append(f"{name}: {planned[load.campaigns[name]]} planned of {wanted}")
    return faults


def _mail_faults(deliveries: list[Row], mails: Counter[str]) -> list[str]:
    faults = []
    known = {row.id: row for row in deliveries}
    strangers = [id for id in mails if id not in known]
    if strangers:
        faults.append(f"{len(strangers)} mails without a delivery")
    lost = [row.id for row in deliveries if row.state == "accepted" and row.id not in mails]
    if lost:
        faults.append(f"{len(lost)} accepted, but the SMTP server never saw them")
    untold = [
        row.id
        for row in deliveries
        if row.id in mails and row.state not in ("accepted", "in_doubt")
    ]
    if untold:
        faults.append(f"{len(untold)} mails whose deliveries say otherwise")
    failed = [row.id for row in deliveries if row.state == "failed"]
    if failed:
        faults.append(f"{len(failed)} failed, though the SMTP server took everything")
    return faults


def _counter_faults(states: Counter[str], counters: Any) -> list[str]:
    """Counters move with the rows, so they can only agree."""
    counted = {name: int(count) for name, count in counters if count}
    return [] if counted == dict(states) else [f"counters {counted}, rows {dict(states)}"]
