"""Events over HTTP."""

import pytest

from angarium.core.events.times import parse_instant
from angarium.gateway.windows import SLOT
from tests.gateway.seed import DAY, HOUR, NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]


async def occurred(api: Api, name: str, at: int, count: int, shard: int = 0) -> None:
    await api.seed.run("seed_event_count", name=name, slot=at // SLOT, shard=shard, count=count)


async def test_events_are_listed_by_name_with_the_types_of_their_properties(api: Api) -> None:
    for name in ("Purchase", "AddToCart", "Level/Up"):
        span = {"first_at": NOON - DAY, "last_at": NOON}
        await api.seed.run("seed_event_name", name=name, count=3, **span)
    for name, kind in (("amount", "number"), ("category", "string")):
        row = {"event": "Purchase", "property": name, "type": kind}
        await api.seed.run("seed_property_type", **row)
    span = {"first_at": NOON, "last_at": NOON}
    await api.seed.run("seed_event_name", workspace="other", name="Theirs", count=1, **span)

    found = await api.pages("/v1/events", limit=2)

    assert [event["name"] for event in found] == ["AddToCart", "Level/Up", "Purchase"]
    assert found[2] == {
        "name": "Purchase",
        "count": 3,
        "firstAt": "2026-11-20T12:00:00.000Z",
        "lastAt": "2026-11-21T12:00:00.000Z",
        "properties": {"amount": "number", "category": "string"},
    }


@pytest.mark.parametrize(
    ("window", "count", "total", "people"),
    [("12h", 24, 3, 1), ("7d", 28, 7, 2), ("30d", 30, 15, 3)],
)
async def test_occurrences_are_summed_over_a_window(
    api: Api, window: str, count: int, total: int, people: int
) -> None:
    ages = {1: HOUR, 4: 3 * DAY, 8: 20 * DAY, 16: 40 * DAY}
    await occurred(api, "Purchase", NOON, 2, shard=1)
    for number, age in ages.items():
        await occurred(api, "Purchase", NOON - age, number)
        at = {"first_at": NOON - 90 * DAY, "last_at": NOON - age}
        await api.seed.run("seed_totals", profile_id=f"p{number}", event="Purchase", count=1, **at)

    body = await api.read("/v1/events/Purchase/stats", window=window)

    assert (body["window"], body["total"], body["people"]) == (window, total, people)
    assert len(body["buckets"]) == count
    assert sum(bucket["count"] for bucket in body["buckets"]) == total
    last = body["buckets"][-1]
    assert parse_instant(last["from"]) <= NOON
    assert last["count"] >= 2


async def test_a_name_may_hold_a_slash(api: Api) -> None:
    await occurred(api, "Level/Up", NOON, 5)

    assert (await api.read("/v1/events/Level%2FUp/stats"))["total"] == 5


async def test_what_never_occurred_has_zeros(api: Api) -> None:
    row = {"name": "Purchase", "slot": NOON // SLOT, "shard": 0, "count": 5}
    await api.seed.run("seed_event_count", workspace="other", **row)

    body = await api.read("/v1/events/Purchase/stats", window="7d")

    assert (body["total"], body["people"]) == (0, 0)


async def test_another_window_is_refused(api: Api) -> None:
    response = await api.get("/v1/events/Purchase/stats", window="1y")

    assert response.status_code == 422
    assert "window" in response.text
