"""Lists of promo codes, over HTTP."""

import gzip
from typing import Any

import httpx
import pytest

from angarium.config.limits import ADMIN_BYTES
from angarium.core.store.codes import Wanted, give_codes
from angarium.gateway import code_bodies
from angarium.gateway.code_bodies import CODE_LETTERS, CODES_MOST
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/code-lists"
CAMPAIGN: dict[str, Any] = {
    "name": "Spring",
    "send_at": {"trigger": {"event": "Visit"}},
    "content": {"sms": {"text": "Your code: {{ code }}"}},
}


async def make(api: Api, name: str = "Spring") -> str:
    response = await api.post(PATH, {"name": name})
    assert response.status_code == 201
    return str(response.json()["id"])


async def upload(api: Api, id_: str, body: bytes, **headers: str) -> httpx.Response:
    return await api.request("POST", f"{PATH}/{id_}/codes", content=body, headers=headers)


async def test_a_new_list_is_empty(api: Api) -> None:
    response = await api.post(PATH, {"name": "Spring"})

    assert response.json() == {
        "id": response.json()["id"],
        "name": "Spring",
        "total": 0,
        "free": 0,
        "given": 0,
        "createdAt": "2026-11-21T12:00:00.000Z",
    }
    assert response.json()["id"].startswith("cdl_")
    assert await api.read(f"{PATH}/{response.json()['id']}") == response.json()


async def test_a_name_is_taken_once(api: Api) -> None:
    await make(api)

    again = await api.post(PATH, {"name": "Spring"})

    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert (await api.post(PATH, {"name": "Spring"}, key="other")).status_code == 201


@pytest.mark.parametrize("name", ["", " Spring", "Spr\ning", "cdl_1", "x" * 201])
async def test_a_name_is_one_line_and_no_id(api: Api, name: str) -> None:
    response = await api.post(PATH, {"name": name})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'["A-1", "A-2", "A-1"]', {}),
        (b' ["A-1", "A-2", "A-1"]', {"content-type": "application/json"}),
        (b"A-1\nA-2\nA-1\n", {"content-type": "text/plain"}),
        (b"A-1\r\nA-2\r\n\r\nA-1", {"content-type": "application/x-www-form-urlencoded"}),
        (b'\xef\xbb\xbfcode\r\n"A-1"\r\n "A-2" \r\nA-1\r\n', {"content-type": "text/csv"}),
        (gzip.compress(b"A-1\nA-2\nA-1", mtime=0), {"content-encoding": "gzip"}),
    ],
)
async def test_codes_come_as_an_array_or_one_in_each_line(
    api: Api, body: bytes, headers: dict[str, str]
) -> None:
    id_ = await make(api)

    response = await upload(api, id_, body, **headers)

    assert response.status_code == 200
    told = response.json()
    assert (told["added"], told["duplicates"]) == (2, 1)
    assert (told["total"], told["free"], told["given"]) == (2, 2, 0)


async def test_a_repeated_upload_adds_nothing(api: Api) -> None:
    id_ = await make(api)
    await upload(api, id_, b"A\nB")

    again = (await upload(api, id_, b"B\nC\nA")).json()

    assert (again["added"], again["duplicates"], again["total"]) == (1, 2, 3)


async def test_the_same_key_gives_the_first_answer_again(api: Api) -> None:
    id_ = await make(api)
    key = {"idempotency-key": "upload-1"}
    first = await upload(api, id_, b"A\nB", **key)

    again = await upload(api, id_, b"A\nB", **key)

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"


