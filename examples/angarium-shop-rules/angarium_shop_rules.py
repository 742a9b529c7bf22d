"""Rules of one shop: no marketing on Fridays, a file that keeps what failed, prices in words."""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from angarium.plugins import hookimpl
from angarium.plugins.gates import Candidate, Gate, Hold, Send
from angarium.plugins.reports import Listener, Report

TEHRAN = ZoneInfo("Asia/Tehran")
FRIDAY = 4
OPENS = time(9)
FAILURES = frozenset({"failed", "in_doubt", "bounced", "undelivered"})


def no_fridays(candidate: Candidate) -> Send | Hold:
    """Marketing waits until Saturday morning; a code or a receipt does not."""
    now = datetime.fromtimestamp(candidate.now / 1000, UTC).astimezone(TEHRAN)
    if candidate.kind != "marketing" or now.weekday() != FRIDAY:
        return Send()
    saturday = datetime.combine(now.date() + timedelta(days=1), OPENS, TEHRAN)
    return Hold(until=int(saturday.timestamp() * 1000), reason="friday")


async def keep_failures(report: Report) -> None:
    """A line for each delivery that failed; the same one may come twice."""
    if report.status in FAILURES:
        line = msgspec.json.encode(report) + b"\n"
        await asyncio.to_thread(_append, Path(os.environ["SHOP_FAILURES"]), line)


def _append(file: Path, line: bytes) -> None:
    with file.open("ab") as lines:
        lines.write(line)


def free_or(price: float, word: str = "رایگان") -> str:
    return word if not price else f"{price:,.0f}"


@hookimpl
def register_gates() -> Mapping[str, Gate]:
    return {"no_fridays": no_fridays}


@hookimpl
def register_report_listeners() -> Mapping[str, Listener]:
    return {"shop_failures": keep_failures}


@hookimpl
def register_template_filters() -> Mapping[str, Callable[..., Any]]:
    return {"free_or": free_or}
