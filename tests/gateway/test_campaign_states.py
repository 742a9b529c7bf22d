"""What a campaign does, over HTTP."""

import asyncio
from typing import Any

import pytest

from angarium.core.bus.subjects import DECISIONS
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.status import DeliveryState
from angarium.core.store.campaigns import active_campaigns, definitions_revision
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/campaigns/cmp_1"


async def move(api: Api, *verbs: str) -> list[int]:
    return [(await api.post(f"{PATH}/{verb}")).status_code for verb in verbs]


async def revision(api: Api) -> int:
    async with api.parts.store.reading() as tx:
        return await definitions_revision(tx)


async def test_an_activated_campaign_is_in_force(api: Api) -> None:
    await api.seed.campaign("cmp_1", name="Cart")

    response = await api.post(f"{PATH}/activate")

    assert response.status_code == 200
    assert response.json()["state"] == "active"
    assert response.json()["activatedAt"] == "2026-11-21T12:00:00.000Z"
    async with api.parts.store.reading() as tx:
        [active] = await active_campaigns(tx)
    assert (active.workspace, active.id, active.version) == ("default", "cmp_1", 1)
    assert active.activated_at == NOON


async def test_activating_twice_is_one_change_of_state(api: Api) -> None:
    await api.seed.campaign("cmp_1")
    await api.post(f"{PATH}/activate")
    first = (await api.get(PATH)).headers["ETag"]
    before = await revision(api)
    api.parts.now.at += 1_000  # type: ignore[attr-defined]  # the test's own clock

    again = await api.post(f"{PATH}/activate")

    assert (again.status_code, again.headers["ETag"]) == (200, first)
    assert await revision(api) == before


async def test_two_clicks_at_once_are_one_change_of_state(api: Api) -> None:
    await api.seed.campaign("cmp_1")

    answers = await asyncio.gather(*(api.post(f"{PATH}/activate") for _ in range(2)))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert await revision(api) == 1


@pytest.mark.parametrize(
    ("verbs", "status", "state"),
    [
        (("activate", "pause"), 200, "paused"),
        (("activate", "pause", "pause"), 200, "paused"),
        (("activate", "pause", "activate"), 200, "active"),
        (("archive",), 200, "archived"),
        (("activate", "archive", "archive"), 200, "archived"),
        (("pause",), 409, "draft"),
        (("archive", "activate"), 409, "archived"),
        (("archive", "pause"), 409, "archived"),
    ],
)
async def test_states_change_as_the_table_says(
    api: Api, verbs: tuple[str, ...], status: int, state: str
) -> None:
    await api.seed.campaign("cmp_1")

    statuses = await move(api, *verbs)

    assert statuses[-1] == status
    assert (await api.read(PATH))["state"] == state


async def test_a_paused_campaign_is_in_force_no_more(api: Api) -> None:
    await api.seed.campaign("cmp_1")
    await move(api, "activate", "pause")

    async with api.parts.store.reading() as tx:
        assert await active_campaigns(tx) == []


@pytest.mark.parametrize("verb", ["activate", "pause", "archive", "stats", "test"])
async def test_a_campaign_of_another_workspace_is_not_found(api: Api, verb: str) -> None:
    await api.seed.campaign("cmp_1", workspace="other")
    path = f"{PATH}/{verb}"

    response = await (api.get(path) if verb == "stats" else api.post(path, {"to": ["u1"]}))

    assert response.status_code == 404


async def test_a_test_is_a_decision_for_each_person(live_api: Api) -> None:
    await live_api.seed.campaign("cmp_1")
    for number in (1, 2):
        await live_api.seed.person(f"u{number}", f"prf_{number}")

    response = await live_api.post(f"{PATH}/test", {"to": ["u1", "u2", "u1"]})

    assert response.status_code == 200
    sent = response.json()["data"]
    decisions = await live_api.said(DECISIONS, 2)
    assert [one["userId"] for one in sent] == ["u1", "u2"]
    for one, decision in zip(sent, decisions, strict=True):
        assert decision == {
            "decisionId": decision["decisionId"],
            "campaign": "cmp_1",
            "userId": one["userId"],
            "test": True,
        }
        ours = make_id("dlv_", "default", "decision", decision["decisionId"])
        assert one["delivery"] == ours


async def test_whoever_is_named_in_two_spellings_gets_one_test(live_api: Api) -> None:
    """A userId is one however its letters are composed, as everywhere else."""
    await live_api.seed.campaign("cmp_1")
    await live_api.seed.person("آرش", "prf_1")

    response = await live_api.post(f"{PATH}/test", {"to": ["\u0627\u0653رش", "آرش"]})

    assert response.status_code == 200, response.text
    assert [one["userId"] for one in response.json()["data"]] == ["آرش"]


async def test_a_test_for_nobody_is_refused(live_api: Api) -> None:
    await live_api.seed.campaign("cmp_1")
    await live_api.seed.person("u1", "prf_1")

    response = await live_api.post(f"{PATH}/test", {"to": ["u1", "u1", "nobody"]})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["/to/2"]
    assert await live_api.unsaid(DECISIONS) == 0
    bodies: list[Any] = [{"to": []}, {"to": ["u"] * 21}, {"to": "u1"}, {}]
    for body in bodies:
        assert (await live_api.post(f"{PATH}/test", body)).status_code == 422


async def test_figures_are_those_of_its_deliveries_and_its_runs(api: Api) -> None:
    await api.seed.campaign("cmp_1")
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.DELIVERED)
    await api.seed.delivery("dlv_2", "prf_1", DeliveryState.SKIPPED, reason="opted_out")
    await api.seed.delivery("dlv_3", "prf_1", campaign="cmp_2")
    for name, shard, count in (
        ("enrolled", 0, 5),
        ("enrolled", 1, 2),
        ("waiting", 0, 3),
        ("cancelled_by_stop", 0, 1),
    ):
        row = {"campaign": "cmp_1", "name": name, "shard": shard, "count": count}
        await api.seed.run("seed_campaign_count", **row)

    body = await api.read(f"{PATH}/stats", group_by="reason")

    assert body["totals"]["planned"] == 2
    assert body["receipts"]["delivered"] == 1
    assert {group["reason"]: group["planned"] for group in body["groups"]} == {
        "": 1,
        "opted_out": 1,
    }
    assert (body["enrolled"], body["waiting"], body["cancelled_by_stop"]) == (7, 3, 1)
