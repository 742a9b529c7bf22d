"""Ids in paths may hold anything, slashes included."""

from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get
from litestar.params import FromPath

from angarium.gateway.paths import keep_segments, segment
from angarium.gateway.problems import Refusal


@get("/things/{name:str}/part")
async def read_part(request: Request[Any, Any, Any], name: FromPath[str]) -> str:
    return segment(request.scope, 1)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a", "a"),
        ("a%2Fb", "a/b"),
        ("a%2fb%2f", "a/b/"),
        ("a%252Fb", "a%2Fb"),
        ("%D8%B3%D9%84%D8%A7%D9%85%20%2F", "سلام /"),
        ("anonymous:x%3Fy%23z", "anonymous:x?y#z"),
        ("a∕b", "a∕b"),
    ],
)
async def test_a_name_arrives_as_it_was_meant(path: str, name: str) -> None:
    app: Any = keep_segments(Litestar([read_part], openapi_config=None))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get(f"/things/{path}/part", params={"q": "/x"})

    assert (response.status_code, response.text) == (200, name)


def test_what_is_no_text_names_nothing() -> None:
    with pytest.raises(Refusal, match="UTF-8"):
        segment({"raw_path": b"/things/%FF"}, 1)
