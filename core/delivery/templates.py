"""Liquid templates: checked when they are saved, rendered within limits (S1.16, reliability.md §5).

python-liquid's own limits stop loops, growing strings and deep contexts. What they do not stop is
refused before: text that is too long to parse, holes that are never closed (it looks for their end
again and again), and ranges anywhere but in a loop (they would be written out in memory first).
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, NoReturn

from liquid import BoundTemplate, Environment, RenderContext, StrictUndefined, Undefined
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.expression import Expression

from angarium.core.delivery import filters
from angarium.core.delivery.filters import Filter
from angarium.core.delivery.plain import Uncommon, compile_plain

LETTERS = 64 * 1024
NODES = 5_000
LOOPS = 10_000
KEPT = 500
"""Parsed templates that a worker keeps."""
FORBIDDEN_TAGS = ("include", "render", "extends", "block")
CLOCK_WORDS = ("now", "today")

_OPENING = re.compile(r"\{\{|\{%")
_CLOSING = {"{{": "}}", "{%": "%}"}


class TemplateInvalid(ValueError):
    """A template that cannot be saved; `line` counts from 1, `detail` says what is wrong."""

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail if line is None else f"line {line}: {detail}")
        self.detail = detail
        self.line = line


class RenderFailed(Exception):
    """This person's message cannot be made; the text says why, without their data."""


Parsed = tuple[BoundTemplate, Callable[[Mapping[str, Any]], str] | None]
"""A template, and how to fill it where it is a plain one."""


class _Environment(Environment):
    """Limits as measured in channels.md §1.6."""

    loop_iteration_limit = LOOPS
    output_stream_limit = 512_000
    local_namespace_limit = 512_000
    context_depth_limit = 20


def check_template(
    text: str, *, html: bool = False, filters: Mapping[str, Filter] | None = None
) -> None:
    """Refuse what could not be rendered, or not within limits. Raises TemplateInvalid."""
    Templates(1, filters).parse(text, html=html)


def names_in(text: str) -> frozenset[str]:
    """The names that a template expects in its scope, such as `profile`; one that cannot be read
    expects nothing."""
    try:
        return frozenset(_environment(False, False, {}).from_string(text).global_variables())
    except (LiquidError, RecursionError):
        return frozenset()


class Templates:
    """Renders templates; keeps the parsed ones by their text. One for each worker."""

    def __init__(self, kept: int = KEPT, filters: Mapping[str, Filter] | None = None) -> None:
        """`filters`: those that plugins add, by name."""
        self._kept = kept
        self._parsed: OrderedDict[tuple[str, bool, bool], Parsed] = OrderedDict()
        self._environments = {
            (html, strict): _environment(html, strict, filters or {})
            for html in (False, True)
            for strict in (False, True)
        }

    def render(
        self, text: str, scope: Mapping[str, Any], *, html: bool = False, strict: bool = False
    ) -> str:
        """`text` with its holes filled from `scope`. Raises RenderFailed.

        html: what is filled in is escaped. strict: a name that is not in the scope is an error
        (for previews); else it is empty, so that `default` applies.
        """
        try:
            parsed, plain = self._find(text, html, strict)
            if plain is not None:
                try:
                    return plain(scope)
                except Uncommon:
                    pass
            return str(parsed.render(**scope))
        except TemplateInvalid as error:
            raise RenderFailed(f"template: {error}") from error
        except (LiquidError, ArithmeticError, RecursionError, MemoryError) as error:
            raise RenderFailed(f"template: {_reason(error)}") from error

    def parse(self, text: str, *, html: bool = False, strict: bool = False) -> BoundTemplate:
        """The parsed template. Raises TemplateInvalid."""
        return self._find(text, html, strict)[0]

    def _find(self, text: str, html: bool, strict: bool) -> Parsed:
        key = (text, html, strict)
        found = self._parsed.get(key)
        if found is not None:
            self._parsed.move_to_end(key)
            return found
        parsed = _parse(self._environments[html, strict], text)
        plain = None if strict else compile_plain(parsed, html=html)
        self._parsed[key] = (parsed, plain)
        if len(self._parsed) > self._kept:
            self._parsed.popitem(last=False)
        return self._parsed[key]


