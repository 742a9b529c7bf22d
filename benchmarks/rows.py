"""The floor of the core's cases: the rows that it wrote, written again by bare SQL.

The rows are read from the database that the core has filled, and put into transactions of as many
messages as the core's own. Each transaction writes what the core's wrote: its messages into the
log, and once each the profiles, totals, identities, runs, deliveries and counters that they
concern. It reads nothing and decides nothing; all rows are ready before the clock starts.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from benchmarks.bare import BareDatabase, Step, Table, Values
from benchmarks.traffic import NAMES

SLOT = 30 * 60_000
REPORT = (
    "angarium.reports.default.email.planned",
    '{"delivery":"dlv_4gj4zq3ybqtm4gj4zq3ybqtm","campaign":"cmp_000000000000000000000001",'
    '"version":1,"step":"send","channel":"email","provider":"","status":"planned","reason":"",'
    '"at":"2026-11-22T10:00:00.000Z","profile":"prf_4gj4zq3ybqtm4gj4zq3ybqtm",'
    '"requestId":"req_00000000000000000001"}',
)
TABLES: dict[str, tuple[str, ...]] = {
    "positions": ("stream", "partition"),
    "events": (),
    "profiles": ("workspace", "id"),
    "aggregates": ("workspace", "profile_id", "event"),
    "identities": ("workspace", "kind", "value"),
    "known_as": ("workspace", "profile_id", "anonymous_id"),
    "runs": ("workspace", "id"),
    "deliveries": ("workspace", "id"),
    "refusals": ("workspace", "profile_id", "campaign", "reason"),
    "campaign_counts": ("workspace", "campaign", "name", "shard"),
    "delivery_counts": (
        "workspace", "hour", "campaign", "step", "channel", "provider", "kind", "name", "reason",
        "shard",
    ),
    "event_names": ("workspace", "name"),
    "event_counts": ("workspace", "name", "slot", "shard"),
    "outbox": ("id",),
}  # fmt: skip
"""What the core writes, and the keys of its upserts."""

SEEN = ("created_at", "last_seen_at")
_decode_context = msgspec.json.Decoder(dict[str, Any]).decode


class Harvest:
    """All that the core wrote, found by what it belongs to. `log`: its messages, in order."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables
        self.log = tables["events"].rows
        self.of = {name: _reader(table) for name, table in tables.items()}
        self._found: dict[tuple[str, str], dict[Any, list[Values]]] = {}

    def where(self, table: str, column: str, value: Any) -> Sequence[Values]:
        """The rows of a table with this value in a column."""
        if (table, column) not in self._found:
            groups: dict[Any, list[Values]] = {}
            for row in self.tables[table].rows:
                groups.setdefault(self.of[table](row, column), []).append(row)
            self._found[table, column] = groups
        return self._found[table, column].get(value, ())


async def read_harvest(database: BareDatabase, since: int = 0) -> Harvest:
    """Read everything; of the log what came after its first `since` entries."""
    tables: dict[str, Table] = {}
    for name, keys in TABLES.items():
        tables[name] = await database.read(name, keys, without="id" if name == "events" else "")
    del tables["events"].rows[:since]
    runs = tables["runs"]
    context = runs.columns.index("context")
    by_trigger = [(*row, _decode_context(row[context])["messageId"]) for row in runs.rows]
    tables["triggers"] = Table("runs", (), (*runs.columns, "trigger"), (), by_trigger)
    return Harvest(tables)


def transactions(harvest: Harvest, size: int) -> list[list[Step]]:
    """What to write, in transactions of `size` messages."""
    seen: set[str] = set()
    log = harvest.log
    parts = [log[first : first + size] for first in range(0, len(log), size)]
    return [_steps(harvest, part, seen, number) for number, part in enumerate(parts)]


