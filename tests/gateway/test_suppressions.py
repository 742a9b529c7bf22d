"""Addresses that get nothing, over HTTP."""

from urllib.parse import quote

import pytest

from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/suppressions"


async def test_an_address_is_stored_as_it_is_sent_to(api: Api) -> None:
    response = await api.post(PATH, {"channel": "sms", "address": "۰۹۱۲ ۱۲۳ ۴۵۶۷"})

    assert response.status_code == 201
    assert response.json() == {
        "channel": "sms",
        "address": "+989121234567",
        "reason": "operator",
        "at": "2026-11-21T12:00:00.000Z",
    }


async def test_the_first_reason_stays(api: Api) -> None:
    await api.post(PATH, {"channel": "email", "address": "a@example.org", "reason": "court"})

    response = await api.post(PATH, {"channel": "email", "address": "a@example.org"})

    assert response.json()["reason"] == "court"


async def test_letters_of_an_email_address_are_large_or_small(api: Api) -> None:
    first = await api.post(PATH, {"channel": "email", "address": "Ann.Lee@Example.org"})
    again = await api.post(PATH, {"channel": "email", "address": "ann.LEE@example.org"})
    await api.post(PATH, {"channel": "email", "address": "bob@example.org"})

    assert first.json()["address"] == again.json()["address"] == "Ann.Lee@example.org"
    assert [row["address"][0] for row in await api.pages(PATH, limit=1)] == ["A", "b"]
    path = f"{PATH}/email/{quote('aNN.lee@example.org', safe='')}"
    assert (await api.request("DELETE", path)).status_code == 204
    assert [row["address"][0] for row in await api.pages(PATH)] == ["b"]


async def test_suppressions_are_listed_by_channel_and_address(api: Api) -> None:
    for address in ("c@example.org", "a@example.org", "b@example.org"):
        await api.post(PATH, {"channel": "email", "address": address})
    await api.post(PATH, {"channel": "sms", "address": "09121234567"})
    await api.post(PATH, {"channel": "email", "address": "t@example.org"}, key="other")

    found = await api.pages(PATH, limit=2)

    assert [row["address"][0] for row in found] == ["a", "b", "c", "+"]
    assert len(await api.pages(PATH, channel="sms")) == 1


async def test_a_removed_address_receives_again(api: Api) -> None:
    await api.post(PATH, {"channel": "push", "address": "token/with:slash"})
    path = f"{PATH}/push/{quote('token/with:slash', safe='')}"

    assert (await api.request("DELETE", path, key="other")).status_code == 404
    assert (await api.request("DELETE", path)).status_code == 204
    assert (await api.request("DELETE", path)).status_code == 404
    assert (await api.read(PATH))["data"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"channel": "pigeon", "address": "x"}, "/channel"),
        ({"channel": "email", "address": "x"}, "/address"),
        ({"channel": "sms", "address": "+982188776655"}, "/address"),
    ],
)
async def test_what_cannot_be_an_address_is_refused(
    api: Api, body: dict[str, str], pointer: str
) -> None:
    response = await api.post(PATH, body)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer
