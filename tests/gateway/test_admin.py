"""Every route of the admin API: behind its scope, documented, with examples that are true."""

import re
from typing import Any

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

from angarium.core.store.keys import make_key, save_key
from angarium.gateway.admin import ADMIN_HANDLERS
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


SCOPE = re.compile(r"Scope: ([a-z]+):(read|write)\. ?")


def named(handler: HTTPRouteHandler) -> str:
    return handler.handler_name


def call_of(handler: HTTPRouteHandler) -> tuple[str, str]:
    """A method and a path that lead to the handler."""
    [method] = handler.http_methods
    [path] = handler.paths
    return str(method), re.sub(r"\{[^}]*\}", "x", path)


@pytest.mark.parametrize("handler", ADMIN_HANDLERS, ids=named)
def test_a_route_says_what_it_does_and_which_scope_it_needs(handler: HTTPRouteHandler) -> None:
    assert handler.summary
    assert SCOPE.match(str(handler.description))
    assert handler.tags


@pytest.mark.parametrize("handler", ADMIN_HANDLERS, ids=named)
def test_the_example_of_an_answer_has_its_shape(handler: HTTPRouteHandler) -> None:
    for spec in (handler.responses or {}).values():
        for example in spec.examples or ():
            shape: Any = spec.data_container
            read = msgspec.convert(example.value, shape)
            told = msgspec.to_builtins(read)
            assert msgspec.to_builtins(msgspec.convert(told, shape)) == told


@pytest.fixture
async def limited(api: Api) -> Api:
    """With keys for exactly one scope each, and a write key."""
    async with api.parts.store.transaction() as tx:
        for handler in ADMIN_HANDLERS:
            found = SCOPE.match(str(handler.description))
            assert found is not None
            scope = f"{found[1]}:{found[2]}"
            if scope not in api.keys:
                api.keys = {**api.keys, scope: make_key("admin")}
                text = api.keys[scope]
                await save_key(tx, "default", "admin", text, name=scope, now=NOON, scopes=(scope,))
        api.keys = {**api.keys, "write": make_key("write")}
        await save_key(tx, "default", "write", api.keys["write"], name="w", now=NOON)
    return api


async def test_a_route_opens_to_its_own_scope_only(limited: Api) -> None:
    scopes = [name for name in limited.keys if ":" in name]
    for handler in ADMIN_HANDLERS:
        method, path = call_of(handler)
        if path.endswith("/live"):
            continue  # a stream does not end
        found = SCOPE.match(str(handler.description))
        assert found is not None
        for scope in scopes:
            response = await limited.request(method, path, key=scope)
            opened = response.status_code not in (401, 403)
            assert opened == (scope == f"{found[1]}:{found[2]}"), (method, path, scope)


async def test_a_write_key_and_no_key_open_nothing(limited: Api) -> None:
    for handler in ADMIN_HANDLERS:
        method, path = call_of(handler)
        assert (await limited.public.request(method, path)).status_code == 401
        assert (await limited.request(method, path, key="write")).status_code == 403


async def test_the_schema_holds_every_route(api: Api) -> None:
    schema = (await api.public.get("/schema/openapi.json")).json()

    for handler in ADMIN_HANDLERS:
        method, _ = call_of(handler)
        [path] = handler.paths
        operation = schema["paths"][re.sub(r":[a-z]+\}", "}", path)][method.lower()]
        assert operation["summary"] == handler.summary
