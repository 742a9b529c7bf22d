"""The floor of the core's cases: the rows that it wrote, written again by bare SQL.

The rows are read from the database that the core has filled, and put into transactions of as many
messages as the core's own. Each transaction writes what the core's wrote: its messages into the
log, and once each the profiles, totals, identities, runs, deliveries and counters that they
concern, with the product's own statements. It reads nothing and decides nothing; all texts are
ready before the clock starts.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from angarium.core.bus.subjects import EVENTS
from benchmarks.bare import BareDatabase
from benchmarks.traffic import NAMES, WORKSPACE

Values = tuple[Any, ...]
Step = tuple[str, list[Values]]
"""A query's name, and rows for it."""

SLOT = 30 * 60_000
REPORT = (
    "angarium.reports.default.email.planned",
    '{"delivery":"dlv_4gj4zq3ybqtm4gj4zq3ybqtm","campaign":"cmp_000000000000000000000001",'
    '"version":1,"step":"send","channel":"email","provider":"","status":"planned","reason":"",'
    '"at":"2026-11-22T10:00:00.000Z","profile":"prf_4gj4zq3ybqtm4gj4zq3ybqtm",'
    '"requestId":"req_00000000000000000001"}',
)

SELECTS = {
    "add_events": "select workspace, message_id, profile_id, at, received_at, kind, name,"
    " anonymous_id, user_id, device, request_id, body from events order by id",
    "save_profiles": "select workspace, id, user_id, created_at, last_seen_at, attributes, state,"
    " revision, merged_into from profiles",
    "save_totals": "select workspace, profile_id, event, count, first_at, last_at, numbers"
    " from aggregates",
    "save_identities": "select workspace, kind, value, profile_id, bindings from identities",
    "add_known_as": "select workspace, profile_id, anonymous_id from known_as",
    "save_runs": "select workspace, id, campaign, version, profile_id, state, step, due_at,"
    " triggered_at, device, context, reason, request_id, created_at, updated_at from runs",
    "add_refusals": "select workspace, profile_id, campaign, reason, version, at, count, saw"
    " from refusals",
    "count_campaigns": "select workspace, campaign, name, shard, count from campaign_counts",
    "plan_deliveries": "select workspace, id, source, campaign, version, step, run, profile_id,"
    " channel, class, promise, test, due_at, expires_at, hour, planned_at, triggered_at, device,"
    " context, request_id from deliveries",
    "add_delivery_counts": "select workspace, hour, campaign, step, channel, provider, kind, name,"
    " reason, shard, count from delivery_counts",
    "count_names": "select workspace, name, count, first_at, last_at from event_names",
    "count_events": "select workspace, name, slot, shard, count from event_counts",
}
MESSAGE_OF_RUN = msgspec.json.Decoder(dict[str, Any])


class Harvest:
    """All that the core wrote, by what it belongs to."""

    def __init__(self, tables: dict[str, list[Values]]) -> None:
        self.log = tables["add_events"]
        self.profiles = {row[1]: row for row in tables["save_profiles"]}
        self.totals = {(row[1], row[2]): row for row in tables["save_totals"]}
        self.identities = {(row[1], row[2]): row for row in tables["save_identities"]}
        self.known_as = _grouped(tables["add_known_as"], 2)
        self.runs: dict[str, list[Values]] = {}
        for row in tables["save_runs"]:
            self.runs.setdefault(MESSAGE_OF_RUN.decode(row[10])["messageId"], []).append(row)
        self.deliveries = _grouped(tables["plan_deliveries"], 6)
        self.refusals = _grouped(tables["add_refusals"], 1)
        self.figures = _grouped(tables["count_campaigns"], 1)
        self.standings = _grouped(tables["add_delivery_counts"], 2)
        self.names = {row[1]: row for row in tables["count_names"]}
        self.slots = {(row[1], row[2]): row for row in tables["count_events"]}


