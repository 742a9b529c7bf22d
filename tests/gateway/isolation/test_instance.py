"""A whole instance with a stranger's plugin: `pip install` and a section are all that it takes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.isolation.conftest import SECRET
from tests.parts.instance import Instance, running_instance

PEOPLE = 6


@pytest.fixture
def anyio_backend() -> str:
    """The instance's processes choose their own loops."""
    return "asyncio"


@pytest.fixture
async def instance(installed: Path, tmp_path: Path) -> AsyncIterator[Instance]:
    environ = {
        "PYTHONPATH": str(installed),
        "ROGUE_LOG": str(tmp_path / "reports.log"),
        "ANGARIUM_CHANNELS_SMS_ROGUE_LOG": str(tmp_path / "vendor.log"),
        "ANGARIUM_CHANNELS_SMS_ROGUE_TOKEN": SECRET,
        "ANGARIUM_PLUGINS_ENVIRON": "ROGUE_LOG",
        "ANGARIUM_PLUGINS_HANG_SECONDS": "5",
    }
    async with running_instance(tmp_path, environ) as instance:
        yield instance


def visit(number: int, word: str) -> list[dict[str, Any]]:
    person = {
        "userId": f"u{number}",
        "traits": {"mobile": f"0912000000{number}", "email": f"u{number}@x.example", "word": word},
    }
    event = {"userId": f"u{number}", "event": "Visit", "properties": {}}
    return [
        {"type": "identify", "messageId": f"i{number}", **person},
        {"type": "track", "messageId": f"t{number}", **event},
    ]


async def until_line(file: Path, text: str) -> None:
    while not file.exists() or text not in file.read_text():
        await asyncio.sleep(0.05)


async def test_a_rogue_is_named_and_everything_else_goes_on(
    instance: Instance, tmp_path: Path
) -> None:
    trigger = {"trigger": {"event": "Visit"}}
    text = await instance.campaign(
        "Text",
        trigger,
        content={"order": ["sms"], "sms": {"text": "{{ profile.word }}"}},
    )
    mail = await instance.campaign("Mail", trigger)

    await instance.send(*visit(0, "exit"))
    await instance.until_stats(text, in_doubt=1)
    for number in range(1, PEOPLE):
        await instance.send(*visit(number, "hello"))
    await instance.until_stats(text, accepted=PEOPLE - 1, in_doubt=1)
    await instance.until_stats(mail, accepted=PEOPLE)

    sent = (tmp_path / "vendor.log").read_text().split()
    assert len(sent) == len(set(sent)) == PEOPLE - 1
    listed = {one["name"]: one for one in (await instance.ask("/v1/plugins"))["data"]}
    [delivering] = [one for one in listed["sms_rogue"]["health"] if one["process"] == "deliver"]
    assert (delivering["serves"], delivering["last"]) == ("sms_rogue", "ended with status 3")
    assert delivering["failures"] == 1
    assert listed["sms_rogue"]["version"] == "6.6.6"
    assert listed["sms_rogue"]["isolated"]
    await until_line(tmp_path / "reports.log", " accepted")
    log = (tmp_path / "up.log").read_text()
    assert "plugin_died" in log
    assert SECRET not in log


async def test_its_callbacks_are_read_apart_from_the_door(instance: Instance) -> None:
    path = f"{instance.url}/callbacks/sms_rogue"

    good = await instance.http.post(path, content=b"p1", headers={"X-Signature": "good"})
    forged = await instance.http.post(path, content=b"p1")
    blocked, live = await asyncio.gather(
        instance.http.post(path, content=b"block"), instance.http.get("/health/live")
    )

    assert (good.status_code, forged.status_code) == (200, 401)
    assert (blocked.status_code, live.status_code) == (503, 200)
    assert int(blocked.headers["Retry-After"]) >= 1


async def test_the_command_line_shows_it(instance: Instance, installed: Path) -> None:
    environ = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "ANGARIUM_DATA_DIR": str(instance.folder / "data"),
        "ANGARIUM_CHANNELS_SMS_ROGUE_TOKEN": "short",
    }
    listing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "angarium.gateway.cli", "plugins", "list"),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    output = (await listing.communicate())[0].decode()

    assert listing.returncode == 1
    assert "sms_rogue  (angarium-rogue 6.6.6)  provider sms_rogue" in output
    assert "in a process of its own" in output
    assert "    channels.sms_rogue: token: has at least 20 letters" in output
    assert "    sms_rogue in deliver (" in output
