"""What Segment's browser SDK asks for before it sends anything: where to send it."""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request, Response, get
from litestar.params import FromPath

from angarium.config.settings import Http
from angarium.gateway.cors import Cors
from angarium.gateway.parts import Parts

FRESH: Final = {"Cache-Control": "public, max-age=300"}


@get("/v1/projects/{key:str}/settings", include_in_schema=False)
async def source_settings(
    key: FromPath[str], parts: Parts, request: Request[Any, Any, Any]
) -> Response[dict[str, Any]]:
    """It asks for no key, and says nothing about the one in the path.

    The SDK throws unless `integrations` has "Segment.io".
    """
    cors = Cors(parts.settings.http.origins).headers(dict(request.scope["headers"]))
    headers = {name.decode(): value.decode("latin-1") for name, value in cors}
    target = {"apiKey": key, **address(parts.settings.http)}
    body = {"integrations": {"Segment.io": target}, "plan": {}, "edgeFunction": {}}
    return Response(body, headers={**FRESH, **headers})


def address(http: Http) -> dict[str, str]:
    """Where browsers send to, in that SDK's words; by the settings, never by a request's Host."""
    url = urlsplit(http.public_url or f"http://{http.host}:{http.port}")
    return {"protocol": url.scheme, "apiHost": f"{url.netloc}{url.path.rstrip('/')}/v1"}
