"""A whole instance as a user starts it: `angarium up`, with a mail catcher as its SMTP server."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

ADMIN_KEY = "test-admin-key-0123456789"
WRITE_KEY = "test-write-key-0123456789"
READY_SECONDS = 60
SEEN_SECONDS = 45


def ago(**span: float) -> str:
    """An instant before now, as senders write it."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


@dataclass
class Instance:
    """What a test talks to. `mails`: the catcher's own log is the judge of what was sent."""

    http: httpx.AsyncClient
    folder: Path
    connection: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.connection["http"])

    @property
    def nats(self) -> str:
        return str(self.connection["nats"])

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        log = self.folder / "mail.jsonl"
        if not log.exists():
            return []
        caught = [json.loads(line) for line in log.read_text().splitlines()]
        return [mail for mail in caught if not to or to in mail["rcpt"]]

    async def send(self, *messages: Mapping[str, Any]) -> dict[str, Any]:
        """Messages in one batch, as an SDK sends them; gives the answer."""
        answer = await self.http.post(
            "/v1/batch", json={"batch": list(messages)}, auth=(WRITE_KEY, "")
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def ask(self, path: str, **query: Any) -> Any:
        """GET with the admin key."""
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tell(self, path: str, body: Any = None) -> Any:
        """POST with the admin key."""
        answer = await self.http.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def campaign(self, name: str, send_at: Mapping[str, Any], **members: Any) -> str:
        """An active campaign by mail; its id."""
        email = {"subject": name, "text": "Hello {{ profile.first_name | default: 'you' }}"}
        body = {"name": name, "send_at": send_at, "content": {"email": email}} | members
        made = await self.tell("/v1/campaigns", body)
        await self.tell(f"/v1/campaigns/{made['id']}/activate")
        return str(made["id"])

    async def stats(self, campaign: str) -> dict[str, Any]:
        """The campaign's figures, checked to add up."""
        stats: dict[str, Any] = await self.ask(f"/v1/campaigns/{campaign}/stats")
        totals = dict(stats["totals"])
        assert totals.pop("planned") == sum(totals.values()), stats
        return stats

    async def until_stats(self, campaign: str, **expected: int) -> dict[str, Any]:
        """Wait until these totals, or figures of the campaign, are as expected."""
        stats: dict[str, Any] = {}
        try:
            async with asyncio.timeout(SEEN_SECONDS):
                while True:
                    stats = await self.stats(campaign)
                    seen = {**stats, **stats["totals"], "waiting_runs": stats["waiting"]}
                    if all(seen[name] == value for name, value in expected.items()):
                        return stats
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"expected {expected}, the last figures were {stats}") from None

    async def until_known(self, user: str, event: str, count: int = 1) -> dict[str, Any]:
        """Wait until the person has done `event` so often; gives the profile."""
        async with asyncio.timeout(SEEN_SECONDS):
            while True:
                answer = await self.http.get(f"/v1/profiles/{user}")
                if answer.status_code == 200:
                    profile: dict[str, Any] = answer.json()
                    if profile["events"].get(event, {}).get("count", 0) >= count:
                        return profile
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_instance(
    folder: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Instance]:
    """Start everything in `folder`, end it afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    catcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.gateway.mailcatcher", "--port", "0"),
        *("--log", str(folder / "mail.jsonl"), "--raw"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert catcher.stdout is not None
    port = (await catcher.stdout.readline()).decode().rsplit(":", 1)[1].strip()
    settings = {
        "ANGARIUM_DATA_DIR": str(folder / "data"),
        "ANGARIUM_HTTP_PORT": "0",
        "ANGARIUM_ADMIN_KEY": ADMIN_KEY,
        "ANGARIUM_WRITE_KEY": WRITE_KEY,
        "ANGARIUM_CHANNELS_EMAIL_SMTP_HOST": "127.0.0.1",
        "ANGARIUM_CHANNELS_EMAIL_SMTP_PORT": port,
        "ANGARIUM_CHANNELS_EMAIL_SMTP_FROM": "Shop <shop@example.org>",
        **(environ or {}),
    }
    with (folder / "up.log").open("wb") as output:
        up = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "angarium.gateway.cli", "up"),
            env={**os.environ, **settings},
            stdout=output,
            stderr=output,
            cwd=folder,
        )
        try:
            connection = await _ready(folder, up)
            headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
            async with httpx.AsyncClient(
                base_url=connection["http"], headers=headers, timeout=30
            ) as http:
                yield Instance(http, folder, connection)
        finally:
            for process in (up, catcher):
                if process.returncode is None:
                    process.send_signal(signal.SIGTERM)
                await process.wait()


async def _ready(folder: Path, up: asyncio.subprocess.Process) -> dict[str, Any]:
    path = folder / "data" / "connection.json"
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                if up.returncode is not None:
                    raise AssertionError((folder / "up.log").read_text())
                if path.exists():
                    connection: dict[str, Any] = json.loads(path.read_text())
                    if await _answers(connection.get("http", "")):
                        return connection
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError((folder / "up.log").read_text()) from None


async def _answers(url: str) -> bool:
    if not url:
        return False
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"{url}/health/ready")).status_code == 200
        except httpx.HTTPError:
            return False