def _steps(harvest: Harvest, log: list[Values], seen: set[str], number: int) -> list[Step]:
    read = harvest.of["events"]
    owners = {read(row, "profile_id") for row in log}
    told = {read(row, "profile_id") for row in log if read(row, "kind") == "identify"}
    fresh = owners - seen
    told |= fresh
    seen |= owners
    runs, refusals = _runs(harvest, log), _refusals(harvest, log)
    campaigns = {harvest.of["runs"](row, "campaign") for row in runs}
    campaigns |= {harvest.of["refusals"](row, "campaign") for row in refusals}
    found: dict[str, Iterable[Values]] = {
        "positions": harvest.tables["positions"].rows[:1],
        "identities": _identities(harvest, log, fresh),
        "known_as": _of(
            harvest, "known_as", "anonymous_id", {read(r, "anonymous_id") for r in log}
        ),
        "profiles": _of(harvest, "profiles", "id", told),
        "aggregates": _totals(harvest, log),
        "events": log,
        **_counted(harvest, log, campaigns),
        "runs": runs,
        "deliveries": _of(harvest, "deliveries", "run", {row[1] for row in runs}),
        "refusals": refusals,
    }
    steps = [
        Step(harvest.tables[name], log if name == "events" else _sorted(rows))
        for name, rows in found.items()
    ]
    heard = _of(harvest, "profiles", "id", owners - told)
    steps.append(Step(harvest.tables["profiles"], _sorted(heard), SEEN))
    reports = len(list(found["deliveries"]))
    steps.append(Step(harvest.tables["outbox"], _outbox(harvest, number, reports)))
    return [step for step in steps if step.rows]


def _of(harvest: Harvest, table: str, column: str, values: Iterable[Any]) -> list[Values]:
    return [row for value in values for row in harvest.where(table, column, value)]


def _identities(harvest: Harvest, log: Sequence[Values], fresh: Iterable[str]) -> list[Values]:
    """Of visitors each time they are heard of, of known people once."""
    read = harvest.of["events"]
    ids = {read(row, "anonymous_id") for row in log}
    return [
        *_of(harvest, "identities", "value", ids),
        *(row for owner in fresh for row in harvest.where("identities", "profile_id", owner)),
    ]


def _totals(harvest: Harvest, log: Sequence[Values]) -> list[Values]:
    read, total = harvest.of["events"], harvest.of["aggregates"]
    done = {(read(row, "profile_id"), read(row, "name")) for row in log}
    return [
        row
        for owner, name in done
        for row in harvest.where("aggregates", "profile_id", owner)
        if total(row, "event") == name
    ]


def _runs(harvest: Harvest, log: Sequence[Values]) -> list[Values]:
    read = harvest.of["events"]
    found = _of(harvest, "triggers", "trigger", {read(row, "message_id") for row in log})
    return [row[:-1] for row in found]


def _counted(
    harvest: Harvest, log: Sequence[Values], campaigns: Iterable[str]
) -> dict[str, list[Values]]:
    """The counters of the events and campaigns concerned."""
    read, slot = harvest.of["events"], harvest.of["event_counts"]
    slots = {(read(row, "name"), read(row, "at") // SLOT) for row in log}
    counted = [
        row
        for name, number in slots
        for row in harvest.where("event_counts", "name", name)
        if slot(row, "slot") == number
    ]
    return {
        "event_names": _of(harvest, "event_names", "name", {name for name, _ in slots}),
        "event_counts": counted,
        "campaign_counts": _of(harvest, "campaign_counts", "campaign", campaigns),
        "delivery_counts": _of(harvest, "delivery_counts", "campaign", campaigns),
    }


def _refusals(harvest: Harvest, log: Sequence[Values]) -> list[Values]:
    """Of each person, those of the campaigns whose trigger an event was."""
    read, refusal = harvest.of["events"], harvest.of["refusals"]
    fit = {
        (read(row, "profile_id"), f"cmp_{2 * NAMES.index(read(row, 'name')) + which:024}")
        for row in log
        if read(row, "name") and _is_trigger(read(row, "body"))
        for which in (0, 1)
    }
    return [
        row
        for owner, campaign in fit
        for row in harvest.where("refusals", "profile_id", owner)
        if refusal(row, "campaign") == campaign
    ]


def _is_trigger(body: str) -> bool:
    price = body.partition('"price":')[2][:2]
    return price.isdigit() and int(price) >= 80


def _outbox(harvest: Harvest, number: int, reports: int) -> list[Values]:
    if not reports:
        return []
    values = {
        "id": f"{number:032}",
        "messages": msgspec.json.encode([REPORT] * reports).decode(),
        "created_at": 0,
    }
    return [tuple(values[name] for name in harvest.tables["outbox"].columns)]


def _reader(table: Table) -> Callable[[Values, str], Any]:
    places = {name: place for place, name in enumerate(table.columns)}
    return lambda row, column: row[places[column]]


def _sorted(rows: Iterable[Values]) -> list[Values]:
    """Each once, as PostgreSQL wants them."""
    return sorted(dict.fromkeys(rows), key=lambda row: [str(value) for value in row[:3]])
