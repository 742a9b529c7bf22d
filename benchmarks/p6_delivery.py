"""P6: planned deliveries through gates, Liquid and a provider, until the result is written."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from benchmarks.delivering import Job, deliver
from benchmarks.model import Bar, Bench, Case, Figures, Row, Side, interleave, median
from benchmarks.processes import ROOT, ask_for, free_port, ours, running
from benchmarks.sink import install
from benchmarks.traffic import CONTENT

SIZES = (5_000, 10_000, 20_000)
QUICK_SIZES = (500, 1_000, 2_000)
CONNECTIONS = 4
INSIDE = {"ANGARIUM_PLUGINS_ISOLATION": "none"}
"""As ours run: strangers' have a process of their own unless the operator trusts them."""


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    sizes = QUICK_SIZES if bench.quick else SIZES
    rows: list[Row] = []
    for size in sizes:
        side = _at_once(bench.folder / f"sink-{size}", size, INSIDE)
        rows.append(await interleave(bench, f"{size:,} to a provider that accepts", [side]))
    at_once = rows[-1]
    apart = _at_once(bench.folder / "sink-apart", sizes[-1], {})
    rows.append(await interleave(bench, f"{sizes[-1]:,} to it in a process of its own", [apart]))
    for name, sink in _sinks().items():
        async with sink(bench.folder / name) as port:
            sides = _by_email(bench.folder / name, sizes[1], port)
            rows.append(await interleave(bench, f"{sizes[1]:,} by email to {name}", sides))
    bars = [
        Bar("deliveries/s a core, provider that accepts", median(at_once, "rate_per_core"), 5_000),
        *(
            Bar(f"of the floor, {row.size.partition(' by ')[2]}", median(row, "ratio"), 0.7)
            for row in rows[-len(_sinks()) :]
        ),
    ]
    return rows, bars


def _at_once(folder: Path, count: int, settings: Mapping[str, str]) -> Side:
    job = Job("email", CONTENT, {**install(folder, ROOT), **settings})
    return partial(deliver, folder, count, job)


def _by_email(folder: Path, count: int, port: int) -> list[Side]:
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "FROM": "Shop <shop@example.org>"}
    environ = {f"ANGARIUM_CHANNELS_EMAIL_SMTP_{name}": text for name, text in settings.items()}
    return [
        partial(deliver, folder, count, Job("email", CONTENT, environ)),
        partial(_floor, folder, count, port),
    ]


async def _floor(folder: Path, count: int, port: int) -> Figures:
    async with running("mail-floor", ours("mail_floor"), folder) as floor:
        job = {"port": port, "connections": CONNECTIONS, "count": count}
        found = cast("dict[str, float]", await ask_for(floor, job))
    return {"floor": count / found["seconds"]}


@asynccontextmanager
async def _catcher(folder: Path) -> AsyncGenerator[int]:
    """Our own mail catcher."""
    port = free_port()
    command = ["-m", "angarium.gateway.mailcatcher", "--port", str(port)]
    async with running("catcher", [*command, "--log", str(folder / "mail.jsonl")], folder) as one:
        assert one.stdout is not None
        await one.stdout.readline()
        yield port


@asynccontextmanager
async def _smtp_sink(folder: Path) -> AsyncGenerator[int]:
    """Postfix's test sink."""
    port = free_port()
    sink = await asyncio.create_subprocess_exec(
        *("smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "200"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.sleep(0.5)
        yield port
    finally:
        if sink.returncode is None:
            sink.terminate()
        await sink.wait()


def _sinks() -> Mapping[str, Callable[[Path], AbstractAsyncContextManager[int]]]:
    """What takes mail here, by name."""
    found = {"the mail catcher": _catcher}
    if shutil.which("smtp-sink"):
        found["smtp-sink"] = _smtp_sink
    return found


CASE = Case(
    "P6",
    "Delivery: planned, gates, Liquid, provider, result",
    "for email: aiosmtplib with ready bytes on as many connections",
    "deliveries/s",
    measure,
)
