"""The settings page of the documentation, made from the structs."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct

from angarium.config.decode import variable
from angarium.config.environment import ALIASES, sections
from angarium.config.fields import Field, describe, meanings

HEAD = """\
# Settings

<!-- Made by `make docs` from config/settings.py; do not edit. -->

Angarium reads `angarium.toml` (`--config FILE`, else `ANGARIUM_CONFIG`, else the file of that name
in the working directory, if there is one), then the environment, which wins.
`[http] port` in the file is `ANGARIUM_HTTP_PORT` in the environment;
lists are comma-separated there, a variable set to nothing is not set, and tables stand in the
file only.
Relative paths are relative to the working directory.

Whatever is wrong (unknown names, wrong types, values out of range, variables that mean nothing)
stops the start, all of it named at once.
`angarium settings` shows what is in force and where it came from.
"""

CHANNELS = """\
## [channels.\\<provider\\>]

One section for each provider that shall be used, named as `angarium plugins list` shows it;
a provider without a section is not loaded.
In the environment: `ANGARIUM_CHANNELS_EMAIL_SMTP_HOST`.

For a second account of one provider, give the section another name and say which it is for:

```toml
[channels.email_second]
provider = "email_smtp"
host = "relay2.example.org"
```

Figures, reports and `/callbacks/<name>` go by the section's name.
"""


def settings_page(providers: Mapping[str, type[Struct]], shared: type[Struct] | None = None) -> str:
    """Markdown: every section, then that of each provider by its name.

    `shared`: what each of the providers' sections may hold besides.
    """
    shortcuts = {name: alias for alias, name in ALIASES.items()}
    parts = [HEAD]
    for name, struct in sections().items():
        parts.append(_section(name, struct, shortcuts))
    parts.append(CHANNELS)
    if shared is not None:
        parts.append("\n".join(_table("channels.<provider>", shared, {})) + "\n")
    for provider, struct in sorted(providers.items()):
        parts.append(_section(f"channels.{provider}", struct, {}))
    return "\n".join(parts)


def _section(name: str, struct: type[Struct], shortcuts: Mapping[str, str]) -> str:
    about = (struct.__doc__ or "").strip().split("\n\n")[0]
    return "\n".join([f"## [{name}]", "", about, "", *_table(name, struct, shortcuts), ""])


def _table(name: str, struct: type[Struct], shortcuts: Mapping[str, str]) -> list[str]:
    below = meanings(struct)
    rows = [
        _row(f"{name}.{field.name}", field, below.get(field.attribute, ""), shortcuts)
        for field in describe(struct)
    ]
    head = ["| setting | environment | value | default | meaning |", "|---|---|---|---|---|"]
    return [*head, *rows] if rows else []


def _row(name: str, field: Field, below: str, shortcuts: Mapping[str, str]) -> str:
    cells = (
        f"`{field.name}`",
        f"`{shortcuts.get(name) or variable(name)}`",
        field.allowed + (" (secret)" if field.secret else ""),
        show(field.default),
        field.description or " ".join(below.split()),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def show(value: Any) -> str:
    """A default as it would stand in the file; a required setting has none."""
    if value is msgspec.NODEFAULT:
        return "*required*"
    if isinstance(value, tuple | list):
        return "`[" + ", ".join(f'"{part}"' for part in cast("Sequence[Any]", value)) + "]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
    return f'`"{value}"`' if value else "unset"
