"""The commands that run for long: up, gateway, core, deliver.

Imports stand inside functions so that `angarium --help` is quick.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from angarium.gateway.cli.options import (
    Chosen,
    Failure,
    config_option,
    load,
    run_async,
    wrong_settings,
)

if TYPE_CHECKING:
    from angarium.config.settings import Settings

Work = Callable[["Settings"], Awaitable[None]]

tether_option = click.option("--tether", type=int, hidden=True, help="Ends with this pipe.")


@click.command()
@config_option
def up(config: Chosen) -> None:
    """Run everything on this machine.

    Broker, store, doors, core and channels. The first time it makes the keys and shows them. It
    writes connection.json into the data directory, restarts what dies, and stops in order at
    SIGTERM or Ctrl-C; a second one hastens.
    """
    from angarium.gateway.logs import configure_logs
    from angarium.gateway.supervisor.crew import StartFailed
    from angarium.gateway.supervisor.lock import DirectoryInUse
    from angarium.gateway.supervisor.parts import PortTaken
    from angarium.gateway.supervisor.up import up

    loaded = load(config, with_channels=True)
    configure_logs(loaded.settings.log, process="up")
    try:
        code = run_async(lambda: up(loaded.settings, loaded.file, os.environ, click.echo))
    except (DirectoryInUse, PortTaken, StartFailed) as error:
        raise Failure(str(error)) from error
    sys.exit(code)


@click.command()
@config_option
@tether_option
def gateway(config: Chosen, tether: int | None) -> None:
    """Run the HTTP doors only.

    API, public links and console. Needs nats.url; any number of processes may share the work.
    """

    async def work(settings: "Settings") -> None:
        from angarium.gateway.serve import serve

        await serve(settings)

    _run("gateway", config, tether, work)


@click.command()
@config_option
@tether_option
def core(config: Chosen, tether: int | None) -> None:
    """Run the core only.

    The workers that turn messages into people, runs and deliveries. Needs nats.url; any number of
    processes may share the work.
    """

    async def work(settings: "Settings") -> None:
        from angarium.gateway.run_core import run_core

        await run_core(settings)

    _run("core", config, tether, work)


@click.command()
@config_option
@tether_option
def deliver(config: Chosen, tether: int | None) -> None:
    """Run the channels only.

    The workers that hand deliveries to channel plugins. Needs nats.url; any number of processes
    may share the work.
    """

    async def work(settings: "Settings") -> None:
        from angarium.gateway.run_deliver import run_deliver

        await run_deliver(settings)

    _run("deliver", config, tether, work)


def _run(name: str, config: Chosen, tether: int | None, work: Work) -> None:
    from angarium.gateway.logs import configure_logs
    from angarium.gateway.process import run_process

    settings = load(config, with_channels=name == "deliver").settings
    if not settings.nats.url:
        raise wrong_settings(
            ["nats.url: is required here; only `angarium up` runs a broker of its own."]
        )
    configure_logs(settings.log, process=name)
    run_process(lambda: work(settings), tether)


COMMANDS = (up, gateway, core, deliver)