def _environment(html: bool, strict: bool, added: Mapping[str, Filter]) -> Environment:
    undefined = StrictUndefined if strict else Undefined
    environment = _Environment(autoescape=html, undefined=undefined)
    for tag in FORBIDDEN_TAGS:
        environment.tags.pop(tag, None)
    plain_date = environment.filters["date"]

    def date(value: Any, *args: Any, **kwargs: Any) -> Any:
        if str(value).strip().lower() in CLOCK_WORDS:
            raise FilterArgumentError("date: use event.timestamp, not the clock", token=None)
        return plain_date(value, *args, **kwargs)

    date.with_environment = True  # type: ignore[attr-defined]  # how Liquid knows what to hand over
    ours = {"jalali": filters.jalali, "fa_digits": filters.fa_digits, "toman": filters.toman}
    limited = filters.bounded(environment.filters)
    theirs = {name: _contained(name, filter_) for name, filter_ in added.items()}
    environment.filters = {**theirs, **environment.filters, **limited, **ours, "date": date}
    # A template may mark nothing as safe that came from a person.
    environment.filters.pop("safe", None)
    return environment


def _contained(name: str, filter_: Filter) -> Filter:
    """A plugin's filter that may raise what it likes: one message cannot be made, no more."""

    @wraps(filter_)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return filter_(*args, **kwargs)
        except (LiquidError, TypeError):  # TypeError: Liquid's word for wrong arguments
            raise
        except (Exception, SystemExit) as error:
            raise RenderFailed(
                f"template: the filter {name} raised {type(error).__name__}"
            ) from None

    return call


def _parse(environment: Environment, text: str) -> BoundTemplate:
    if len(text) > LETTERS:
        raise TemplateInvalid(f"a template may have {LETTERS} characters; this has {len(text)}")
    _check_closed(text)
    try:
        template = environment.from_string(text)
    except LiquidError as error:
        line = _line(error) or text.count("\n") + 1
        raise TemplateInvalid(_reason(error), line) from error
    except RecursionError as error:
        raise TemplateInvalid("nested too deeply") from error
    context = RenderContext(template)
    if sum(1 for _ in _checked(template.nodes, context)) > NODES:
        raise TemplateInvalid(f"a template may have {NODES} tags and holes")
    return template


def _check_closed(text: str) -> None:
    """Every hole and tag ends before the next begins; one look at each character."""
    position = 0
    while (opening := _OPENING.search(text, position)) is not None:
        end = text.find(_CLOSING[opening[0]], opening.end())
        following = _OPENING.search(text, opening.end())
        if end < 0 or (following is not None and following.start() < end):
            line = text.count("\n", 0, opening.start()) + 1
            raise TemplateInvalid(f"{opening[0]} is not closed by {_CLOSING[opening[0]]}", line)
        position = end + 2


def _checked(nodes: Iterable[Node], context: RenderContext) -> Iterable[Node]:
    for node in nodes:
        for expression in node.expressions():
            _refuse_ranges(expression, node)
            _refuse_unknown_filters(expression, node, context.env)
        yield node
        yield from _checked(node.children(context, include_partials=False), context)


def _refuse_ranges(expression: Expression, node: Node) -> None:
    for part in expression.children():
        if isinstance(part, RangeLiteral) and not isinstance(expression, LoopExpression):
            _refuse_range(node)
        _refuse_ranges(part, node)
    if isinstance(expression, RangeLiteral):
        _check_bounds(expression, node)


def _refuse_unknown_filters(expression: Expression, node: Node, environment: Environment) -> None:
    for use in getattr(expression, "filters", None) or ():
        if use.name not in environment.filters:
            raise TemplateInvalid(f"there is no filter {use.name!r}", _line_of(node))
    for part in expression.children():
        _refuse_unknown_filters(part, node, environment)


def _check_bounds(literal: RangeLiteral, node: Node) -> None:
    """A range between values of a person would be written out in memory by `reversed`."""
    match literal.start, literal.stop:
        case IntegerLiteral(value=int(first)), IntegerLiteral(value=int(last)):
            if last - first < LOOPS:
                return
            raise TemplateInvalid("this range is too wide", _line_of(node))
        case _:
            raise TemplateInvalid("write the ends of a range as numbers", _line_of(node))


def _refuse_range(node: Node) -> NoReturn:
    raise TemplateInvalid("a range may stand in a for tag only", _line_of(node))


def _line_of(node: Node) -> int:
    return node.token.source.count("\n", 0, node.token.start_index) + 1


def _line(error: LiquidError) -> int | None:
    token = error.token
    if token is None or token.start_index < 0:
        return None
    return token.source.count("\n", 0, token.start_index) + 1


def _reason(error: BaseException) -> str:
    """What Liquid says of the template's own words; never the values of a person."""
    if isinstance(error, LiquidError):
        return str(error.args[0] if error.args else type(error).__name__)[:200]
    return type(error).__name__
