"""The command that reads returned mail: bounces.

Imports stand inside functions so that `angarium --help` is quick.
"""

import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from angarium.gateway.cli.options import Chosen, Failure, config_option, load, wrong_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from angarium.channels.email_smtp import EmailSmtp

PROVIDER = "email_smtp"
MOST_BYTES = 256 * 1024
"""Of a mail: the report stands at its beginning."""


@click.command()
@config_option
@click.option(
    "--section", default=PROVIDER, show_default=True, help="The [channels.…] whose mail came back."
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.File("rb"))
def bounces(config: Chosen, section: str, files: tuple[BinaryIO, ...]) -> None:
    """Say what returned mail means.

    One mail in each FILE, or in - the standard input: of which message it tells what, or that it
    tells nothing, or that nobody here made its return path. Nothing is changed. Ends with status 1
    if one is no news of a message of ours.
    """
    provider = _provider(load(config).settings.channels, section)
    said = [(getattr(file, "name", "-"), *_meaning(provider, file)) for file in files]
    for name, _, meaning in said:
        click.echo(f"{name}: {meaning}" if len(said) > 1 else meaning)
    if not all(news for _, news, _ in said):
        sys.exit(1)


def _meaning(provider: "EmailSmtp", file: BinaryIO) -> tuple[bool, str]:
    try:
        returned = provider.read_returned(file.read(MOST_BYTES))
    except ValueError as error:
        return False, str(error)
    if returned.update is None:
        return False, {
            "other": "neither a bounce nor a complaint",
            "unknown": "a report on no message of ours: its return path was not made here",
        }[returned.kind]
    update = returned.update
    dead = "; the address is dead" if update.address_dead else ""
    reason = f" ({update.reason})" if update.reason else ""
    return True, f"{update.key} {update.status}{reason}{dead}"


def _provider(sections: "Mapping[str, Mapping[str, object]]", name: str) -> "EmailSmtp":
    from angarium.channels.email_smtp import EmailSmtp
    from angarium.plugins.sections import read_section
    from angarium.plugins.settings import SettingsInvalid, decode_settings

    if name not in sections:
        raise Failure(f"There is no section [channels.{name}] in the settings.")
    try:
        routing, own = read_section(name, sections[name])
        if (routing.provider or name) != PROVIDER:
            raise Failure(f"[channels.{name}] is not of {PROVIDER}.")
        return EmailSmtp(decode_settings(EmailSmtp.Settings, own, f"channels.{name}"))
    except SettingsInvalid as invalid:
        raise wrong_settings([f"{where}: {what}" for where, what in invalid.errors]) from None


COMMANDS = (bounces,)
