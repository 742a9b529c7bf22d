"""The command line page of the documentation, made from the commands themselves."""

from collections.abc import Iterator

import click

HEAD = """\
# Command line

<!-- Made by `make docs` from gateway/cli; do not edit. -->

Exit status: 0 when all went well, 1 when something failed, 2 when the settings or the command line
were wrong (nothing was started then).
"""


def cli_page(main: click.Group) -> str:
    """Markdown: each command with its help, as it prints it."""
    parts = [HEAD]
    for name, command in commands(main, "angarium"):
        context = click.Context(command, info_name=name, terminal_width=90, **main.context_settings)
        parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, with their full names."""
    yield name, command
    if isinstance(command, click.Group):
        for below, inner in sorted(command.commands.items()):
            yield from commands(inner, f"{name} {below}")
