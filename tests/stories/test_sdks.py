"""The main job on real input: published SDKs send a session, a mail comes of it, figures add up."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from tests.parts import node
from tests.parts.instance import WRITE_KEY, Instance

SDKS = Path(__file__).parent.parent / "sdks"


@pytest.fixture(scope="module")
def node_sdks() -> None:
    node.install(SDKS)


def command_of(language: str, sdk: str, url: str, session: Sequence[object]) -> list[str]:
    arguments = (sdk, url, WRITE_KEY, json.dumps(session))
    if language == "python":
        return [sys.executable, str(SDKS / "session.py"), *arguments]
    return [*node.command(SDKS / "session.mjs", *arguments)]


async def run(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.usefixtures("node_sdks")
@pytest.mark.parametrize("sdk", ["segment", "rudderstack"])
@pytest.mark.parametrize("language", ["python", "node"])
async def test_a_session_through_a_published_sdk(
    instance: Instance, language: str, sdk: str
) -> None:
    tag = uuid4().hex[:8]
    user, quiet, visitor = f"user-{tag}", f"quiet-{tag}", f"visitor-{tag}"
    welcome = await instance.campaign(f"Welcome {tag}", {"trigger": {"event": f"Joined {tag}"}})
    cart = await instance.campaign(
        f"Cart {tag}",
        {
            "trigger": {"event": f"Added {tag}"},
            "delay": "PT1H",
            "stop": {"event": f"Bought {tag}"},
        },
    )
    both = {"userId": user, "anonymousId": visitor}
    mail = f"{user}@example.com"
    session = [
        {"call": "track", "anonymousId": visitor, "event": f"Added {tag}"},
        {"call": "identify", **both, "traits": {"email": mail, "firstName": "سارا"}},
        {"call": "track", **both, "event": f"Joined {tag}", "properties": {"plan": "gold"}},
        {"call": "track", **both, "event": f"Bought {tag}", "properties": {"amount": 5}},
        {
            "call": "identify",
            "userId": quiet,
            "traits": {"email": f"{quiet}@example.com", "email_opt_in": False},
        },
        {"call": "track", "userId": quiet, "event": f"Joined {tag}"},
    ]

    await run(command_of(language, sdk, instance.url, session))

    stats = await instance.until_stats(welcome, accepted=1, skipped=1)
    assert stats["totals"]["planned"] == 2
    stats = await instance.until_stats(cart, cancelled_by_stop=1)
    assert (stats["enrolled"], stats["totals"]["planned"]) == (1, 0)
    (caught,) = instance.mails(mail)
    assert caught["headers"]["subject"] == f"Welcome {tag}"
    assert instance.mails(f"{quiet}@example.com") == []
    await check_person(instance, user, visitor, tag)


async def check_person(instance: Instance, user: str, visitor: str, tag: str) -> None:
    """One profile that holds everything, the visit before the login included."""
    profile = await instance.ask(f"/v1/profiles/{user}")
    assert profile["anonymousIds"] == [visitor]
    assert profile["attributes"]["first_name"] == "سارا"
    assert profile["events"].keys() == {f"Added {tag}", f"Joined {tag}", f"Bought {tag}"}
    timeline = await instance.ask(f"/v1/profiles/{user}/timeline")
    kinds = [entry["kind"] for entry in timeline["data"]]
    assert kinds.count("event") == 3
    assert "message" in kinds
    assert await instance.ask(f"/v1/profiles/anonymous:{visitor}") == profile
