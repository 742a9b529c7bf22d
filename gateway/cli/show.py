"""The commands that show how things stand: settings, doctor.

Imports stand inside functions so that `angarium --help` is quick.
"""

import sys
from typing import TYPE_CHECKING

import click

from angarium.gateway.cli.options import Chosen, config_option, load, run_async

if TYPE_CHECKING:
    from angarium.gateway.doctor import Finding

SIGNS = {True: ("ok", "green"), False: ("PROBLEM", "red"), None: ("-", None)}


@click.command()
@config_option
def settings(config: Chosen) -> None:
    """Show the settings in force.

    Each with where it came from; secrets stay hidden. What each means: docs/settings.md.
    """
    from angarium.gateway.effective import effective

    loaded = load(config)
    lines = effective(loaded)
    width = max(len(line.name) for line in lines)
    for line in lines:
        click.echo(f"{line.name:{width}}  {line.value}  ({line.origin})")


@click.command()
@config_option
def doctor(config: Chosen) -> None:
    """Say what is missing, and what to do.

    Checks everything that an instance needs, and changes nothing. Ends with status 1 when there
    is a problem.
    """
    from msgspec.structs import replace

    from angarium.gateway.doctor import examine
    from angarium.gateway.logs import configure_logs

    loaded = load(config)
    configure_logs(replace(loaded.settings.log, level="warning"), process="doctor")
    findings = run_async(lambda: examine(loaded))
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        _show(finding, width)
    if any(finding.well is False for finding in findings):
        sys.exit(1)


def _show(finding: "Finding", width: int) -> None:
    word, colour = SIGNS[finding.well]
    click.echo(f"{click.style(f'{word:7}', fg=colour)}  {finding.check:{width}}  {finding.detail}")
    if finding.remedy:
        click.echo(f"{'':7}  {'':{width}}  → {finding.remedy}")


COMMANDS = (settings, doctor)
