"""A stranger's whole new channel on a whole instance: `pip install` and a section, nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.gateway.isolation.conftest import PIP
from tests.parts.instance import Instance, ago, running_instance

ROOM = Path(__file__).parent / "room"
HOOK = "hook-hunter2"
VISIT = {"trigger": {"event": "Visit"}}
CONTENT = {
    "room": {
        "body": "{{ profile.first_name | mention }}: سلام",
        "rows": [{"name": "{{ event.properties.item | upcase }}", "value": "۱"}],
    }
}


@pytest.fixture
def anyio_backend() -> str:
    """The instance's processes choose their own loops."""
    return "asyncio"


@pytest.fixture
def with_room(tmp_path: Path) -> Path:
    """Where pip put the plugin."""
    source, target = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(ROOM, source, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, *PIP, "--target", str(target), str(source)]
    subprocess.run(command, check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return target


@pytest.fixture
async def instance(with_room: Path, tmp_path: Path) -> AsyncIterator[Instance]:
    environ = {
        "PYTHONPATH": str(with_room),
        "ROOM_REPORTS": str(tmp_path / "reports.jsonl"),
        "ANGARIUM_PLUGINS_ENVIRON": "ROOM_REPORTS",
        "ANGARIUM_CHANNELS_ROOM_BOARD_LOG": str(tmp_path / "board.jsonl"),
        "ANGARIUM_CHANNELS_ROOM_BOARD_HOOK": HOOK,
    }
    async with running_instance(tmp_path, environ) as instance:
        yield instance


def lines(file: Path) -> list[Any]:
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]


def person(user: str, number: object, **traits: object) -> dict[str, Any]:
    named = {"firstName": user, "room_number": number, **traits}
    return {"type": "identify", "userId": user, "traits": named}


def visit(user: str) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": "Visit", "properties": {"item": "tea"}}


async def test_a_new_channel_is_one_like_ours(instance: Instance, tmp_path: Path) -> None:
    wrong = {"name": "w", "send_at": VISIT, "content": {"room": {"body": "x", "bdy": "x"}}}
    refused = await instance.http.post("/v1/campaigns", json=wrong)
    campaign = await instance.campaign("Room", VISIT, content=CONTENT)

    await instance.send(
        person("sara", 7, roomConsent="true"),
        person("reza", "8", roomConsent=True, muted=True),
        person("mina", "9", roomConsent=True) | {"timestamp": ago(minutes=2)},
        person("mina", "9", roomConsent="false") | {"timestamp": ago(minutes=1)},
        person("omid", "10"),
        person("nobody", "no number", roomConsent=True),
        *(visit(user) for user in ("sara", "reza", "mina", "omid", "nobody")),
    )

    await instance.until_stats(campaign, accepted=1, skipped=4)
    assert "unknown field bdy" in refused.text
    stats = await instance.ask(f"/v1/campaigns/{campaign}/stats", group_by="reason")
    reasons = {group["reason"]: group["planned"] for group in stats["groups"]}
    assert reasons == {
        "": 1,
        "plugin.not_muted.muted": 1,
        "opted_out": 1,
        "not_opted_in": 1,
        "bad_address": 1,
    }
    [sent] = lines(tmp_path / "board.jsonl")
    assert (sent["to"], sent["body"]) == ("!7", "@sara: سلام")
    assert sent["rows"] == [{"name": "TEA", "value": "۱"}]


async def test_what_became_of_it_is_heard_and_who_leaves_is_left_alone(
    instance: Instance, tmp_path: Path
) -> None:
    campaign = await instance.campaign("Room", VISIT, content=CONTENT)
    await instance.send(person("sara", 7, roomConsent=True), visit("sara"))
    await instance.until_stats(campaign, accepted=1)

    callbacks = f"{instance.url}/callbacks/room_board"
    forged = await instance.http.post(callbacks, content="board!7")
    opened = await instance.http.post(callbacks, content="board!7", params={"hook": HOOK})
    told = await instance.http.get(callbacks, params={"hook": HOOK, "id": "board!7"})
    assert [one.status_code for one in (forged, opened, told)] == [401, 200, 200]
    while True:
        stats = await instance.stats(campaign)
        if (stats["receipts"]["delivered"], stats["reactions"]["opened"]) == (1, 1):
            break

    [sent] = lines(tmp_path / "board.jsonl")
    left = await instance.http.post(
        urlsplit(sent["leave"]).path, data={"List-Unsubscribe": "One-Click"}
    )
    assert left.status_code == 200
    await consent_becomes(instance, "opted_out")
    await instance.send(visit("sara"))
    await instance.until_stats(campaign, accepted=1, skipped=1)
    await instance.send(person("sara", 7, roomConsent=True), visit("sara"))
    await instance.until_stats(campaign, accepted=2, skipped=1)

    heard = lines(tmp_path / "reports.jsonl")
    assert {"accepted", "delivered", "opened", "unsubscribed"} <= {status for status, _ in heard}
    assert HOOK not in (tmp_path / "up.log").read_text()


async def consent_becomes(instance: Instance, state: str) -> None:
    while True:
        profile = await instance.ask("/v1/profiles/sara")
        if profile["consents"]["room"]["state"] == state:
            assert profile["attributes"]["roomConsent"] is (state == "opted_in")
            return
