"""One run of `angarium demo`: on an instance of its own, or on one that runs already."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from angarium.core.events.times import SECOND
from angarium.core.workers.clock import now
from angarium.gateway.demo.client import Client
from angarium.gateway.demo.place import Place, own_place
from angarium.gateway.demo.report import Report
from angarium.gateway.demo.runner import Outcome, Runner
from angarium.gateway.demo.screen import Screen


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asks for. url: None is an instance of its own. serve: None is yes on a
    terminal."""

    data: Path
    keep: bool
    port: int | None
    url: str | None
    write_key: str | None
    admin_key: str | None
    people: int
    seed: int
    serve: bool | None


async def run_demo(wanted: Wanted) -> bool:
    """Whether it came to its end rather than being stopped. Raises as `own_place` does."""
    screen = Screen.open()
    if not wanted.url:
        return await _run_own(wanted, screen)
    client = Client(wanted.url, wanted.write_key or "", wanted.admin_key or "")
    await _tell(client, screen, None, wanted)
    Report(screen).places(_addresses(client.url, None))
    return True


async def _run_own(wanted: Wanted, screen: Screen) -> bool:
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        with screen.working("Starting broker, store, doors, core, channels, a mail server"):
            opening = own_place(wanted.data, wanted.port, keep=wanted.keep, stop=stop)
            place = await stack.enter_async_context(opening)
        client = Client(place.url, place.keys.write, place.keys.admin)
        if not await _unless(stop, _tell(client, screen, place.mail_log, wanted)):
            return False
        Report(screen).places(_addresses(client.url, place))
        if screen.is_terminal if wanted.serve is None else wanted.serve:
            screen.say("\nIt goes on serving. Ctrl-C ends it.")
            await stop.wait()
        screen.say("\nStopping.")
    return True


async def _tell(client: Client, screen: Screen, mail_log: Path | None, wanted: Wanted) -> None:
    began_at = now()
    tag = "" if mail_log is not None and not wanted.keep else f"-{began_at // SECOND:x}"
    try:
        runner = Runner(client, screen, now, mail_log)
        outcome = await runner.run(wanted.seed, wanted.people, tag)
    finally:
        client.close()
    _show(screen, outcome, now() - began_at)


def _show(screen: Screen, outcome: Outcome, took: int) -> None:
    screen.say(f"\nAll of it took {took / SECOND:.1f} s.")
    Report(screen).show(outcome)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do `work` to its end, unless `stop` is set before; whether it came to its end."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    finished = working.done()
    working.cancel()
    stopping.cancel()
    await asyncio.gather(working, stopping, return_exceptions=True)
    if finished:
        working.result()
    return finished


def _addresses(url: str, place: Place | None) -> list[tuple[str, str]]:
    rows = [
        ("API", f"{url}/v1"),
        ("its description", f"{url}/schema"),
        ("health", f"{url}/health/ready"),
        ("metrics", f"{url}/metrics"),
    ]
    if place is None:
        return rows
    return [
        *rows,
        ("mails", str(place.mail_log)),
        ("settings", str(place.folder / "angarium.toml")),
        ("NATS", f"see {place.folder / 'connection.json'}"),
        ("admin key", place.keys.admin),
        ("write key", place.keys.write),
        ("try", f"curl -s -H 'Authorization: Bearer {place.keys.admin}' {url}/v1/events"),
    ]
