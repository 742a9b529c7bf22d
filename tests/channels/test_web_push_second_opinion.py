"""What we send to browsers, read by somebody else's push service on Node."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from angarium.channels._web_push_crypto import make_private_key, public_key
from angarium.channels.web_push_vapid import WebPushVapid, WebPushVapidSettings
from angarium.core.workers.clock import now
from angarium.plugins import Message, PermanentFailure, PushContent
from angarium.plugins.settings import Secret
from tests.parts import node

FOLDER = Path(__file__).parents[1] / "counterparts/web_push_testing"
KEY = make_private_key()


@pytest.fixture(scope="module")
def _installed() -> None:
    node.install(FOLDER)


@pytest.fixture
async def service(_installed: None) -> AsyncIterator[httpx.AsyncClient]:
    command = node.command(FOLDER / "serve.cjs")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client
    process.kill()
    await process.communicate()


@pytest.fixture
async def provider(service: httpx.AsyncClient) -> AsyncIterator[WebPushVapid]:
    built = WebPushVapid(
        WebPushVapidSettings(
            contact="mailto:ops@example.org",
            private_key=Secret(KEY),
            push_services=str(service.base_url),
        )
    )
    await built.open()
    yield built
    await built.close()


async def subscribe(service: httpx.AsyncClient, key: str) -> dict[str, Any]:
    answer = await service.post("/subscribe", json={"applicationServerKey": key})
    subscription: dict[str, Any] = answer.json()
    return subscription


def message(subscription: dict[str, Any], body: str) -> Message:
    content = PushContent(title="سلام", body=body)
    address = json.dumps(subscription)
    return Message(key="dlv_1", delivery="dlv_1", address=address, content=content, at=now())


@pytest.mark.parametrize("body", ["", "«می‌خواهم» ۱۲۳ 🎉", "ا" * 1900])
async def test_it_verifies_and_decrypts_what_we_send(
    service: httpx.AsyncClient, provider: WebPushVapid, body: str
) -> None:
    subscription = await subscribe(service, public_key(KEY))

    await provider.send(message(subscription, body))

    found = (await service.get(f"/notifications/{subscription['clientHash']}")).json()
    [payload] = map(json.loads, found["messages"])
    assert (payload["title"], payload["body"]) == ("سلام", body)


async def test_it_refuses_a_sender_whom_the_browser_does_not_know(
    service: httpx.AsyncClient, provider: WebPushVapid
) -> None:
    subscription = await subscribe(service, public_key(make_private_key()))

    with pytest.raises(PermanentFailure, match="400"):
        await provider.send(message(subscription, "…"))
