"""The commands for plugins: list, deaths, new, check.

Imports stand inside functions so that `angarium --help` is quick.
"""

import sys
from pathlib import Path
from typing import Literal

import click

from angarium.gateway.cli.options import Chosen, Failure, config_option, load, run_async


@click.group()
def plugins() -> None:
    """Look at plugins, begin one, and test it."""


@plugins.command("list")
@config_option
def list_plugins(config: Chosen) -> None:
    """Show what is installed.

    Plugins with their versions and what they bring; how those fare that run in processes of their
    own; what is wrong with them or their settings (then the status is 1).
    """
    from angarium.gateway.isolation.survey import survey
    from angarium.gateway.logs import clean_text

    settings = load(config).settings
    entries = run_async(lambda: survey(settings))
    for entry in entries:
        click.echo(entry.line)
        for line in entry.below:
            click.echo(f"    {clean_text(line)}")
    if not all(entry.well for entry in entries):
        sys.exit(1)


@plugins.command("deaths")
@config_option
@click.argument("section", required=False)
@click.option("--confirm", "word", flag_value="confirm", help="They are dead: carry it out.")
@click.option("--discard", "word", flag_value="discard", help="They are not: forget it.")
def decide_deaths(
    config: Chosen, section: str | None, word: Literal["confirm", "discard"] | None
) -> None:
    """Addresses that are held.

    A provider that calls most addresses dead is not believed: its settings may be wrong. Without
    SECTION: the providers that this concerns, and how many addresses. With it, and --confirm or
    --discard: what becomes of what is held.
    """
    from angarium.gateway.deaths import decide, list_held, remedy, told

    settings = load(config).settings
    if section is None:
        for held in run_async(lambda: list_held(settings)):
            click.echo(f"{told(held)}\n    {remedy(held)}")
        return
    if word is None:
        raise Failure("say --confirm if those addresses really are dead, or --discard")
    count = run_async(lambda: decide(settings, section, word))
    done = "carried out" if word == "confirm" else "forgotten"
    click.echo(f"{count} deaths {done}; {section} is believed again.")


@plugins.command("new")
@click.argument("name")
@click.option("--channel", metavar="CHANNEL", help="What it delivers on; else NAME's first word.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to make the package; else here.",
)
def new_plugin(name: str, channel: str | None, folder: Path) -> None:
    """Begin a plugin: a package that works.

    NAME is that of its provider: <channel>_<vendor>, as chat_telegram. A channel that is not ours
    comes with the package. Its tests pass, against a stand-in; then it is yours to change.
    """
    from angarium.gateway.new_plugin.package import NameRefused, write_package

    try:
        made = write_package(folder, name, channel)
    except NameRefused as refused:
        raise Failure(str(refused)) from None
    click.echo(f"Made {made}. Now:")
    for line in (f"cd {made}", "pip install -e '.[test]'", "pytest", "angarium plugins check ."):
        click.echo(f"    {line}")


@plugins.command("check")
@config_option
@click.argument("what")
def check_plugin(config: Chosen, what: str) -> None:
    """Test a plugin.

    WHAT is a folder with the plugin's source: then its tests are run, and it is said which of its
    providers the conformance kit has tested with what. Or it is the name of an installed plugin:
    then it is loaded, its settings are read, and its process is started, opens, and ends; nothing
    is sent.
    """
    from msgspec.structs import replace

    from angarium.gateway.logs import configure_logs
    from angarium.gateway.plugin_checks import check_folder, check_installed

    if Path(what).is_dir():
        findings = check_folder(Path(what))
    else:
        settings = load(config).settings
        configure_logs(replace(settings.log, level="warning"), process="check")
        findings = run_async(lambda: check_installed(what, settings))
    for finding in findings:
        sign = click.style("ok  ", fg="green") if finding.well else click.style("FAIL", fg="red")
        click.echo(f"{sign}  {finding.text}")
        for line in finding.below:
            click.echo(f"      {line}")
    if not all(finding.well for finding in findings):
        sys.exit(1)


COMMANDS = (plugins,)
