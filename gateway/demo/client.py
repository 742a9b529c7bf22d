"""An HTTP client as small as an SDK's: batches packed, refused ones repeated, nothing else."""

import asyncio
import gzip
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import msgspec

ANSWER_SECONDS: Final = 30.0
TRIES: Final = 6
PAUSE_SECONDS: Final = 0.5
BUSY: Final = frozenset({429, 502, 503})
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64) AngariumDemo/1"


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to do."""


class Answer(msgspec.Struct, frozen=True):
    """What came back. retry_after: in seconds, where it was told."""

    status: int
    body: bytes
    retry_after: float | None


class Client:
    """Talks to one instance, one request at a time; keeps its connection."""

    def __init__(
        self, url: str, write_key: str = "", admin_key: str = "", pause: float = PAUSE_SECONDS
    ) -> None:
        """pause: seconds before the first repetition. Raises DemoFailed where `url` is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DemoFailed(f"{url} is no address: write it like http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=ANSWER_SECONDS)
        self._basic = "Basic " + b64encode(f"{write_key}:".encode()).decode()
        self._bearer = f"Bearer {admin_key}"
        self._pause = pause

    async def send(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """POST one batch of events; gives the members that were refused. Raises DemoFailed."""
        packed = gzip.compress(msgspec.json.encode(body), compresslevel=1)
        headers = {
            "Authorization": self._basic,
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        answer = await self._repeat("POST", "/v1/batch", packed, headers)
        rejected: list[dict[str, Any]] = _read(answer, "POST /v1/batch").get("rejected", [])
        return rejected

    async def get(self, path: str, **query: Any) -> Any:
        """GET with the admin key. Raises DemoFailed."""
        path += "?" + urlencode(query) if query else ""
        answer = await self._repeat("GET", path, None, {"Authorization": self._bearer})
        return _read(answer, f"GET {path}")

    async def find(self, path: str) -> Any:
        """As `get`; None where there is no such thing."""
        answer = await self._repeat("GET", path, None, {"Authorization": self._bearer})
        return None if answer.status == 404 else _read(answer, f"GET {path}")

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST with the admin key. Raises DemoFailed."""
        headers = {
            "Authorization": self._bearer,
            "Content-Type": "application/json",
            "Idempotency-Key": uuid4().hex,  # so that a repeated request acts once
        }
        packed = b"" if body is None else msgspec.json.encode(body)
        return _read(await self._repeat("POST", path, packed, headers), f"POST {path}")

    async def visit(self, url: str, method: str = "GET") -> int:
        """Open one of the links that stand in mails, as a browser would; gives the status."""
        path = urlsplit(url).path
        answer = await self._repeat(method, path, b"" if method == "POST" else None,
                                    {"User-Agent": BROWSER})  # fmt: skip
        return answer.status

    def close(self) -> None:
        self._connection.close()

    async def _repeat(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """As SDKs do: what was not taken, for now, is sent again a little later."""
        said = ""
        for attempt in range(TRIES):
            try:
                answer = await asyncio.to_thread(self._ask, method, path, body, headers)
            except (OSError, HTTPException) as error:
                self._connection.close()
                said = str(error) or type(error).__name__
                await asyncio.sleep(self._pause * attempt)
                continue
            if answer.status not in BUSY:
                return answer
            said = f"status {answer.status}"
            await asyncio.sleep(answer.retry_after or self._pause * (attempt + 1))
        raise DemoFailed(f"{self.url} does not answer {method} {path.partition('?')[0]}: {said}")

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        self._connection.request(method, self._prefix + path, body=body, headers=dict(headers))
        response = self._connection.getresponse()
        return Answer(response.status, response.read(), _seconds(response))


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _read(answer: Answer, asked: str) -> Any:
    if answer.status >= 300:
        raise DemoFailed(f"{asked.partition('?')[0]} was answered {_complaint(answer)}")
    return msgspec.json.decode(answer.body)


def _complaint(answer: Answer) -> str:
    """The status and what the answer says of it (RFC 9457)."""
    try:
        problem = msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError:
        return str(answer.status)
    words = [str(problem.get(name, "")) for name in ("title", "detail")]
    errors = problem.get("errors", [])
    words += [f"{error.get('pointer')}: {error.get('detail')}" for error in errors]
    return f"{answer.status}: " + "; ".join(dict.fromkeys(word for word in words if word))


def _seconds(response: HTTPResponse) -> float | None:
    told = response.getheader("Retry-After", "")
    return float(told) if told.isdigit() else None
