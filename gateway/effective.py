"""Every setting in force as a line of text, secrets hidden, with its origin."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from angarium.config.environment import sections
from angarium.config.fields import SECRET_WORDS, describe
from angarium.config.load import Loaded
from angarium.config.reference import show
from angarium.gateway.logs import HIDDEN, clean_text


class Line(Struct, frozen=True):
    """One setting: `origin` is a file, a variable or "default"."""

    name: str
    value: str
    origin: str


def effective(loaded: Loaded) -> list[Line]:
    """The settings in the order of the documentation, then each provider's."""
    return [*_own(loaded), *_channels(loaded.settings.channels, loaded.origins)]


def _own(loaded: Loaded) -> Iterator[Line]:
    for section, struct in sections().items():
        values = getattr(loaded.settings, section)
        for field in describe(struct):
            name = f"{section}.{field.name}"
            value = getattr(values, field.name)
            yield Line(name, _shown(value, field.secret), loaded.origins.get(name, "default"))


def _channels(
    channels: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]
) -> Iterator[Line]:
    for provider, section in sorted(channels.items()):
        for name, value in sorted(section.items()):
            full = f"channels.{provider}.{name}"
            secret = not SECRET_WORDS.isdisjoint(name.lower().split("_"))
            yield Line(full, _shown(value, secret), origins.get(full, "default"))


def _shown(value: Any, secret: bool) -> str:
    """A secret address shows all but its user and password; any other secret, that it is set."""
    text = show(value).strip("`")
    if not secret or not value:
        return text
    return clean_text(text) if "://" in text else HIDDEN
