"""The floor of sending by HTTP: aiohttp with ready bytes, in a process of its own. Run as a script.

One line of JSON in: `url`, `headers`, `body` (base64), `connections`, `count`; one line out:
`seconds`.
"""

import asyncio
import json
import sys
import time
from base64 import b64decode
from typing import Any

import aiohttp
import uvloop


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Post the same body `count` times over `connections` connections."""
    body, left = b64decode(job["body"]), iter(range(job["count"]))
    connector = aiohttp.TCPConnector(limit=job["connections"])
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> None:
            for _ in left:
                async with session.post(job["url"], data=body, headers=job["headers"]) as answer:
                    answer.raise_for_status()
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(job["connections"])))
        return {"seconds": time.perf_counter() - began}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
