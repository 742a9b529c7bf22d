"""The command that shows everything at work: demo.

Imports stand inside functions so that `angarium --help` is quick.
"""

from pathlib import Path
from typing import Any

import click

from angarium.gateway.cli.options import Failure, run_async

FOLDER = Path("angarium-demo-data")


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Folder of the demo's own instance; emptied at each start.",
)
@click.option("--keep", is_flag=True, help="Go on with what the folder holds.")
@click.option("--port", type=click.IntRange(0, 65_535), help="8080, or a free one if it is taken.")
@click.option("--url", help="Use the instance that runs there, and start none.")
@click.option("--write-key", envvar="ANGARIUM_WRITE_KEY", help="A write key of that instance.")
@click.option("--admin-key", envvar="ANGARIUM_ADMIN_KEY", help="An admin key of that instance.")
@click.option("--people", type=click.IntRange(60, 20_000), default=340, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Other people, other carts.")
@click.option("--serve/--no-serve", default=None, help="Go on serving afterwards; on a terminal.")
def demo(**wanted: Any) -> None:
    """Send a shop's traffic, and show what came of it.

    Starts everything on this machine: broker, store, doors, core, channels, and a mail server
    that keeps every mail to itself. With --url it uses an instance that runs already; all
    addresses are at example.com, where nobody reads mail.
    """
    from angarium.gateway.demo.client import DemoFailed
    from angarium.gateway.demo.main import Wanted, run_demo
    from angarium.gateway.supervisor.crew import StartFailed
    from angarium.gateway.supervisor.lock import DirectoryInUse

    if wanted["url"] and not (wanted["write_key"] and wanted["admin_key"]):
        raise click.UsageError("--url needs --write-key and --admin-key of that instance")
    try:
        done = run_async(lambda: run_demo(Wanted(**wanted)))
    except (DemoFailed, DirectoryInUse, StartFailed) as error:
        raise Failure(str(error)) from error
    if not done:
        raise Failure("stopped before the end")


COMMANDS = (demo,)
