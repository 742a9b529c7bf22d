"""The floors of the HTTP cases: the same server, with next to nothing behind it. Run as a script.

/v1/batch   decodes a batch of messages, and drops it
/noop       does nothing (a plain Litestar handler)
"""

import contextlib
import sys
from typing import Any

import msgspec
import uvloop
from litestar import Litestar, post
from litestar.handlers import asgi
from litestar.types import Receive, Scope, Send

from angarium.config.settings import Http
from angarium.core.events.message import Wire
from angarium.gateway.serve import listen, run_server

ANSWER = b'{"success":true}'
HEAD = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]


class Batch(msgspec.Struct):
    """What is decoded."""

    batch: list[Wire]


_decode = msgspec.json.Decoder(Batch).decode


@asgi("/v1/batch", copy_scope=False)
async def batch(scope: Scope, receive: Receive, send: Send) -> None:
    parts: list[bytes] = []
    more = True
    while more:
        message: Any = await receive()
        parts.append(message["body"])
        more = message["more_body"]
    _decode(b"".join(parts))
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": ANSWER, "more_body": False})


@post("/noop", status_code=200)
async def noop() -> None:
    return None


async def main(port: int) -> None:
    app = Litestar([batch, noop], logging_config=None, openapi_config=None)
    with contextlib.closing(listen("127.0.0.1", port)) as listener:
        await run_server(app, listener, Http(), ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
