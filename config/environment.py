"""Which setting an ANGARIUM_ variable means.

`ANGARIUM_<SECTION>_<NAME>`, and for a provider `ANGARIUM_CHANNELS_<PROVIDER>_<NAME>`. A provider's
name has underscores of its own, so the provider is looked for among those that are known (the
file's sections, the installed plugins); one that is not known is read as `<channel>_<word>`.
"""

from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import entry_points
from typing import cast

from msgspec import Struct

from angarium.config.decode import Mistake, suggest, variable
from angarium.config.fields import describe
from angarium.config.settings import Settings

PREFIX = "ANGARIUM_"
CHANNELS = PREFIX + "CHANNELS_"

# Read by other parts of the program: the file's place, and where a test has a process die.
RESERVED = frozenset({"ANGARIUM_CONFIG", "ANGARIUM_CRASH_AT"})
ALIASES: Mapping[str, str] = {
    "ANGARIUM_ADMIN_KEY": "keys.admin",
    "ANGARIUM_WRITE_KEY": "keys.write",
}
TWO_WORD_CHANNELS = ("web_push_", "in_app_")


class Given(Struct, frozen=True):
    """One value from the environment."""

    variable: str
    section: tuple[str, ...]  # ("http",) or ("channels", "email_smtp")
    name: str
    value: str


def sections() -> dict[str, type[Struct]]:
    """The sections by name, `channels` left out: its contents belong to the plugins."""
    return {
        field.name: cast("type[Struct]", field.type)
        for field in describe(Settings)
        if field.name != "channels"
    }


def known_variables() -> dict[str, str]:
    """Every variable that means one setting of ours, and the setting's name."""
    names = [
        f"{section}.{field.name}"
        for section, struct in sections().items()
        for field in describe(struct)
    ]
    return {variable(name): name for name in names} | dict(ALIASES)


def installed_providers() -> tuple[str, ...]:
    """Names under which channel plugins are installed; ours are named as their providers."""
    return tuple(point.name for point in entry_points(group="angarium.plugins"))


def read_environment(
    environ: Mapping[str, str], written: Collection[str]
) -> tuple[list[Given], list[Mistake]]:
    """The settings in the environment; a variable that means none is a mistake.

    `written`: the providers that have a section in the file. A variable set to nothing is not set.
    """
    known, given, mistakes = known_variables(), list[Given](), list[Mistake]()
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in RESERVED or not value:
            continue
        if name in known:
            section, _, setting = known[name].partition(".")
            given.append(Given(name, (section,), setting, value))
        elif found := _of_provider(name, written):
            given.append(Given(name, ("channels", found[0]), found[1], value))
        else:
            mistakes.append(Mistake(name, _remedy(name, known)))
    return given, mistakes


def _remedy(name: str, known: Collection[str]) -> str:
    if name.startswith(CHANNELS):
        return "must name a provider and its setting, as ANGARIUM_CHANNELS_EMAIL_SMTP_HOST."
    return "no setting has this variable." + suggest(name, known)


def _of_provider(name: str, written: Collection[str]) -> tuple[str, str] | None:
    if not name.startswith(CHANNELS):
        return None
    words = name.removeprefix(CHANNELS).lower()
    providers = sorted(_candidates(words, written), key=len, reverse=True)
    for provider in providers:
        if words.startswith(provider + "_") and len(words) > len(provider) + 1:
            return provider, words[len(provider) + 1 :]
    return None


def _candidates(words: str, written: Collection[str]) -> Iterator[str]:
    known = [*written, *installed_providers()]
    if any(words.startswith(provider + "_") for provider in known):
        yield from known
    else:
        count = 3 if words.startswith(TWO_WORD_CHANNELS) else 2
        yield "_".join(words.split("_")[:count])
