"""What visitors and people say in these stories, and what came of all that was said so far."""

from typing import Any
from uuid import uuid4

from tests.parts.instance import Instance, ago
from tests.stories.test_published_uses import track


def visitor() -> str:
    return f"visitor-{uuid4().hex}"


def visit(anonymous_id: str, event: str, timestamp: str, **properties: Any) -> dict[str, Any]:
    message = track("", event, timestamp, **properties)
    del message["userId"]
    return {**message, "anonymousId": anonymous_id}


def login(user: str, anonymous_id: str, timestamp: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": user,
        "anonymousId": anonymous_id,
        "messageId": uuid4().hex,
        "timestamp": timestamp,
        **more,
    }


def change(user: str, timestamp: str, **operations: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": user,
        "messageId": uuid4().hex,
        "timestamp": timestamp,
        "operations": operations,
    }


async def settle(instance: Instance, user: str) -> dict[str, Any]:
    """The person once everything sent so far is applied."""
    event = f"Settled {uuid4().hex}"
    await instance.send(track(user, event, ago()))
    profile = await instance.until_known(user, event)
    profile["events"] = {n: e["count"] for n, e in profile["events"].items() if "Settled" not in n}
    return profile


async def rejects_of(instance: Instance, message: dict[str, Any]) -> list[tuple[str, str]]:
    """What of a message was not stored: field and code."""
    listed = (await instance.ask("/v1/rejects", limit=100))["data"]
    mine = [row for row in listed if row["messageId"] == message["messageId"]]
    assert all(row["reason"] for row in mine)
    return [(row["field"], row["code"]) for row in mine]
