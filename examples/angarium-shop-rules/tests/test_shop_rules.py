"""The shop's rules, as pure functions are tested: by tables."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from angarium_shop_rules import free_or, keep_failures, no_fridays

from angarium.plugins.gates import Candidate, Hold, Send
from angarium.plugins.manager import load_plugins
from angarium.plugins.reports import Report


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def candidate(now: str, kind: str = "marketing") -> Candidate:
    return Candidate(
        now=instant(now),
        workspace="default",
        delivery="dlv_1",
        campaign="cmp_1",
        version=1,
        step="",
        channel="sms",
        provider="sms_acme",
        kind=kind,
        test=False,
        expires_at=0,
        address="+989120000000",
        attributes={},
        known=True,
    )


def report(**changes: Any) -> Report:
    facts: dict[str, Any] = {"delivery": "dlv_1", "campaign": "cmp_1", "version": 1}
    facts |= {"channel": "sms", "status": "failed", "at": "2026-11-27T09:00:00.000Z"}
    return Report(**(facts | {"profile": "prf_1"} | changes))


@pytest.mark.parametrize(
    ("now", "kind", "expected"),
    [
        ("2026-11-26T23:59:59+03:30", "marketing", Send()),
        (
            "2026-11-27T00:00:00+03:30",
            "marketing",
            Hold(instant("2026-11-28T09:00:00+03:30"), "friday"),
        ),
        ("2026-11-27T12:00:00+03:30", "transactional", Send()),
        ("2026-11-28T00:00:00+03:30", "marketing", Send()),
    ],
)
def test_marketing_keeps_off_fridays(now: str, kind: str, expected: Send | Hold) -> None:
    assert no_fridays(candidate(now, kind)) == expected


async def test_what_failed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "failures.jsonl"
    monkeypatch.setenv("SHOP_FAILURES", str(file))

    await keep_failures(report())
    await keep_failures(report(status="accepted"))
    await keep_failures(report(status="bounced"))

    kept = [msgspec.json.decode(line, type=Report) for line in file.read_bytes().splitlines()]
    assert [one.status for one in kept] == ["failed", "bounced"]


def test_a_price_of_nothing_is_a_word() -> None:
    assert (free_or(0, "free"), free_or(1_200_000)) == ("free", "1,200,000")


def test_the_gateway_finds_all_three() -> None:
    plugins = load_plugins()

    assert plugins.gates["no_fridays"] is no_fridays
    assert plugins.listeners["shop_failures"] is keep_failures
    assert plugins.filters["free_or"] is free_or
