"""Every setting in force as a line of text, secrets hidden, with its origin.

What in a provider's section is secret, the provider says. Of one that is not installed nobody does:
then no text of its section is shown.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from angarium.config.environment import sections
from angarium.config.fields import describe, names_secret
from angarium.config.load import Loaded
from angarium.config.reference import show
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.gateway.logs import HIDDEN, clean_text
from angarium.gateway.routes import kinds
from angarium.plugins.manager import Plugins
from angarium.plugins.sections import FIELDS


class Line(Struct, frozen=True):
    """One setting: `origin` is a file, a variable or "default"."""

    name: str
    value: str
    origin: str


def effective(loaded: Loaded) -> list[Line]:
    """The settings in the order of the documentation, then each provider's."""
    return [*_own(loaded), *_channels(loaded)]


def _own(loaded: Loaded) -> Iterator[Line]:
    for section, struct in sections().items():
        values = getattr(loaded.settings, section)
        for field in describe(struct):
            name = f"{section}.{field.name}"
            value = getattr(values, field.name)
            yield Line(name, _shown(value, field.secret), loaded.origins.get(name, "default"))


def _channels(loaded: Loaded) -> Iterator[Line]:
    channels = loaded.settings.channels
    if not channels:
        return
    plugins = load_isolated(loaded.settings.plugins, sections=channels)
    for section, kind in sorted(kinds(channels).items()):
        is_secret = _secrets(plugins, kind)
        for name, value in sorted(channels[section].items()):
            full = f"channels.{section}.{name}"
            hidden = value and name not in FIELDS and is_secret(name, value)
            shown = HIDDEN if hidden else _shown(value, secret=False)
            yield Line(full, shown, loaded.origins.get(full, "default"))


def _secrets(plugins: Plugins, kind: str) -> Callable[[str, Any], bool]:
    """Whether a setting of a provider (its name, its value) is a secret."""
    provider = plugins.providers.get(kind)
    if provider is None:
        return lambda _, value: not isinstance(value, bool | int | float)
    if issubclass(provider, IsolatedProvider):
        said = frozenset(provider.source.offer.secrets)
        return lambda name, _: name in said or names_secret(name)
    known = {field.name: field.secret for field in describe(provider.Settings)}
    return lambda name, _: known.get(name, True)


def _shown(value: Any, secret: bool) -> str:
    """A secret address shows all but its user and password; any other secret, that it is set."""
    text = show(value).strip("`")
    if not secret or not value:
        return text
    return clean_text(text) if "://" in text else HIDDEN
