"""The OpenAPI document at /schema: every route, how to authenticate, what a refusal looks like."""

from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec
from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from angarium.gateway.problems import MEDIA_TYPE
from angarium.gateway.schema_ingest import SCHEMAS, ingest_paths

Json = dict[str, Any]

REFUSAL: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
ALWAYS: Final = {
    "400": "The request is malformed.",
    "401": "No key, or one that is not in force.",
    "403": "The key lacks the scope, or is a write key.",
    "422": "Some values are not valid; `errors` names each.",
    "503": "A part that is needed is away: repeat it after Retry-After.",
}
"""Refusals that any route behind a key may give."""


ADMIN: Final[list[dict[str, list[str]]]] = [{"admin": []}]


class _Document(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        return msgspec.json.encode(complete(openapi_schema))


def complete(document: Json) -> Json:
    """Litestar's document with the ingest paths, and with our refusals instead of its own."""
    components: Json = {**document["components"]}
    components["schemas"] = {**components.get("schemas", {}), **SCHEMAS}
    paths: Json = {**document["paths"], **ingest_paths()}
    return {
        **document,
        "components": components,
        "paths": {path: dict(_refusing(item)) for path, item in paths.items()},
    }


def _refusing(path: Json) -> Iterator[tuple[str, Any]]:
    for method, operation in path.items():
        if isinstance(operation, dict) and "responses" in operation:
            yield method, {**operation, "responses": _responses(cast("Json", operation))}
        else:
            yield method, operation


def _responses(operation: Json) -> Json:
    """The operation's answers; what it refuses has our shape, whatever Litestar assumed."""
    given: Json = operation["responses"]
    said = {code: answer["description"] for code, answer in given.items() if code >= "400"}
    always = ALWAYS if operation.get("security") in (None, ADMIN) else {}
    refusals = {**always, **said, **{code: always[code] for code in said if code in always}}
    return {
        **{code: answer for code, answer in given.items() if code < "400"},
        **{code: {"description": text, "content": REFUSAL} for code, text in refusals.items()},
    }


OPENAPI: Final = OpenAPIConfig(
    title="Angarium",
    version="1",
    description="People and events in, the right message out, honest figures back.",
    components=Components(
        security_schemes={
            "admin": SecurityScheme(
                type="http",
                scheme="bearer",
                description="An admin key (`ang_ak_…`). Each operation names the scope it needs.",
            ),
            "write": SecurityScheme(
                type="http",
                scheme="basic",
                description="A write key (`ang_wk_…`) as user name, with an empty password.",
            ),
        }
    ),
    security=ADMIN,
    path="/schema",
    use_handler_docstrings=True,
    render_plugins=[_Document()],
)
