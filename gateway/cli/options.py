"""What all commands share: the settings, and how failures are told.

Imports stand inside functions so that `angarium --help` is quick.
"""

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from angarium.config.decode import Mistake
    from angarium.config.load import Loaded
    from angarium.config.settings import Settings

T = TypeVar("T")
Chosen = Path | None

config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings file; else ANGARIUM_CONFIG, else ./angarium.toml if there is one.",
)


class Failure(click.ClickException):
    """Something an operator can mend: said in one paragraph, without a stack."""


class WrongSettings(Failure):
    """The settings cannot be used; nothing was started."""

    exit_code = 2


def load(config: Chosen, *, with_channels: bool = False) -> "Loaded":
    """The settings in force. Raises WrongSettings with everything that is wrong.

    `with_channels`: also with the sections of providers, for which plugins are loaded.
    """
    from angarium.config.decode import SettingsInvalid
    from angarium.config.load import find_file, load

    context = click.get_current_context(silent=True)
    chosen = config or (context.find_root().obj if context else None)
    try:
        check = _channel_mistakes if with_channels else None
        return load(find_file(chosen, os.environ, Path.cwd()), os.environ, check)
    except SettingsInvalid as invalid:
        raise wrong_settings([str(mistake) for mistake in invalid.mistakes]) from None


def _channel_mistakes(settings: "Settings") -> "list[Mistake]":
    from angarium.config.decode import Mistake
    from angarium.gateway.isolation.loading import load_isolated
    from angarium.gateway.routes import build_routes, strange_channels
    from angarium.plugins.settings import SettingsInvalid

    sections, served = settings.channels, settings.deliver.channels
    if not sections and not served:
        return []
    plugins = load_isolated(settings.plugins, sections=sections)
    errors = strange_channels(plugins, served)
    try:
        build_routes(plugins, sections)
    except SettingsInvalid as invalid:
        errors += invalid.errors
    return [
        Mistake(setting, detail if detail.endswith((".", "?")) else f"{detail}.")
        for setting, detail in errors
    ]


def wrong_settings(mistakes: list[str]) -> WrongSettings:
    """The failure that names them all."""
    lines = [f"  {mistake}" for mistake in mistakes]
    count = "is a mistake" if len(lines) == 1 else f"are {len(lines)} mistakes"
    return WrongSettings(f"There {count} in the settings:\n" + "\n".join(lines))


def run_async(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `work` to its end; what an operator can mend becomes a Failure."""
    import asyncio

    from angarium.core.bus.errors import BusError
    from angarium.core.store.errors import StoreError
    from angarium.gateway.logs import clean_text

    try:
        return asyncio.run(work())
    except (StoreError, BusError, OSError) as error:
        raise Failure(clean_text(str(error))) from error
