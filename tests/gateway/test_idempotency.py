"""Requests sent twice take effect once."""

import asyncio
from typing import Any

import pytest

from angarium.core.store import idempotency
from angarium.core.store.idempotency import KEPT_MS, TAKEOVER_MS, Name
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/suppressions"
BODY = {"channel": "email", "address": "a@example.org"}
OTHER = {"channel": "email", "address": "b@example.org"}


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


def wait(api: Api, milliseconds: int) -> None:
    api.parts.now.at += milliseconds  # type: ignore[attr-defined]  # the test's own clock


async def test_the_same_request_gets_the_first_answer(api: Api) -> None:
    first = await api.post(PATH, BODY, headers=key("k1"))
    await api.request("DELETE", f"{PATH}/email/a@example.org")
    wait(api, KEPT_MS - 1)

    again = await api.post(PATH, BODY, headers=key("k1"))

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (await api.read(PATH))["data"] == []


async def test_another_body_with_the_same_key_is_refused(api: Api) -> None:
    await api.post(PATH, BODY, headers=key("k1"))

    response = await api.post(PATH, OTHER, headers=key("k1"))

    assert (response.status_code, response.json()["code"]) == (422, "key_reused")
    assert len((await api.read(PATH))["data"]) == 1


async def test_another_path_with_the_same_key_is_refused(api: Api) -> None:
    await api.post(PATH, BODY, headers=key("k1"))

    response = await api.post("/v1/campaigns", BODY, headers=key("k1"))

    assert response.json()["code"] == "key_reused"


async def test_keys_of_different_credentials_never_meet(api: Api) -> None:
    await api.post(PATH, BODY, headers=key("k1"))

    for credential in ("second", "other"):
        response = await api.post(PATH, OTHER, headers=key("k1"), key=credential)
        assert response.status_code == 201


async def test_while_the_first_request_is_at_work_the_second_is_told_so(api: Api) -> None:
    await api.post(PATH, BODY, headers=key("k1"))
    async with api.parts.store.transaction() as tx:
        name = await name_of(api, "k1")
        fingerprint = (await tx.fetch("find_answer", **params(name)))[0][0]
        await tx.run("restart_answer", **params(name), fingerprint=fingerprint, now=api.parts.now())

    response = await api.post(PATH, BODY, headers=key("k1"))

    assert (response.status_code, response.json()["code"]) == (409, "key_in_use")
    assert response.headers["Retry-After"] == "1"
    wait(api, TAKEOVER_MS)
    assert (await api.post(PATH, BODY, headers=key("k1"))).status_code == 201


async def name_of(api: Api, text: str) -> Name:
    caller = await api.parts.keyring.find(api.keys["default"])
    assert caller is not None
    return Name("default", caller.key, text)


def params(name: Name) -> dict[str, Any]:
    return {"workspace": name.workspace, "credential": name.credential, "key": name.key}


async def test_a_request_that_was_refused_leaves_its_key_free(api: Api) -> None:
    refused = await api.post(PATH, BODY | {"address": "nonsense"}, headers=key("k1"))
    assert refused.status_code == 422

    assert (await api.post(PATH, BODY, headers=key("k1"))).status_code == 201


async def test_after_a_day_a_key_may_be_used_again(api: Api) -> None:
    await api.post(PATH, BODY, headers=key("k1"))
    wait(api, KEPT_MS)

    assert (await api.post(PATH, OTHER, headers=key("k1"))).status_code == 201


async def test_many_at_once_with_one_key_take_effect_once(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.post("/v1/campaigns", CAMPAIGN, headers=key("k1")) for _ in range(5))
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len((await api.read("/v1/campaigns"))["data"]) == 1


CAMPAIGN: dict[str, Any] = {
    "name": "Cart",
    "send_at": {"trigger": {"event": "AddToCart"}},
    "content": {"sms": {"text": "Hello"}},
}


async def test_a_request_repeated_after_its_process_died_makes_the_same_thing(api: Api) -> None:
    first = (await api.post("/v1/campaigns", CAMPAIGN, headers=key("k1"))).json()
    name = await name_of(api, "k1")
    async with api.parts.store.transaction() as tx:  # it died before it kept the answer
        known = (await tx.fetch("find_answer", **params(name)))[0][0]
        await tx.run("restart_answer", **params(name), fingerprint=known, now=api.parts.now())
    wait(api, TAKEOVER_MS)

    again = (await api.post("/v1/campaigns", CAMPAIGN, headers=key("k1"))).json()

    assert again == first
    assert len((await api.read("/v1/campaigns"))["data"]) == 1


async def test_a_key_used_again_after_a_day_makes_another_thing(api: Api) -> None:
    first = (await api.post("/v1/campaigns", CAMPAIGN, headers=key("k1"))).json()
    wait(api, KEPT_MS)

    other = await api.post("/v1/campaigns", CAMPAIGN | {"name": "Other"}, headers=key("k1"))

    assert (other.status_code, other.json()["name"]) == (201, "Other")
    assert other.json()["id"] != first["id"]


@pytest.mark.parametrize("text", ["", "x" * 256, "\x7f"])
async def test_a_key_that_cannot_be_used_is_refused(api: Api, text: str) -> None:
    response = await api.post(PATH, BODY, headers=key(text))

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "Idempotency-Key"


async def test_old_answers_are_forgotten(api: Api) -> None:
    await api.post(PATH, BODY, headers=key("k1"))
    wait(api, KEPT_MS + 1)
    await api.post(PATH, OTHER, headers=key("k2"))

    async with api.parts.store.transaction() as tx:
        assert await idempotency.forget_old(tx, api.parts.now()) == 1
