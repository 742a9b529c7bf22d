"""What `angarium plugins check` finds out: of a plugin's source by its tests, of an installed one
by starting it.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from angarium.config.settings import Settings
from angarium.gateway.isolation.callbacks import read_callback
from angarium.gateway.isolation.home import make_home
from angarium.gateway.isolation.keeper import Resting
from angarium.gateway.isolation.life import SectionRefused
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.isolation.probe import ask_what, described
from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.gateway.isolation.wire import Described
from angarium.gateway.routes import sections_of
from angarium.plugins.callback import CallbackRequest
from angarium.plugins.manager import ENTRY_POINT_GROUP, Plugins, is_ours
from angarium.plugins.settings import SettingsInvalid

TALLY: Final = "angarium.gateway.kit_tally"
VARIABLE: Final = "KIT_TALLY_FILE"
OPTIONAL: Final[Mapping[str, str]] = {
    "SilenceContract": "time-outs are not tested: inherit from SilenceContract too",
    "KeyContract": "the idempotency key is not tested (KeyContract), if the vendor takes one",
    "CallbackContract": "callbacks are not tested (CallbackContract), if the vendor makes any",
}
LINES: Final = 15
"""Of what pytest printed, when tests fail."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `below` says more."""

    text: str
    well: bool = True
    below: Sequence[str] = ()


def check_folder(folder: Path) -> list[Finding]:
    """Run the tests of a plugin's source, and say what the kit has tested."""
    try:
        points = _points_in(folder)
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        why = f'{folder}/pyproject.toml names no entry point of "{ENTRY_POINT_GROUP}" ({error!r})'
        return [Finding(why, False)]
    environ = _environ(folder)
    findings, providers = _described(points, Settings(), environ)
    if find_spec("pytest") is None:
        need = "its tests need pytest, which is not installed here: pip install '.[test]'"
        return [*findings, Finding(need, False)]
    with tempfile.TemporaryDirectory() as place:
        tally = Path(place) / "tally.json"
        done = _run_tests(folder, environ | {VARIABLE: str(tally)})
        rows: list[list[Any]] = json.loads(tally.read_text()) if tally.exists() else []
    output = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode:
        findings.append(Finding("its tests do not pass", False, output[-LINES:]))
    else:
        findings.append(Finding(f"its tests pass: {output[-1]}"))
    return findings + [_kit(name, rows) for name in providers]


async def check_installed(name: str, settings: Settings) -> list[Finding]:
    """Load an installed plugin, read its settings, start and end its process; send nothing."""
    found = [p for p in entry_points(group=ENTRY_POINT_GROUP) if p.name == name]
    if not found:
        known = ", ".join(sorted(point.name for point in entry_points(group=ENTRY_POINT_GROUP)))
        return [Finding(f"no plugin {name} is installed; there are: {known}", False)]
    findings, providers = _described(found, settings, os.environ)
    if all(finding.well for finding in findings):
        home = msgspec.structs.replace(settings.plugins, isolation="process", inside=(), off=())
        plugins = load_isolated(home)
        unused = [one.error for one in plugins.plugins if one.name == name and one.error]
        if unused:
            return [*findings, *(Finding(f"{name} cannot be used: {why}", False) for why in unused)]
        for provider in providers:
            findings += [one async for one in _started(plugins, provider, settings)]
    return findings


def _described(
    points: Sequence[EntryPoint], settings: Settings, environ: Mapping[str, str]
) -> tuple[list[Finding], list[str]]:
    """What plugins say of themselves, and the names of their providers."""
    home = make_home(settings.plugins, environ)
    findings: list[Finding] = []
    providers: list[str] = []
    for point in points:
        told = described(ask_what((point.name, point.value), home))
        findings.append(_loaded(point, told))
        for offer in told.providers:
            providers.append(offer.name)
            findings += _named(offer.name, offer.channel)
    return findings, providers


def _loaded(point: EntryPoint, told: Described) -> Finding:
    if told.error:
        return Finding(f"{point.name} cannot be loaded: {told.error}", False)
    if told.inside and not is_ours(point):
        return Finding(
            f"{point.name} can be loaded; it also adds to what runs inside our processes"
        )
    return Finding(f"{point.name} can be loaded")


def _named(provider: str, channel: str) -> Iterator[Finding]:
    if not provider.startswith(f"{channel}_"):
        yield Finding(f"{provider} delivers on {channel}: its name must begin with that", False)


async def _started(plugins: Plugins, name: str, settings: Settings) -> AsyncIterator[Finding]:
    """Of each of its sections: whether it is read, and whether its process bears a callback."""
    sections = sections_of(settings.channels, name)
    if not sections:
        yield Finding(f"{name} has no section [channels.{name}]: it is not used")
    for section in sections:
        try:
            provider = plugins.create_provider(section, settings.channels[section])
        except SettingsInvalid as invalid:
            mistakes = [f"{setting}: {detail}" for setting, detail in invalid.errors]
            yield Finding(f"{section} does not take its settings", False, mistakes)
            continue
        yield Finding(f"{section} takes its settings")
        if isinstance(provider, IsolatedProvider):
            yield await _tried(section, provider)


async def _tried(section: str, provider: IsolatedProvider) -> Finding:
    provider.keeper.opens = True  # as one that sends; those that only read callbacks do not
    try:
        await provider.keeper.life()
        return await _bears_nonsense(section, provider)
    except SectionRefused as refused:
        return Finding(f"{section} does not open: {refused}", False)
    except Resting as resting:
        return Finding(f"{section} does not start: {resting}", False)
    finally:
        await provider.close()


async def _bears_nonsense(section: str, provider: IsolatedProvider) -> Finding:
    nonsense = CallbackRequest(method="POST", url="https://example.org/callbacks/x", body=b"\0")
    try:
        updates = await read_callback(provider, nonsense)
    except (PermissionError, ValueError):
        updates = []
    except Resting as resting:
        return Finding(f"{section} fails at a callback that is nonsense: {resting}", False)
    if updates:
        return Finding(f"{section} believes a callback that is nonsense", False)
    return Finding(f"{section} opens, refuses a callback that is nonsense, and ends")


def _points_in(folder: Path) -> list[EntryPoint]:
    """The entry points that its pyproject.toml names. Raises KeyError if there are none."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = project["entry-points"][ENTRY_POINT_GROUP]
    return [EntryPoint(name, value, ENTRY_POINT_GROUP) for name, value in found.items()]


def _environ(folder: Path) -> dict[str, str]:
    """Ours, with the plugin's source where Python looks for modules."""
    here = folder.absolute()
    paths = [str(here), str(here / "src"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def _run_tests(folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", TALLY, "-p", "no:cacheprovider", "."]
    return subprocess.run(
        command, cwd=folder, env=dict(environ), capture_output=True, text=True, check=False
    )


def _kit(provider: str, rows: Sequence[Sequence[Any]]) -> Finding:
    """What the kit's classes found of one provider."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, contract, outcome, count in rows:
        if name == provider:
            counts[contract][outcome] = count
    if not counts["ProviderContract"].get("passed"):
        return Finding(f"the conformance kit does not test {provider}: see ProviderContract", False)
    failed = sum(found.get("failed", 0) for found in counts.values())
    below = [
        f"{contract}: " + ", ".join(f"{count} {outcome}" for outcome, count in found.items())
        for contract, found in counts.items()
        if found
    ]
    below += [advice for contract, advice in OPTIONAL.items() if not counts.get(contract)]
    return Finding(f"the conformance kit has tested {provider}", not failed, below)