async def test_figures_tell_what_was_given(api: Api) -> None:
    id_ = await make(api)
    await upload(api, id_, b"A\nB\nC")
    async with api.parts.store.transaction() as tx:
        await give_codes(tx, [Wanted("default", id_, "dlv_1")], NOON)

    assert await api.read(f"{PATH}/{id_}") == {
        "id": id_,
        "name": "Spring",
        "total": 3,
        "free": 2,
        "given": 1,
        "createdAt": "2026-11-21T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"", 422, ""),
        (b"[]", 422, ""),
        (b"code\n", 422, ""),
        (b'["A", ""]', 422, "/1"),
        (b'["A", " B"]', 422, "/1"),
        (b'["A\\u0000"]', 422, "/0"),
        (b'[1, "A"]', 422, ""),
        (b'{"codes": ["A"]}', 422, ""),
        (b"A\nB,1\n", 422, "line 2"),
        (b"A\n\nB;1\n", 422, "line 3"),
        (b"A\nB\tC\n", 422, "line 2"),
        (b"A\n" + b"B" * (CODE_LETTERS + 1), 422, "line 2"),
        (b'["A"', 400, None),
        (b"\xff\xfe", 400, None),
        (b"A\n" * (CODES_MOST + 1), 413, None),
    ],
)
async def test_what_cannot_be_codes_is_refused_as_a_whole(
    api: Api, body: bytes, status: int, pointer: str | None
) -> None:
    id_ = await make(api)

    response = await upload(api, id_, body)

    assert response.status_code == status
    assert [one["pointer"] for one in response.json()["errors"]] == (
        [] if pointer is None else [pointer]
    )
    assert (await api.read(f"{PATH}/{id_}"))["total"] == 0


async def test_what_unpacks_to_too_much_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = await make(api)
    monkeypatch.setattr(code_bodies, "UPLOAD_BYTES", 1_000)
    bomb = gzip.compress(b"A" * 1_001)

    assert (await upload(api, id_, bomb, **{"content-encoding": "gzip"})).status_code == 413
    assert (await upload(api, id_, b"A", **{"content-encoding": "br"})).status_code == 415


async def test_a_large_upload_is_added_in_parts(api: Api) -> None:
    id_ = await make(api)
    body = "\n".join(f"CODE-{number:055}" for number in range(40_000)).encode()
    assert len(body) > ADMIN_BYTES

    response = await upload(api, id_, body)

    assert (response.json()["added"], response.json()["free"]) == (40_000, 40_000)


async def test_lists_of_others_are_not_there(api: Api) -> None:
    id_ = await make(api)

    assert (await api.request("GET", f"{PATH}/{id_}", key="other")).status_code == 404
    assert (await api.request("GET", f"{PATH}/Spring")).status_code == 404
    assert (await api.request("GET", f"{PATH}/%00")).status_code == 404
    other = await api.request("POST", f"{PATH}/{id_}/codes", key="other", content=b"A")
    assert other.status_code == 404


async def test_lists_are_told_newest_first(api: Api) -> None:
    for number in range(3):
        await make(api, f"List {number}")
        api.parts.now.at += 1_000  # type: ignore[attr-defined]  # the test's own clock
    await api.post(PATH, {"name": "Theirs"}, key="other")

    found = await api.pages(PATH, limit=2)

    assert [one["name"] for one in found] == ["List 2", "List 1", "List 0"]


async def test_a_campaign_names_its_list_by_id_or_name(api: Api) -> None:
    id_ = await make(api)

    for ref in (id_, "Spring"):
        response = await api.post("/v1/campaigns", {**CAMPAIGN, "codes": ref})
        assert (response.status_code, response.json()["codes"]) == (201, ref)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"codes": "Autumn"}, "no list of codes has this id or name"),
        ({"codes": 7}, "must be text"),
        ({}, "is missing: the templates use `code`"),
        ({"codes": "Spring", "content": {"sms": {"text": "Hello"}}}, "no template uses `code`"),
    ],
)
async def test_a_campaign_whose_codes_cannot_be_is_refused(
    api: Api, changes: dict[str, Any], detail: str
) -> None:
    await make(api)

    response = await api.post("/v1/campaigns", {**CAMPAIGN, **changes})

    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["pointer"] == "/codes"
    assert detail in error["detail"]


async def test_a_changed_campaign_is_checked_too(api: Api) -> None:
    await make(api)
    made = (await api.post("/v1/campaigns", {**CAMPAIGN, "codes": "Spring"})).json()
    path = f"/v1/campaigns/{made['id']}"

    assert (await api.request("PATCH", path, json={"codes": "Autumn"})).status_code == 422
    assert (await api.request("PATCH", path, json={"codes": None})).status_code == 422
    assert (await api.request("PATCH", path, json={"name": "New"})).status_code == 200
