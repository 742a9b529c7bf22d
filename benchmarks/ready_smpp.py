"""The floor of sending by SMPP: smpp34 with ready bytes, in a process of its own. Run as a script.

One line of JSON in: `port`, `window`, `count`; one line out: `seconds`.
"""

import asyncio
import json
import sys
import time
from typing import Any

import smpp34
import uvloop

READY: dict[str, Any] = {
    "source_addr": "20001234",
    "destination_addr": "989120000000",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "data_coding": 8,
    "validity_period": "000001000000000R",
    "registered_delivery": 1,
    "short_message": "سلام Name1، کالای sku-1 رسید".encode("utf-16-be"),
}


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Submit the same message `count` times, `window` of them unanswered."""
    left = iter(range(job["count"]))
    client = smpp34.Client(
        "127.0.0.1", job["port"], "bench", "secret", bind_type="TRX", window_size=job["window"]
    )
    smsc = await client.connect()

    async def send() -> None:
        for _ in left:
            answer = await smsc.submit_sm(**READY)
            if not answer.is_success:
                raise ConnectionRefusedError(f"submit_sm: status {answer.command_status}")

    try:
        began = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(job["window"])))
        return {"seconds": time.perf_counter() - began}
    finally:
        await smsc.unbind()
        await client.stop()


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
