"""The floor of sending mail: aiosmtplib with ready bytes, in a process of its own. Run as a script.

One line of JSON in: `port`, `connections`, `count`; one line out: `seconds`.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiosmtplib
import uvloop

SENDER = "shop@example.org"


def message(number: int) -> tuple[str, bytes]:
    """An address, and a mail of the size that the product makes."""
    to = f"user{number}@example.org"
    html = (
        "<p>Hello Name1, people in Tehran like <a href='https://shop.example.org/c/"
        f"{'x' * 90}'>sku-{number}</a> for 10.</p><p><a href='https://shop.example.org/u/"
        f"{'x' * 90}'>No more of these</a></p>\r\n"
    )
    head = (
        f"From: Shop <{SENDER}>\r\nTo: {to}\r\nSubject: Name1, sku-{number}\r\n"
        f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@example.org>\r\n"
        f"List-Unsubscribe: <https://shop.example.org/u/{'x' * 90}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
        'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n'
    )
    return to, (head + html).encode()


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Send `count` mails over `connections` connections."""
    ready = [message(number) for number in range(job["count"])]
    began = time.perf_counter()

    async def send() -> None:
        async with aiosmtplib.SMTP(
            hostname="127.0.0.1", port=job["port"], start_tls=False, local_hostname="example.org"
        ) as client:
            while ready:
                to, data = ready.pop()
                await client.sendmail(SENDER, [to], data)

    await asyncio.gather(*(send() for _ in range(job["connections"])))
    return {"seconds": time.perf_counter() - began}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
