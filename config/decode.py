"""Check one section against its struct, and name everything that is wrong with it at once.

A mistake names the setting and the remedy, never the value: it may be a secret.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from angarium.config.fields import Field, describe, is_list

S = TypeVar("S", bound=Struct)


class Mistake(Struct, frozen=True, order=True):
    """One setting that is wrong: `name` as in the file ("http.port"), and what to do about it."""

    name: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.remedy}"


class SettingsInvalid(ValueError):
    """The settings cannot be used; `mistakes` names every reason."""

    def __init__(self, mistakes: Collection[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def variable(name: str) -> str:
    """The environment variable of a setting: http.port → ANGARIUM_HTTP_PORT."""
    return "ANGARIUM_" + name.replace(".", "_").upper()


def suggest(word: str, known: Collection[str]) -> str:
    """' Did you mean …?' when something known is close to `word`, else nothing."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def decode(
    struct: type[S], section: Mapping[str, Any], where: str
) -> tuple[S | None, tuple[Mistake, ...]]:
    """One section as its struct, or every mistake in it.

    `where` is the section's name ("channels.email_smtp"). Text is read as a number or a truth
    where one is expected, since the environment holds nothing but text.
    """
    fields = {field.name: field for field in describe(struct)}
    mistakes = [
        Mistake(f"{where}.{name}", "there is no such setting." + suggest(name, fields))
        for name in section
        if name not in fields
    ]
    mistakes += [
        mistake
        for field in fields.values()
        if (mistake := _check(field, section, f"{where}.{field.name}"))
    ]
    if mistakes:
        return None, tuple(mistakes)
    try:
        return msgspec.convert(_split(fields, section), struct, strict=False), ()
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        return None, (Mistake(where, str(error)),)


def _check(field: Field, section: Mapping[str, Any], name: str) -> Mistake | None:
    if field.name not in section:
        missing = field.default is msgspec.NODEFAULT
        return Mistake(name, f"is required: set it, or {variable(name)}.") if missing else None
    try:
        value = msgspec.convert(_value(field, section[field.name]), field.type, strict=False)
        good = field.check is None or field.check(value)
    except msgspec.ValidationError:
        good = False
    return None if good else Mistake(name, f"must be {field.allowed}.")


def _split(fields: Mapping[str, Field], section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(fields[name], value) for name, value in section.items()}


def _value(field: Field, value: Any) -> Any:
    if isinstance(value, str) and is_list(field.type):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value
