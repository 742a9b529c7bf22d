"""Read a settings struct as data: names, defaults, meanings, and what is allowed, in words.

Works for every msgspec struct, a channel plugin's `Settings` too.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

# A setting whose name holds one of these words is never shown, whoever declared it ...
SECRET_WORDS = frozenset({"password", "secret", "token", "key", "passphrase", "credentials"})
# ... unless its last word says that it only tells where the secret is, or which one it is.
PLAIN_ENDS = frozenset({"file", "id", "in"})

WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "text in base64",
    type(None): "nothing",
}


class Field(Struct, frozen=True):
    """One setting of a section."""

    name: str  # as in the file
    attribute: str  # as in the struct: `from` cannot be one
    type: Any
    default: Any  # msgspec.NODEFAULT: the setting is required
    allowed: str  # "a whole number from 0 to 65535"
    description: str
    secret: bool
    check: Callable[[Any], bool] | None = None  # what bounds and patterns cannot say


def describe(struct: type[Struct]) -> tuple[Field, ...]:
    """The settings of one section, in the order in which they are declared."""
    return tuple(_field(info) for info in msgspec.structs.fields(struct))


def _field(info: msgspec.structs.FieldInfo) -> Field:
    metas = list(_metas(info.type))
    extra: dict[str, Any] = {}
    for meta in metas:
        extra.update(meta.extra or {})
    default = info.default
    if info.default_factory is not msgspec.NODEFAULT:
        default = info.default_factory()
    return Field(
        name=info.encode_name,
        attribute=info.name,
        type=info.type,
        default=default,
        allowed=extra.get("form") or allowed(info.type),
        description=next((m.description for m in reversed(metas) if m.description), ""),
        secret=bool(extra.get("secret", names_secret(info.encode_name) or _hides(info.type))),
        check=extra.get("check"),
    )


def names_secret(name: str) -> bool:
    """Whether a setting of this name is taken for a secret, whatever its type."""
    words = name.lower().split("_")
    return words[-1] not in PLAIN_ENDS and not SECRET_WORDS.isdisjoint(words)


def _hides(annotation: Any) -> bool:
    """Whether there is a plugin's Secret in it, also as a value of a table."""
    return hasattr(annotation, "reveal") or any(map(_hides, get_args(annotation)))


def meanings(struct: type[Struct]) -> dict[str, str]:
    """What stands below each attribute in the source, as text; a plugin may explain itself so."""
    try:
        [node] = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    except (OSError, SyntaxError, ValueError):
        return {}
    body = node.body if isinstance(node, ast.ClassDef) else []
    return {
        above.target.id: inspect.cleandoc(below.value.value)
        for above, below in pairwise(body)
        if isinstance(above, ast.AnnAssign)
        and isinstance(above.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _metas(annotation: Any) -> Iterator[Meta]:
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, Meta):
            yield part


def is_list(annotation: Any) -> bool:
    """Whether a setting takes several values, which the environment gives comma-separated."""
    bare = get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
    return get_origin(bare) in (tuple, list, set, frozenset)


def allowed(annotation: Any) -> str:
    """What a value must be, in words."""
    if hasattr(annotation, "__metadata__"):
        return allowed(get_args(annotation)[0]) + _bounds(list(_metas(annotation)))
    if is_list(annotation):
        return f"a list of {allowed(get_args(annotation)[0])}"
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(annotation))
    choices = [allowed(part) for part in get_args(annotation) if part is not type(None)]
    if choices and get_origin(annotation) not in (dict, Mapping):
        return " or ".join(choices)
    if hasattr(annotation, "reveal"):  # a plugin's Secret
        return WORDS[str]
    return WORDS.get(annotation, "a table" if choices else "of another kind")


def _bounds(metas: list[Meta]) -> str:
    low = next((m.ge for m in metas if m.ge is not None), None)
    above = next((m.gt for m in metas if m.gt is not None), None)
    high = next((m.le for m in metas if m.le is not None), None)
    words = "" if low is None else f" from {low:g}" if abs(low) < 1000 else f" from {low}"
    words += "" if above is None else f" above {above}"
    return words + ("" if high is None else f" to {int(high) if high == int(high) else high}")
