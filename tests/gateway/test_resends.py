"""Sending again over HTTP what was given up."""

import pytest

from angarium.core.bus.subjects import FEEDBACK
from angarium.core.delivery.resends import resend_id
from angarium.core.delivery.status import DeliveryState
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/deliveries/dlv_1/resend"


@pytest.mark.parametrize(
    ("state", "reason"),
    [(DeliveryState.FAILED, "retries_exhausted"), (DeliveryState.SKIPPED, "expired")],
)
async def test_what_was_given_up_is_told_to_the_core(
    live_api: Api, state: DeliveryState, reason: str
) -> None:
    await live_api.seed.delivery("dlv_1", "prf_1", state, reason=reason)

    response = await live_api.post(PATH, {})

    new = resend_id("default", "dlv_1")
    assert (response.status_code, response.json()) == (202, {"delivery": new, "resendOf": "dlv_1"})
    [told] = await live_api.said(FEEDBACK)
    assert (told["delivery"], told["kind"], told["status"]) == (
        "dlv_1",
        "operator",
        "resend_failed",
    )


@pytest.mark.parametrize(
    ("state", "reason", "says"),
    [
        (DeliveryState.IN_DOUBT, "worker_lost", "release"),
        (DeliveryState.SKIPPED, "opted_out", "opted_out"),
        (DeliveryState.ACCEPTED, "", "accepted"),
        (DeliveryState.HELD, "provider_paused", "held"),
        (DeliveryState.CANCELLED, "stopped", "cancelled"),
    ],
)
async def test_anything_else_is_refused_with_its_reason(
    api: Api, state: DeliveryState, reason: str, says: str
) -> None:
    await api.seed.delivery("dlv_1", "prf_1", state, reason=reason)

    response = await api.post(PATH, {})

    assert response.status_code == 409
    assert says in response.json()["detail"]


async def test_a_delivery_of_another_workspace_is_not_found(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.FAILED, workspace="other")
    assert (await api.post(PATH, {})).status_code == 404
    assert (await api.post("/v1/deliveries/dlv_9/resend", {})).status_code == 404


async def test_a_resend_that_is_not_durable_is_not_taken(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.FAILED)

    response = await api.post(PATH, {})

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
