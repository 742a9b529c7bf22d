"""Campaign definitions over HTTP."""

from typing import Any

import pytest

from angarium.core.store.campaigns import definitions_revision, find_definition
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/campaigns"
CART: dict[str, Any] = {
    "name": "Abandoned cart",
    "class": "marketing",
    "audience": {"attribute": "city", "is": "Tehran"},
    "send_at": {"trigger": {"event": "AddToCart"}, "delay": "P1D", "stop": {"event": "Purchase"}},
    "content": {"order": ["email"], "email": {"subject": "Your cart", "text": "It waits."}},
}


async def made(api: Api, **changes: Any) -> Any:
    response = await api.post(PATH, CART | changes)
    assert response.status_code == 201, response.text
    return response.json()


async def revision(api: Api) -> int:
    async with api.parts.store.reading() as tx:
        return await definitions_revision(tx)


async def test_a_new_campaign_is_a_draft_with_its_definition_as_it_was_given(api: Api) -> None:
    response = await api.post(PATH, CART)

    body = response.json()
    assert response.status_code == 201
    assert body["id"].startswith("cmp_")
    assert (body["version"], body["state"], body["activatedAt"]) == (1, "draft", None)
    assert {name: body[name] for name in CART} == CART
    read = await api.get(f"{PATH}/{body['id']}")
    assert read.json() == body
    assert read.headers["ETag"] == response.headers["ETag"]
    assert await revision(api) == 0


async def test_every_fault_is_listed_with_its_pointer(api: Api) -> None:
    broken = CART | {"class": "spam", "content": {"email": {"text": "{% if"}}, "id": "cmp_x"}

    response = await api.post(PATH, broken)

    body = response.json()
    assert (response.status_code, body["code"]) == (422, "invalid")
    pointers = {error["pointer"] for error in body["errors"]}
    assert pointers >= {"/class", "/content/email/subject", "/content/email/text", "/id"}
    assert (await api.read(PATH))["data"] == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 9_999])
async def test_what_is_no_object_is_refused(api: Api, content: bytes) -> None:
    response = await api.request(
        "POST", PATH, content=content, headers={"Content-Type": "application/json"}
    )

    assert response.status_code in (400, 422), response.text
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_campaigns_are_listed_newest_first_and_by_state(api: Api) -> None:
    ids = []
    for number in range(3):
        api.parts.now.at += 1  # type: ignore[attr-defined]  # the test's own clock
        ids.append((await made(api, name=f"Campaign {number}"))["id"])
    await api.seed.campaign("cmp_theirs", workspace="other")
    await api.post(f"{PATH}/{ids[1]}/archive")

    found = await api.pages(PATH, limit=1)

    assert [campaign["id"] for campaign in found] == ids[::-1]
    assert [c["id"] for c in await api.pages(PATH, state="draft")] == [ids[2], ids[0]]
    assert (await api.get(PATH, state="begun")).status_code == 422


async def test_a_put_makes_a_new_version_and_keeps_the_old_one(api: Api) -> None:
    id_ = (await made(api))["id"]

    response = await api.request("PUT", f"{PATH}/{id_}", json=CART | {"name": "Cart"})

    assert response.status_code == 200
    assert (response.json()["version"], response.json()["name"]) == (2, "Cart")
    async with api.parts.store.reading() as tx:
        first = await find_definition(tx, "default", id_, 1)
    assert first is not None
    assert "Abandoned cart" in first


async def test_what_was_read_may_be_put_back_and_changes_nothing(api: Api) -> None:
    body = await made(api)

    response = await api.request("PUT", f"{PATH}/{body['id']}", json=body)

    assert (response.status_code, response.json()) == (200, body)


async def test_what_is_told_cannot_be_taken(api: Api) -> None:
    body = await made(api)

    response = await api.request("PUT", f"{PATH}/{body['id']}", json=body | {"state": "active"})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/state"


async def test_of_two_editors_the_second_is_told(api: Api) -> None:
    body = await made(api)
    path = f"{PATH}/{body['id']}"
    read = {"If-Match": (await api.get(path)).headers["ETag"]}

    first = await api.request("PUT", path, json=CART | {"name": "A"}, headers=read)
    second = await api.request("PUT", path, json=CART | {"name": "B"}, headers=read)

    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "precondition_failed"
    assert second.headers["ETag"] == first.headers["ETag"]
    assert (await api.read(path))["name"] == "A"


async def test_a_patch_changes_parts(api: Api) -> None:
    body = await made(api)
    patch = {"audience": None, "content": {"email": {"subject": "Hi"}}}

    response = await api.request("PATCH", f"{PATH}/{body['id']}", json=patch)

    changed = response.json()
    assert response.status_code == 200
    assert "audience" not in changed
    assert changed["content"]["email"] == {"subject": "Hi", "text": "It waits."}
    assert changed["version"] == 2


async def test_a_patch_that_breaks_the_definition_is_refused(api: Api) -> None:
    body = await made(api)

    response = await api.request("PATCH", f"{PATH}/{body['id']}", json={"content": None})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/content"
    assert (await api.read(f"{PATH}/{body['id']}"))["version"] == 1


async def test_the_core_sees_a_change_of_what_is_active_only(api: Api) -> None:
    id_ = (await made(api))["id"]
    await api.request("PUT", f"{PATH}/{id_}", json=CART | {"name": "B"})
    assert await revision(api) == 0
    await api.post(f"{PATH}/{id_}/activate")
    before = await revision(api)

    await api.request("PUT", f"{PATH}/{id_}", json=CART | {"name": "C"})

    assert await revision(api) == before + 1


async def test_an_archived_campaign_cannot_be_changed(api: Api) -> None:
    id_ = (await made(api))["id"]
    await api.post(f"{PATH}/{id_}/archive")

    response = await api.request("PUT", f"{PATH}/{id_}", json=CART | {"name": "B"})

    assert response.status_code == 409


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
async def test_a_campaign_of_another_workspace_is_not_found(api: Api, method: str) -> None:
    await api.seed.campaign("cmp_theirs", workspace="other")
    body = None if method == "GET" else CART

    assert (await api.request(method, f"{PATH}/cmp_theirs", json=body)).status_code == 404


async def test_the_same_idempotency_key_makes_one_campaign(api: Api) -> None:
    key = {"Idempotency-Key": "k1"}

    first = await api.post(PATH, CART, headers=key)
    again = await api.post(PATH, CART, headers=key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len((await api.read(PATH))["data"]) == 1
