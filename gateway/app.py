"""Put the routes, the refusals and the schema into one Litestar application."""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler, Message, Scope

from angarium.config import limits
from angarium.gateway.auth import caller_of
from angarium.gateway.health import HEALTH_HANDLERS
from angarium.gateway.ingest import Door
from angarium.gateway.keyring import Holder
from angarium.gateway.keys_api import KEY_HANDLERS
from angarium.gateway.parts import AllParts
from angarium.gateway.public_limit import limit_public
from angarium.gateway.refusals import answer
from angarium.gateway.request_ids import HEADER, request_id_of
from angarium.gateway.schema import OPENAPI
from angarium.gateway.source import source_settings


def create_app(parts: AllParts, handlers: Sequence[ControllerRouterHandler]) -> Litestar:
    """The application: the doors for events, keys and health, and `handlers`.

    A handler may name `parts: Parts` and, behind a guard of `requires`, `caller: Caller`.
    """

    async def seal(message: Message, scope: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message.get("headers", ()),
                (HEADER, request_id_of(scope).encode("ascii")),
            ]
            route = scope.get("path_template") or "none"
            parts.metrics.count(route, scope["method"], message["status"])

    app = Litestar(
        [*HEALTH_HANDLERS, *KEY_HANDLERS, source_settings, *handlers],
        dependencies={
            "parts": Provide(lambda: parts, sync_to_thread=False),
            "caller": Provide(_caller, sync_to_thread=False),
        },
        exception_handlers={Exception: answer},
        before_send=[seal],
        openapi_config=OPENAPI,
        request_max_body_size=limits.ADMIN_BYTES,
        state=State({"parts": parts}),
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Door(parts).before(limit_public(parts, app.asgi_handler))
    return app


def _caller(scope: Scope) -> Holder:
    return caller_of(scope)