async def read_harvest(database: BareDatabase, since: int = 0) -> Harvest:
    """Read everything; of the log what came after row `since`."""
    tables = {name: await database.read(select) for name, select in SELECTS.items()}
    tables["add_events"] = tables["add_events"][since:]
    return Harvest(tables)


def transactions(harvest: Harvest, size: int) -> list[list[Step]]:
    """What to write, in transactions of `size` messages."""
    log = harvest.log
    seen: set[str] = set()
    parts = [log[first : first + size] for first in range(0, len(log), size)]
    return [_steps(harvest, part, seen, number) for number, part in enumerate(parts)]


def _steps(harvest: Harvest, log: list[Values], seen: set[str], number: int) -> list[Step]:
    owners = {row[2] for row in log}
    fresh = owners - seen
    seen |= fresh
    profiles = [harvest.profiles[id] for id in owners]
    told = {row[2] for row in log if row[5] == "identify"} | fresh
    runs = [run for row in log for run in harvest.runs.get(row[1], ())]
    deliveries = [one for run in runs for one in harvest.deliveries.get(run[1], ())]
    events = {row[6] for row in log if row[6]}
    campaigns = {run[2] for run in runs}
    steps: list[Step] = [
        ("advance_position", [(EVENTS, 0, number, number + 1, "epoch")]),
        ("save_identities", _identities(harvest, log)),
        ("add_known_as", _unique(harvest.known_as.get(row[7], ()) for row in log)),
        ("save_profiles", [row for row in profiles if row[1] in told]),
        ("see_profiles", [row for row in profiles if row[1] not in told]),
        ("save_totals", [harvest.totals[k] for k in {(r[2], r[6]) for r in log if r[6]}]),
        ("add_events", log),
        ("count_names", [harvest.names[name] for name in events]),
        ("count_events", _slots(harvest, log)),
        ("save_runs", runs),
        ("plan_deliveries", deliveries),
        ("add_refusals", _refusals(harvest, log)),
        ("count_campaigns", _unique(harvest.figures.get(id, ()) for id in campaigns)),
        ("add_delivery_counts", _unique(harvest.standings.get(id, ()) for id in campaigns)),
        ("save_outbox", _outbox(number, len(deliveries))),
    ]
    return [(name, sorted(rows, key=_key)) for name, rows in steps if rows]


def _identities(harvest: Harvest, log: Sequence[Values]) -> list[Values]:
    keys = {("anonymous", row[7]) for row in log if row[7]}
    return [harvest.identities[key] for key in keys]


def _slots(harvest: Harvest, log: Sequence[Values]) -> list[Values]:
    return [harvest.slots[key] for key in {(row[6], row[3] // SLOT) for row in log if row[6]}]


def _refusals(harvest: Harvest, log: Sequence[Values]) -> list[Values]:
    """Of each person, those of the campaign whose events these are and whose `where` they fit."""
    found: list[Values] = []
    for owner, name in {(row[2], row[6]) for row in log if row[6] and _fits_offer(row[11])}:
        campaign = f"cmp_{2 * NAMES.index(name):024}"
        found += [row for row in harvest.refusals.get(owner, ()) if row[2] == campaign]
    return found


def _fits_offer(body: str) -> bool:
    return '"price":9' in body and body.partition('"price":9')[2][:1].isdigit()


def _outbox(number: int, reports: int) -> list[Values]:
    text = msgspec.json.encode([REPORT] * reports).decode()
    return [(f"{number:032}", text, 0)] if reports else []


def _grouped(rows: Iterable[Values], column: int) -> dict[Any, list[Values]]:
    found: dict[Any, list[Values]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def _unique(groups: Iterable[Iterable[Values]]) -> list[Values]:
    return list({row: None for group in groups for row in group})


def _key(row: Values) -> tuple[str, ...]:
    return tuple(str(value) for value in row[:4])


def written_in(workspace_rows: Sequence[Values]) -> bool:
    """Whether rows are all of the one workspace that the cases know."""
    return all(row[0] == WORKSPACE for row in workspace_rows)
