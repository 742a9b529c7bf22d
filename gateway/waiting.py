"""Why messages wait that should not: what an operator has to mend, from pauses and figures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import format_instant
from angarium.core.store.outcomes import Dimensions, Figure, sum_counts
from angarium.core.store.paces import find_paces
from angarium.core.store.protocol import Transaction

FOREVER: Final = (0, 2**40)
REMEDIES: Final[Mapping[str, str]] = {
    "no_provider": "add a section [channels.<provider>] for it, or mend the one that is there",
    "no_code": "upload more codes: POST /v1/code-lists/{id}/codes",
    "gate_error": "see gate_failed in the log",
}
"""Of reasons to hold a message that end only when somebody does something."""
MEND: Final = "if it names a setting, correct that and restart; what waits is sent until it expires"


UNSAID: Final = "see its settings, and its vendor"


class Trouble(NamedTuple):
    """One of them; `certain`: it will not pass by itself."""

    certain: bool
    detail: str
    remedy: str


async def find_troubles(
    tx: Transaction, workspace: str, sections: Sequence[str], now: int
) -> list[Trouble]:
    """Providers that want no messages now, and messages that wait for another reason of ours."""
    paces = await find_paces(tx, sections)
    paused = {name: pace.paused_until for name, pace in paces.items() if pace.paused_until > now}
    apart = Dimensions(channel=True, provider=True, reason=True)
    figures = await sum_counts(tx, workspace, FOREVER, None, apart)
    held = [one for one in figures if (one.kind, one.name) == ("state", DeliveryState.HELD)]
    return [*_paused(paused, held), *_waiting(held, paused)]


def _paused(paused: Mapping[str, int], held: Sequence[Figure]) -> Iterator[Trouble]:
    for name, until in sorted(paused.items()):
        own = [one for one in held if one.provider == name]
        said = [one for one in own if ": " in one.reason]
        most = max(said, key=lambda one: one.count, default=None)
        why = f": {most.reason}" if most else ""
        count = sum(one.count for one in own)
        waiting = f", {count} are held" if count else ""
        detail = f"{name} is sent nothing until {format_instant(until)}{waiting}{why}"
        yield Trouble(True, detail, MEND if most else UNSAID)


def _waiting(held: Sequence[Figure], paused: Mapping[str, int]) -> Iterator[Trouble]:
    for one in held:
        if one.reason in REMEDIES:
            detail = f"{one.count} wait on {one.channel}: {one.reason}"
            yield Trouble(True, detail, REMEDIES[one.reason])
        elif ": " in one.reason and one.provider not in paused:
            yield Trouble(False, f"{one.count} are tried again later: {one.reason}", "")
