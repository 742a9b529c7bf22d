"""Deliveries over HTTP."""

from typing import Any

import pytest

from angarium.core.bus.subjects import FEEDBACK
from angarium.core.delivery.status import DeliveryState
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]


async def test_deliveries_are_listed_planned_last_first_page_by_page(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    for number in range(5):
        await api.seed.delivery(f"dlv_{number}", "prf_1", planned_at=NOON + number // 2)
    await api.seed.delivery("dlv_theirs", "prf_9", workspace="other")

    found = await api.pages("/v1/deliveries", limit=2)

    assert [row["id"] for row in found] == ["dlv_4", "dlv_3", "dlv_2", "dlv_1", "dlv_0"]
    assert found[0]["userId"] == "u1"
    assert found[0]["profile"] == "prf_1"
    assert found[0]["class"] == "marketing"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"campaign": "cmp_2"}, ["dlv_4"]),
        ({"state": "skipped"}, ["dlv_2"]),
        ({"state": "waiting"}, ["dlv_1", "dlv_4"]),
        ({"channel": "sms"}, ["dlv_3"]),
        ({"reason": "opted_out"}, ["dlv_2"]),
        ({"profile": "u2"}, ["dlv_5"]),
        ({"profile": "u1", "state": "waiting"}, ["dlv_1", "dlv_4"]),
        ({"profile": "anonymous:a2"}, ["dlv_5"]),
    ],
)
async def test_filters_combine(api: Api, filters: dict[str, Any], expected: list[str]) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.person("u2", "prf_2")
    await api.seed.identity("anonymous", "a2", "prf_2")
    await api.seed.delivery("dlv_1", "prf_1")
    await api.seed.delivery("dlv_2", "prf_1", DeliveryState.SKIPPED, reason="opted_out")
    await api.seed.delivery("dlv_3", "prf_1", DeliveryState.DELIVERED, channel="sms")
    await api.seed.delivery("dlv_4", "prf_1", DeliveryState.HANDED, campaign="cmp_2")
    await api.seed.delivery("dlv_5", "prf_2", DeliveryState.IN_DOUBT)

    found = await api.pages("/v1/deliveries", limit=1, **filters)

    assert sorted(row["id"] for row in found) == expected


async def test_an_unknown_state_is_refused(api: Api) -> None:
    response = await api.get("/v1/deliveries", state="sent")

    assert response.status_code == 422
    assert "state" in response.text


async def test_a_cursor_holds_for_its_filters_only(api: Api) -> None:
    for number in range(3):
        await api.seed.delivery(f"dlv_{number}", "prf_1")
    cursor = (await api.read("/v1/deliveries", limit=1, channel="email"))["next_cursor"]

    assert (await api.get("/v1/deliveries", channel="email", cursor=cursor)).status_code == 200
    assert (await api.get("/v1/deliveries", channel="sms", cursor=cursor)).status_code == 422


async def test_the_deliveries_of_a_person_are_listed_below_them(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    for number in range(3):
        await api.seed.delivery(f"dlv_{number}", "prf_1")
    await api.seed.delivery("dlv_9", "prf_2")

    found = await api.pages("/v1/profiles/u1/deliveries", limit=2)

    assert [row["id"] for row in found] == ["dlv_2", "dlv_1", "dlv_0"]


async def test_one_delivery_is_told_in_full(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.delivery(
        "dlv_1",
        "prf_1",
        DeliveryState.BOUNCED,
        gates='[{"gate": "opt_in", "verdict": "send", "reason": "", "saw": {}}]',
        reactions={"opened": [NOON + 5_000, 2]},
        context={"event": {"name": "AddToCart"}, "links": ["https://example.org/"]},
        triggered_at=NOON - 1_000,
    )

    body = await api.read("/v1/deliveries/dlv_1")

    assert body["gates"][0]["gate"] == "opt_in"
    assert body["event"] == {"name": "AddToCart"}
    assert body["links"] == ["https://example.org/"]
    assert body["reactions"] == {"opened": {"first": "2026-11-21T12:00:05.000Z", "count": 2}}
    assert body["history"] == [
        {"status": "triggered", "at": "2026-11-21T11:59:59.000Z"},
        {"status": "planned", "at": "2026-11-21T12:00:00.000Z"},
        {"status": "handed", "at": "2026-11-21T12:00:01.000Z"},
        {"status": "accepted", "at": "2026-11-21T12:00:02.000Z"},
        {"status": "bounced", "at": "2026-11-21T12:00:03.000Z"},
        {"status": "opened", "at": "2026-11-21T12:00:05.000Z"},
    ]


async def test_a_delivery_of_another_workspace_is_not_found(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.IN_DOUBT, workspace="other")

    assert (await api.get("/v1/deliveries/dlv_1")).status_code == 404
    response = await api.post("/v1/deliveries/dlv_1/release", {"as": "resend"})
    assert response.status_code == 404


async def test_an_operator_settles_a_delivery_in_doubt(live_api: Api) -> None:
    await live_api.seed.delivery("dlv_1", "prf_1", DeliveryState.IN_DOUBT)

    response = await live_api.post("/v1/deliveries/dlv_1/release", {"as": "accepted"})

    assert (response.status_code, response.json()) == (
        202,
        {"delivery": "dlv_1", "as": "accepted"},
    )
    [told] = await live_api.said(FEEDBACK)
    assert (told["delivery"], told["kind"], told["status"]) == ("dlv_1", "operator", "accepted")
    assert (told["at"], told["id"][:4]) == (NOON, "fbk_")


async def test_a_delivery_that_is_not_in_doubt_cannot_be_released(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.ACCEPTED)

    response = await api.post("/v1/deliveries/dlv_1/release", {"as": "resend"})

    assert response.status_code == 409
    assert "accepted" in response.json()["detail"]


@pytest.mark.parametrize("body", [{"as": "again"}, {}, {"as": "resend", "to": "x"}])
async def test_a_release_says_exactly_what_to_do(api: Api, body: dict[str, str]) -> None:
    response = await api.post("/v1/deliveries/dlv_1/release", body)

    assert response.status_code == 422
    assert response.json()["errors"]


async def test_a_release_that_is_not_durable_is_not_taken(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.IN_DOUBT)

    response = await api.post("/v1/deliveries/dlv_1/release", {"as": "resend"})

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
