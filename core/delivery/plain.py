"""Most templates only fill in names. Those are turned into closures, at a fifth of Liquid's cost.

What is known here: text, `{{ a.b }}`, `{{ a.b | default: "c" }}`, and `{% if a.b %}` with an
`{% else %}`. A template that holds anything else is Liquid's own; and so is one person's rendering
where a value is not a text, a number, a truth or nothing. Both ways give the same, letter by
letter: the tests hold them together.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from liquid import BoundTemplate, Markup, escape
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import (
    BooleanExpression,
    FilteredExpression,
    Path,
    PositionalArgument,
    StringLiteral,
)
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.expression import Expression

Scope = Mapping[str, Any]
Write = Callable[[Scope, list[str]], None]
Find = Callable[[Scope], Any]
"""The value of a name; None where there is none, for both are written as nothing."""
Piece = str | Write
"""Text that stays as it is, or what writes some."""

LETTERS: Final = 100_000
"""What is longer is rendered by Liquid, which knows when to stop."""
MEANINGFUL: Final = frozenset({"size", "first", "last"})
"""Names that Liquid answers itself."""
KINDS: Final = (str, int, float, bool, type(None))
_SPECIAL: Final = re.compile("[&<>\"']").search
"""Whether anything in a text is to be escaped: most names hold nothing of that."""


class Uncommon(Exception):
    """These values are for Liquid."""


def compile_plain(template: BoundTemplate, *, html: bool) -> Callable[[Scope], str] | None:
    """A function that renders `template`, or raises Uncommon; None: it is not a plain one."""
    pieces = _block(template.nodes, html)
    if pieces is None:
        return None

    def render(scope: Scope) -> str:
        parts: list[str] = []
        _write(pieces, scope, parts)
        text = "".join(parts)
        if len(text) > LETTERS:
            raise Uncommon
        return text

    return render


def _write(pieces: Sequence[Piece], scope: Scope, parts: list[str]) -> None:
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece)
        else:
            piece(scope, parts)


def _block(nodes: Iterable[Node], html: bool) -> tuple[Piece, ...] | None:
    pieces: list[Piece] = []
    for node in nodes:
        piece = _node(node, html)
        if piece is None:
            return None
        pieces.append(piece)
    return tuple(pieces)


def _node(node: Node, html: bool) -> Piece | None:
    if type(node) is ContentNode:
        return node.text
    if type(node) is OutputNode:
        return _hole(node.expression, html)
    return _choice(node, html) if type(node) is IfNode else None


def _hole(expression: Expression, html: bool) -> Write | None:
    if type(expression) is not FilteredExpression:
        return None
    find = _name(expression.left)
    instead = _default(expression)
    if find is None or instead is None:
        return None
    if expression.filters:  # what a template says itself is not escaped
        find = _or(find, Markup(instead) if html else instead)

    def write(scope: Scope, parts: list[str]) -> None:
        value = find(scope)
        if value is None:
            return
        text = value if isinstance(value, str) else _written(value)
        parts.append(escape(text) if html and _SPECIAL(text) else text)

    return write


def _written(value: float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(expression: Expression) -> Find | None:
    if type(expression) is not Path:
        return None
    names = [name for name in expression.path if isinstance(name, str) and name not in MEANINGFUL]
    if len(names) != len(expression.path):
        return None
    root, *rest = names

    def find(scope: Scope) -> Any:
        value = _member(scope, root, rest)
        if type(value) not in KINDS:
            raise Uncommon
        return value

    return find


def _member(scope: Scope, root: str, rest: Sequence[str]) -> Any:
    if root not in scope:
        raise Uncommon
    value = scope[root]
    for name in rest:
        if value is None:
            return None
        if value.__class__ is not dict:
            raise Uncommon
        value = value.get(name)
    return value


def _default(expression: FilteredExpression) -> str | None:
    """The text of its only filter, `default`; "" if it has no filter; None: it has another."""
    if not expression.filters:
        return ""
    [used, *more] = expression.filters
    if more or used.name != "default" or len(used.args) != 1:
        return None
    [argument] = used.args
    if type(argument) is not PositionalArgument or type(argument.value) is not StringLiteral:
        return None
    return argument.value.value


def _or(find: Find, instead: str) -> Find:
    def found(scope: Scope) -> Any:
        value = find(scope)
        if isinstance(value, str):
            return value or instead
        return instead if value is None or value is False else value

    return found


def _choice(node: IfNode, html: bool) -> Write | None:
    condition = node.condition
    if type(condition) is not BooleanExpression or node.alternatives or node.blank:
        return None
    find = _name(condition.expression)
    then, other = _branch(node.consequence, html), _branch(node.default, html)
    if find is None or then is None or other is None:
        return None

    def write(scope: Scope, parts: list[str]) -> None:
        value = find(scope)
        _write(other if value is None or value is False else then, scope, parts)

    return write


def _branch(block: BlockNode | None, html: bool) -> tuple[Piece, ...] | None:
    return () if block is None else _block(block.nodes, html)
