"""Figures that add up at every instant (N4)."""

from typing import Any

import msgspec
import pytest

from angarium.core.delivery.status import DeliveryState, bucket
from tests.gateway.seed import DAY, HOUR, NOON, PATHS, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/deliveries/stats"
SIX = ("waiting", "accepted", "failed", "skipped", "cancelled", "in_doubt")


def adds_up(figures: dict[str, Any]) -> bool:
    return bool(figures["planned"] == sum(figures[name] for name in SIX))


async def plan_one_of_each(api: Api) -> None:
    for number, state in enumerate(DeliveryState):
        await api.seed.delivery(f"dlv_{number}", "prf_1", state)


async def test_nothing_planned_is_all_zeros(api: Api) -> None:
    body = await api.read(PATH)

    assert body["totals"] == dict.fromkeys(("planned", *SIX), 0)
    assert set(body["receipts"]) == {"delivered", "undelivered", "bounced", "expired"}
    assert set(body["reactions"]) > {"shown", "opened", "clicked", "complained", "unsubscribed"}
    assert set(body["reactions_total"]) == set(body["reactions"])
    assert body["unknown"] == 0
    assert body["groups"] == []


async def test_planned_is_the_sum_of_the_other_six(api: Api) -> None:
    await plan_one_of_each(api)
    await api.seed.delivery("dlv_theirs", "prf_9", workspace="other")

    body = await api.read(PATH)

    assert body["totals"] == {
        "planned": len(DeliveryState),
        "waiting": 4,  # planned, held, claimed, handed
        "accepted": 5,  # and delivered, undelivered, bounced, expired
        "failed": 1,
        "skipped": 1,
        "cancelled": 1,
        "in_doubt": 1,
    }
    assert body["receipts"] == dict.fromkeys(("delivered", "undelivered", "bounced", "expired"), 1)


async def test_the_figures_are_those_of_the_ledger_counted_row_by_row(api: Api) -> None:
    await plan_one_of_each(api)
    counted = dict.fromkeys(SIX, 0)
    async with api.parts.store.reading() as tx:
        for state, count in await tx.fetch("states_in_ledger", workspace="default"):
            counted[bucket(DeliveryState(state)).value] += count

    totals = (await api.read(PATH))["totals"]

    assert {name: totals[name] for name in SIX} == counted


async def test_groups_show_the_same_figures_apart(api: Api) -> None:
    skipped: dict[str, Any] = {"state": DeliveryState.SKIPPED, "reason": "opted_out"}
    for number in range(3):
        await api.seed.delivery(f"dlv_a{number}", "prf_1", **skipped)
    await api.seed.delivery("dlv_b", "prf_1", channel="sms", **skipped)
    await api.seed.delivery(
        "dlv_c", "prf_1", DeliveryState.ACCEPTED, reactions={"opened": [NOON, 3]}
    )

    body = await api.read(PATH, group_by="channel,reason")

    groups = {(group["channel"], group["reason"]): group for group in body["groups"]}
    assert groups[("email", "opted_out")]["skipped"] == 3
    assert groups[("sms", "opted_out")]["skipped"] == 1
    assert groups[("email", "")]["accepted"] == 1
    assert groups[("email", "")]["reactions"]["opened"] == 1
    assert (body["reactions"]["opened"], body["reactions_total"]["opened"]) == (1, 3)
    assert all(adds_up(group) for group in body["groups"])
    assert sum(group["planned"] for group in body["groups"]) == body["totals"]["planned"] == 5


@pytest.mark.parametrize(
    "names",
    ["campaign", "step", "channel", "provider", "status", "reason", "hour", "hour,status,step"],
)
async def test_every_way_of_grouping_adds_up(api: Api, names: str) -> None:
    await plan_one_of_each(api)
    await api.seed.delivery("dlv_x", "prf_1", campaign="cmp_2", step="s2", planned_at=NOON - DAY)

    body = await api.read(PATH, group_by=names)

    assert all(adds_up(group) for group in body["groups"])
    for name in ("planned", *SIX):
        assert sum(group[name] for group in body["groups"]) == body["totals"][name]


async def test_statuses_are_the_states_of_the_ledger(api: Api) -> None:
    for number, state in enumerate((DeliveryState.HELD, DeliveryState.DELIVERED)):
        await api.seed.delivery(f"dlv_{number}", "prf_1", state)

    groups = (await api.read(PATH, group_by="status"))["groups"]

    assert [(group["status"], group["planned"]) for group in groups] == [
        ("accepted", 1),
        ("held", 1),
    ]


async def test_figures_may_be_of_one_campaign_and_of_some_hours(api: Api) -> None:
    for number in range(4):
        await api.seed.delivery(f"dlv_{number}", "prf_1", planned_at=NOON + number * HOUR)
    await api.seed.delivery("dlv_x", "prf_1", campaign="cmp_2")

    def planned(body: Any) -> int:
        return int(body["totals"]["planned"])

    assert planned(await api.read(PATH, campaign="cmp_2")) == 1
    assert planned(await api.read(PATH, campaign="unknown")) == 0
    span = {"from": "2026-11-21T13:00:00Z", "to": "2026-11-21T15:00:00Z"}
    assert planned(await api.read(PATH, campaign="cmp_1", **span)) == 2
    assert planned(await api.read(PATH, to="2026-11-21T16:31:00+03:30")) == 3  # 13:01 in UTC


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"group_by": "channel,id"}, "group_by"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    api: Api, query: dict[str, str], pointer: str
) -> None:
    response = await api.get(PATH, **query)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


async def test_figures_add_up_in_every_snapshot_while_deliveries_move(api: Api) -> None:
    seen: set[bytes] = set()
    for number, state in enumerate(PATHS):
        await api.seed.delivery(f"dlv_{number}", "prf_1", state)
        totals = (await api.read(PATH))["totals"]
        assert adds_up(totals)
        assert totals["planned"] == number + 1
        seen.add(msgspec.json.encode(totals))
    assert len(seen) == len(PATHS)
