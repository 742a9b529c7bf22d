"""Libraries are imported without what they only use when it is there."""

import subprocess
import sys

SCRIPT = """
import sys
from angarium.config.lean import without
with without("colorsys"):
    try:
        import colorsys
        print("there")
    except ImportError:
        print("not there")
import colorsys
with without("colorsys"):
    import colorsys
print("there")
"""
STARTS = (
    ("angarium.gateway.cli, angarium.gateway.supervisor.up", {"nats", "litestar", "rich"}),
    ("angarium.gateway.cli, angarium.gateway.run_core", {"aiohttp", "liquid", "litestar", "rich"}),
    ("angarium.gateway.cli, angarium.gateway.run_deliver", {"aiohttp", "litestar", "rich"}),
    ("angarium.gateway.cli, angarium.gateway.serve", {"aiohttp", "liquid", "cryptography"}),
)


def python(script: str) -> str:
    command = (sys.executable, "-P", "-c", script)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_an_optional_module_is_away_for_as_long_as_is_said() -> None:
    assert python(SCRIPT).splitlines() == ["not there", "there"]


def test_each_process_starts_without_what_the_others_need() -> None:
    for modules, absent in STARTS:
        there = python(f"import {modules}, sys; print(*sys.modules)").split()
        assert not absent & set(there), modules
