"""Decisions over HTTP."""

from typing import Any

import pytest

from angarium.core.bus.subjects import DECISIONS
from angarium.core.delivery.keys import make_id
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


PATH = "/v1/decisions"
DECISION: dict[str, Any] = {
    "decisionId": "d1",
    "campaign": "cmp_1",
    "userId": "u1",
    "channel": "sms",
    "data": {"code": "X"},
    "notBefore": "2026-11-21T12:00:00Z",
    "expires": "2026-11-22T12:00:00+03:30",
}


async def test_a_decision_is_on_the_stream_when_it_is_answered(live_api: Api) -> None:
    await live_api.seed.campaign("cmp_1", content={"sms": {}, "email": {}})

    response = await live_api.post(PATH, DECISION, headers={"X-Request-Id": "r1"})

    delivery = make_id("dlv_", "default", "decision", "d1")
    assert (response.status_code, response.json()) == (200, {"delivery": delivery})
    assert await live_api.said(DECISIONS) == [DECISION | {"requestId": "r1"}]


async def test_the_same_decision_leads_to_the_same_delivery(live_api: Api) -> None:
    await live_api.seed.campaign("cmp_1", content={"sms": {}, "email": {}})

    first = await live_api.post(PATH, DECISION)
    again = await live_api.post(PATH, DECISION)

    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"decisionId": ""}, "decisionId"),
        ({"decisionId": "x" * 201}, "decisionId"),
        ({"userId": 5}, "userId"),
        ({"userId": "x" * 101}, "userId"),
        ({"notBefore": "soon"}, "notBefore"),
        ({"expires": "2026-11-21T11:59:59Z"}, "expires"),
        ({"test": True}, "test"),
        ({"workspace": "other"}, "workspace"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, change: dict[str, Any], pointer: str) -> None:
    await api.seed.campaign("cmp_1", content={"sms": {}, "email": {}})

    response = await api.post(PATH, DECISION | change)

    assert response.status_code == 422
    assert pointer in str(response.json()["errors"])


async def test_a_campaign_of_another_workspace_is_not_found(api: Api) -> None:
    await api.seed.campaign("cmp_1", workspace="other")

    assert (await api.post(PATH, DECISION)).status_code == 404


async def test_what_is_not_durable_is_not_taken(api: Api) -> None:
    await api.seed.campaign("cmp_1", content={"sms": {}, "email": {}})

    response = await api.post(PATH, DECISION, headers={"Idempotency-Key": "k"})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    retried = await api.post(PATH, DECISION, headers={"Idempotency-Key": "k"})
    assert retried.status_code == 503
