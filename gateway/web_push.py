"""The key that browsers subscribe for, told to their pages."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get, route
from litestar.enums import HttpMethod

from angarium.gateway.answers import told
from angarium.gateway.cors import Cors
from angarium.gateway.parts import AllParts, Parts
from angarium.gateway.routes import sections_of
from angarium.gateway.web_push_key import PROVIDER, SETTING, instance_key

PATH: Final = "/v1/web-push/key"
FRESH: Final = {"Cache-Control": "public, max-age=300"}
EXAMPLE: Final = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)


class KeyBody(msgspec.Struct, rename="camel"):
    """public_key: an uncompressed point of P-256 in base64url, for `applicationServerKey`."""

    public_key: str


@get(
    PATH,
    security=[{}],
    responses={200: told(KeyBody, {"publicKey": EXAMPLE})},
    summary="For browsers: the key to subscribe to web push with",
    description="It stays the same for the life of the instance, unless the settings name another.",
    tags=["public"],
)
async def tell_web_push_key(parts: Parts, request: Request[Any, Any, Any]) -> Response[KeyBody]:
    # Imported when somebody first asks, so that the doors open sooner: it brings cryptography.
    from angarium.channels._web_push_crypto import public_key

    sections = parts.settings.channels
    named = (sections[name].get(SETTING) for name in sections_of(sections, PROVIDER))
    key = public_key(next(filter(None, named), None) or await instance_key(parts.store))
    return Response(KeyBody(key), headers={**FRESH, **_cors(parts, request, preflight=False)})


@route(PATH, http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False)
async def allow_web_push_key(parts: Parts, request: Request[Any, Any, Any]) -> Response[None]:
    """Pages of other origins may ask, with whatever headers they send along."""
    return Response(None, headers=_cors(parts, request, preflight=True))


WEB_PUSH_HANDLERS: Final = (allow_web_push_key, tell_web_push_key)
"""In this order: Litestar adds an OPTIONS of its own to a path that has none yet."""


def _cors(parts: AllParts, request: Request[Any, Any, Any], *, preflight: bool) -> dict[str, str]:
    cors, asked = Cors(parts.settings.http.origins), dict(request.scope["headers"])
    pairs = cors.preflight(asked) if preflight else cors.headers(asked)
    return {name.decode(): value.decode("latin-1") for name, value in pairs}
