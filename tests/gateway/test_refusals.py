"""What the API says of bodies that it cannot take: where, by a JSON pointer into the body."""

from typing import Any

import pytest

from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

BODIES = ("/v1/decisions", "/v1/keys", "/v1/suppressions", "/v1/campaigns")
DECISION = {"decisionId": "d", "campaign": "c", "userId": "u"}


@pytest.mark.parametrize("path", BODIES)
async def test_a_body_that_is_no_object_cannot_be_read(api: Api, path: str) -> None:
    for body in (None, b"", b"null", b"[]", b"3", b'"text"'):
        response = await api.request("POST", path, content=body)

        problem = response.json()
        assert (response.status_code, problem["code"]) == (400, "unreadable_body"), body
        assert [error["pointer"] for error in problem["errors"]] == [""], body
        assert "object" in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"data": 5}, "/data"),
        ({"data": []}, "/data"),
        ({"userId": 5}, "/userId"),
        ({"data": {"data": 5}, "channel": 5}, "/channel"),
        ({"other": 5}, ""),
    ],
)
async def test_a_member_called_data_is_told_from_the_whole_body(
    api: Api, change: dict[str, Any], pointer: str
) -> None:
    response = await api.post("/v1/decisions", DECISION | change)

    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_a_wrong_query_is_named_by_its_parameter(api: Api) -> None:
    response = await api.get("/v1/rejects", limit="many")

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["limit"]
