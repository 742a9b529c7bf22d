"""The application as a whole: every refusal in one shape, whatever raised it; the schema page."""

from typing import Annotated, Any

import httpx
import msgspec
import pytest
import structlog
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from angarium.config.limits import ADMIN_BYTES
from angarium.core.bus.errors import BusFull, BusUnavailable, MessageTooLarge
from angarium.core.store.errors import Contention, Refused, StoreUnavailable
from angarium.gateway.parts import Parts
from angarium.gateway.problems import Problem, Refusal
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import Door

ERRORS: dict[str, Exception] = {
    "refusal": Refusal(Problem.CONFLICT, "it is taken"),
    "store": StoreUnavailable("at 10.0.0.1"),
    "contention": Contention("deadlock"),
    "refused": Refused("a value"),
    "bus": BusUnavailable("at 10.0.0.1"),
    "full": BusFull("no room"),
    "large": MessageTooLarge("too large"),
    "bug": KeyError("somebody@example.org"),
}


class Item(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    items: list[Item]


def routes() -> list[HTTPRouteHandler]:
    @get("/fail/{how:str}")
    async def fail(how: FromPath[str]) -> None:
        raise ERRORS[how]

    @post("/things")
    async def things(
        data: JSONBody[Thing], parts: Parts, limit: Annotated[int, QueryParameter(ge=1)] = 1
    ) -> str:
        return f"{len(data.items)} in {parts.workspace}, {limit}"

    return [fail, things]


def problem(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["status"] == response.status_code
    assert body["message"]
    return response.status_code, body["code"]


@pytest.mark.parametrize(
    ("how", "status", "code", "wait"),
    [
        ("refusal", 409, "conflict", None),
        ("store", 503, "unavailable", "2"),
        ("contention", 503, "unavailable", "2"),
        ("refused", 422, "invalid", None),
        ("bus", 503, "unavailable", "2"),
        ("full", 503, "unavailable", "5"),
        ("large", 413, "body_too_large", None),
        ("bug", 500, "internal", None),
    ],
)
async def test_whatever_a_route_raises_is_answered_in_one_shape(
    open_door: OpenDoor, how: str, status: int, code: str, wait: str | None
) -> None:
    door = await open_door(handlers=routes())

    with structlog.testing.capture_logs() as logs:
        response = await door.client.get(f"/fail/{how}")

    assert problem(response) == (status, code)
    assert response.headers.get("retry-after") == wait
    assert "10.0.0.1" not in response.text
    assert [line["event"] for line in logs] == (["request_failed"] if how == "bug" else [])


async def test_our_own_fault_is_logged_with_its_place_but_without_its_words(
    open_door: OpenDoor,
) -> None:
    door = await open_door(handlers=routes())

    with structlog.testing.capture_logs() as logs:
        response = await door.client.get("/fail/bug")

    [line] = logs
    assert line["request_id"] == response.headers["x-request-id"]
    assert (line["error"], line["route"]) == ("KeyError", "/fail/{how}")
    assert "test_app.py" in line["where"][-1]
    assert "somebody" not in str(line) + response.text


async def test_a_path_that_is_not_there(door: Door) -> None:
    response = await door.client.get("/v1/nothing", headers={"X-Request-Id": "mine"})

    assert problem(response) == (404, "no_such_route")
    assert response.headers["x-request-id"] == "mine"


async def test_a_method_that_the_path_does_not_take(door: Door) -> None:
    response = await door.client.put("/v1/keys")

    assert problem(response) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "pointers"),
    [
        ("/things", b"", 400, "unreadable_body", [""]),
        ("/things", b"{", 400, "unreadable_body", []),
        ("/things", b"\xff", 400, "unreadable_body", []),
        ("/things", b'{"items":NaN}', 400, "unreadable_body", []),
        ("/things", b'{"items":' + b"[" * 10_000, 400, "unreadable_body", []),
        ("/things", b"[]", 400, "unreadable_body", [""]),
        ("/things", b"{}", 422, "invalid", [""]),
        ("/things", b'{"items":[],"more":1}', 422, "invalid", [""]),
        ("/things", b'{"items":[{"count":"secret"}]}', 422, "invalid", ["/items/0/count"]),
        ("/things?limit=0", b'{"items":[]}', 422, "invalid", ["limit"]),
        ("/things?limit=secret", b'{"items":[]}', 422, "invalid", ["limit"]),
        ("/things", b" " * (ADMIN_BYTES + 1), 413, "body_too_large", []),
    ],
)  # fmt: skip
async def test_wrong_values_are_named_and_not_repeated(
    open_door: OpenDoor, path: str, body: bytes, status: int, code: str, pointers: list[str]
) -> None:
    door = await open_door(handlers=routes())

    response = await door.client.post(path, content=body)

    assert problem(response) == (status, code)
    assert [error["pointer"] for error in response.json()["errors"]] == pointers
    assert "secret" not in response.text


async def test_right_values_reach_the_route_with_the_parts(open_door: OpenDoor) -> None:
    door = await open_door(handlers=routes())

    response = await door.client.post("/things?limit=3", json={"items": [{"count": 1}]})

    assert (response.status_code, response.text) == (201, "1 in default, 3")


async def test_the_schema_describes_keys_ingest_and_refusals(door: Door) -> None:
    response = await door.client.get("/schema")

    assert (await door.client.get("/schema/openapi.json")).text == response.text
    schema: dict[str, Any] = response.json()
    assert schema["info"]["title"] == "Angarium"
    assert set(schema["components"]["securitySchemes"]) == {"admin", "write"}
    for path in ("/v1/track", "/v1/identify", "/v1/batch", "/v1/keys", "/health/ready"):
        assert path in schema["paths"], path
    track = schema["paths"]["/v1/track"]["post"]
    assert track["security"] == [{"write": []}]
    assert {"200", "400", "401", "413", "422", "429", "503"} <= set(track["responses"])
    assert "application/problem+json" in track["responses"]["422"]["content"]
    assert track["requestBody"]["content"]["application/json"]["examples"]
    create = schema["paths"]["/v1/keys"]["post"]
    assert "application/problem+json" in create["responses"]["401"]["content"]
