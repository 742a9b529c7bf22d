"""From a section of the settings file to a provider's own struct, every mistake named at once."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
from msgspec import inspect


class Secret:
    """A password or key: no `repr`, `str` or log line shows it; `reveal()` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret('')"

    __str__ = __repr__


class SettingsInvalid(ValueError):
    """Settings that cannot be used; `errors` holds (setting, what is wrong) for each mistake."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        self.errors = errors
        super().__init__("\n".join(f"{setting}: {detail}" for setting, detail in errors))


def decode_settings(struct: type[Any], section: Mapping[str, object], where: str) -> Any:
    """Make an instance of `struct` from a section; `where` is its name in the file.

    Text is taken for numbers and booleans too, since environment variables hold nothing else.
    Raises SettingsInvalid with all mistakes; no value is repeated in it.
    """
    errors = list(_mistakes(struct, section, where))
    if errors:
        raise SettingsInvalid(errors)
    try:
        return _convert(dict(section), struct)
    except ValueError as error:  # from the struct's own __post_init__
        raise SettingsInvalid([(where, str(error))]) from error


def _mistakes(
    struct: type[Any], section: Mapping[str, object], where: str
) -> Iterator[tuple[str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name in section:
        if name not in fields:
            yield f"{where}.{name}", "unknown setting" + suggestion(name, list(fields))
    for name, field in fields.items():
        if name not in section:
            if field.required:
                yield f"{where}.{name}", "missing, and it has no default"
            continue
        try:
            _convert(section[name], field.type)
        except ValueError as error:
            yield f"{where}.{name}", _detail(field.type, error)


def suggestion(name: str, known: list[str]) -> str:
    """The end of "unknown …": the name that was probably meant, or all there are."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are: {', '.join(known)}" if known else "; it has no settings"


def _detail(wanted: Any, error: ValueError) -> str:
    """What msgspec says, except where it would repeat the value, or a pattern that has a name."""
    kind = inspect.type_info(wanted)
    if isinstance(kind, inspect.Metadata):
        extra: Mapping[str, Any] = cast("Any", kind).extra or {}
        if "form" in extra:
            return f"must be {extra['form']}"
        kind = kind.type
    if isinstance(kind, inspect.DictType) and str(error).startswith("Expected `object`"):
        return "must be a table, which only the file can hold"
    if isinstance(kind, inspect.LiteralType):
        return "must be one of " + ", ".join(str(value) for value in kind.values)
    return str(error).replace("`", "")


def _convert(value: object, wanted: Any) -> Any:
    return msgspec.convert(value, wanted, strict=False, dec_hook=_read_secret)


def _read_secret(wanted: type[Any], value: object) -> Any:
    if wanted is not Secret:
        raise ValueError(f"a setting cannot be a {wanted.__name__}")
    if not isinstance(value, str):
        raise ValueError("must be text")
    return Secret(value)
