"""People marked as testers, over HTTP, and tests that go to all of them."""

from typing import Any

import pytest

from angarium.core.bus.subjects import DECISIONS, EVENTS
from angarium.core.segments.conditions import Facts, matches, parse_condition
from angarium.gateway.testers import TESTERS_MOST
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/testers"
TEST = "/v1/campaigns/cmp_1/test"


@pytest.fixture
async def shop(live_api: Api) -> Api:
    """A campaign, and people u1 to u3."""
    await live_api.seed.campaign("cmp_1")
    for number in (1, 2, 3):
        await live_api.seed.person(f"u{number}", f"prf_{number}")
    live_api.after[EVENTS] = (await live_api.parts.bus.stream_state(EVENTS)).last_sequence
    return live_api


async def mark(api: Api, *user_ids: str) -> list[int]:
    return [(await api.request("PUT", f"{PATH}/{user}")).status_code for user in user_ids]


async def test_who_is_marked_is_listed_once(shop: Api) -> None:
    assert await mark(shop, "u2", "u1", "u2") == [204, 204, 204]
    assert await shop.pages(PATH, limit=1) == [
        {"userId": "u1", "since": "2026-11-21T12:00:00.000Z"},
        {"userId": "u2", "since": "2026-11-21T12:00:00.000Z"},
    ]
    assert (await shop.request("GET", PATH, key="other")).json()["data"] == []


async def test_a_mark_can_be_taken_off(shop: Api) -> None:
    await mark(shop, "u1")

    assert (await shop.request("DELETE", f"{PATH}/u1")).status_code == 204
    assert (await shop.request("DELETE", f"{PATH}/u1")).status_code == 404
    assert (await shop.read(PATH))["data"] == []


@pytest.mark.parametrize("user", ["nobody", "%00"])
async def test_who_is_not_there_cannot_be_marked(shop: Api, user: str) -> None:
    assert await mark(shop, user) == [404]
    assert (await shop.request("DELETE", f"{PATH}/{user}")).status_code == 404
    assert (await shop.request("PUT", f"{PATH}/u1", key="other")).status_code == 404


async def test_the_number_of_testers_has_a_limit(shop: Api) -> None:
    for number in range(TESTERS_MOST):
        row = {"user_id": f"other-{number}", "since": NOON}
        await shop.seed.run("add_tester", **row)

    refused = await shop.request("PUT", f"{PATH}/u1")

    assert refused.status_code == 409
    assert str(TESTERS_MOST) in refused.json()["detail"]
    await shop.request("DELETE", f"{PATH}/other-0")
    assert await mark(shop, "u1") == [204]


async def test_the_mark_is_seen_by_conditions(shop: Api) -> None:
    await mark(shop, "u1")
    await shop.request("DELETE", f"{PATH}/u1")

    said: list[Any] = [one["batch"][0] for one in await shop.said(EVENTS, 2)]

    assert [(one["type"], one["userId"]) for one in said] == [("identify", "u1")] * 2
    assert [one["operations"] for one in said] == [
        {"add": {"tags": "tester"}},
        {"remove": {"tags": "tester"}},
    ]
    asked = parse_condition({"tag": "tester"})
    assert matches(asked, Facts(attributes={"tags": ["beta", "tester"]}), NOON)
    assert not matches(asked, Facts(), NOON)


async def test_a_test_for_nobody_in_particular_goes_to_all_testers(shop: Api) -> None:
    await mark(shop, "u1", "u3")

    response = await shop.post(TEST, {})

    assert response.status_code == 200
    assert [one["userId"] for one in response.json()["data"]] == ["u1", "u3"]
    decisions = await shop.said(DECISIONS, 2)
    assert [(one["userId"], one["test"]) for one in decisions] == [("u1", True), ("u3", True)]


async def test_a_person_with_two_ids_gets_one_test(shop: Api) -> None:
    await shop.seed.identity("user", "u1-old", "prf_1")
    await mark(shop, "u1", "u1-old", "u2")

    sent = (await shop.post(TEST, {})).json()["data"]

    assert [one["userId"] for one in sent] == ["u1", "u2"]


async def test_without_testers_a_test_must_name_people(shop: Api) -> None:
    await shop.seed.run("add_tester", user_id="erased", since=NOON)

    response = await shop.post(TEST, {})

    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["pointer"], "PUT /v1/testers" in error["detail"]) == ("/to", True)
    assert await shop.unsaid(DECISIONS) == 0
