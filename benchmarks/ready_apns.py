"""The floor of sending to APNs: h2 with ready bytes, in a process of its own. Run as a script.

One line of JSON in: `port`, `ca_file`, `headers`, `body` (base64), `at_once`, `count`; one line
out: `seconds`.
"""

import asyncio
import json
import ssl
import sys
import time
from base64 import b64decode
from typing import Any

import uvloop
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event, StreamEnded

READ_BYTES = 2**16


class Requests:
    """The same request again and again over one connection, `at_once` of them unanswered."""

    def __init__(self, headers: list[tuple[str, str]], body: bytes, count: int) -> None:
        self._headers = headers
        self._body = body
        self._left = count
        self._http = H2Connection(H2Configuration(validate_outbound_headers=False))
        self.unanswered = 0

    def begin(self, at_once: int) -> bytes:
        """What to say first."""
        self._http.initiate_connection()
        self._send(at_once)
        return self._http.data_to_send()

    def take(self, data: bytes) -> bytes:
        """What to say to this."""
        events: list[Event] = self._http.receive_data(data)
        ended = sum(isinstance(event, StreamEnded) for event in events)
        self.unanswered -= ended
        self._send(ended)
        return self._http.data_to_send()

    def _send(self, most: int) -> None:
        count = min(most, self._left)
        for _ in range(count):
            stream = self._http.get_next_available_stream_id()
            self._http.send_headers(stream, self._headers)
            self._http.send_data(stream, self._body, end_stream=True)
        self._left -= count
        self.unanswered += count


async def run(job: dict[str, Any]) -> dict[str, float]:
    """Send `count` requests, `at_once` of them unanswered."""
    tls = ssl.create_default_context(cafile=job["ca_file"])
    tls.set_alpn_protocols(["h2"])
    headers = [(name, text) for name, text in job["headers"]]
    requests = Requests(headers, b64decode(job["body"]), job["count"])
    reader, writer = await asyncio.open_connection("127.0.0.1", job["port"], ssl=tls)
    began = time.perf_counter()
    writer.write(requests.begin(job["at_once"]))
    while requests.unanswered:
        data = await reader.read(READ_BYTES)
        if not data:
            raise ConnectionResetError("the sink hung up")
        writer.write(requests.take(data))
    seconds = time.perf_counter() - began
    writer.close()
    return {"seconds": seconds}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
