"""A stranger's plugin as pip installs it, in processes of its own; on both event loops."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

import pytest

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.plugins.manager import Plugins

ROGUE = Path(__file__).parent / "rogue"
PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
SECRET = "hunter2hunter2"

Load = Callable[..., Plugins]
Open = Callable[..., Any]


@pytest.fixture(
    scope="session",
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put the plugin: not into the environment of our own tests."""
    source = tmp_path_factory.mktemp("source") / "rogue"
    shutil.copytree(ROGUE, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path_factory.mktemp("installed")
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, *PIP, "--target", str(target), str(source)]
    subprocess.run(command, check=True, env=environ)
    return target


@pytest.fixture(scope="session")
def environ(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Of a gateway beside which the plugin is installed."""
    return {
        **os.environ,
        "PYTHONPATH": str(installed),
        "ANGARIUM_ADMIN_KEY": "an-admin-key",
        "AWS_SECRET_ACCESS_KEY": "a-cloud-key",
        "ROGUE_LOG": str(tmp_path_factory.mktemp("rogue") / "reports.log"),
    }


@pytest.fixture(scope="session")
def load(installed: Path, environ: Mapping[str, str]) -> Load:
    """Load the plugin beside one of ours, with these settings of `[plugins]`; once for each."""
    loaded: dict[str, Plugins] = {}

    def load(**settings: Any) -> Plugins:
        if repr(settings) not in loaded:
            sound = EntryPoint("console", "angarium.channels.console", "angarium.plugins")
            [rogue] = distributions(name="angarium-rogue", path=[str(installed)])
            chosen = PluginsSettings(**settings)
            loaded[repr(settings)] = load_isolated(chosen, [sound, *rogue.entry_points], environ)
        return loaded[repr(settings)]

    return load


@pytest.fixture
async def open_rogue(load: Load) -> AsyncIterator[Open]:
    """Make and open its provider: `section` is its own, the rest settings of `[plugins]`."""
    opened: list[IsolatedProvider] = []

    async def make(section: Mapping[str, Any] | None = None, **settings: Any) -> IsolatedProvider:
        plugins = load(**settings)
        provider = plugins.create_provider("sms_rogue", {"token": SECRET, **(section or {})})
        assert isinstance(provider, IsolatedProvider)
        opened.append(provider)
        await provider.open()
        return provider

    yield make
    for provider in opened:
        await provider.close()
