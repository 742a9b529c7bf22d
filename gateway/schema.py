"""The OpenAPI page at /schema: title, how to authenticate, what a refusal looks like."""

from typing import Final

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

SECURITY: Final = Components(
    security_schemes={
        "admin": SecurityScheme(
            type="http",
            scheme="bearer",
            description="An admin key (`ang_ak_…`). Each operation names the scope that it needs.",
        ),
        "write": SecurityScheme(
            type="http",
            scheme="basic",
            description="A write key (`ang_wk_…`) as the user name, with an empty password.",
        ),
    }
)

OPENAPI: Final = OpenAPIConfig(
    title="Angarium",
    version="1",
    description="People and events in, the right message out, honest figures back.",
    components=SECURITY,
    security=[{"admin": []}],
    path="/schema",
    use_handler_docstrings=True,
    render_plugins=[JsonRenderPlugin(), YamlRenderPlugin()],
)
