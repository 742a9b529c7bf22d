"""The command line: `angarium COMMAND`. What a command needs is imported when it runs."""

from importlib import import_module

import click

from angarium.config.lean import without

with without("rich"):  # for stacks in colours, of which structlog is asked for none
    import_module("structlog")

from angarium.gateway.cli import demo, mail, plugins, run, show, store
from angarium.gateway.cli.options import Chosen, config_option

EPILOG = "Settings, with their defaults: docs/settings.md."


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@config_option
@click.version_option(package_name="angarium", prog_name="angarium")
@click.pass_context
def main(context: click.Context, config: Chosen) -> None:
    """Angarium, a self-hosted customer-engagement gateway.

    `angarium up` runs everything on one machine; gateway, core and deliver run one part each, for
    several machines with a NATS cluster and PostgreSQL.
    """
    context.obj = config


for part in (run, store, show, mail, plugins, demo):
    for command in part.COMMANDS:
        main.add_command(command)
