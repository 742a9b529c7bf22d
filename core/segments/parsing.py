"""Parse conditions: from JSON values to the tree of language.py, noting every fault.

The forms that need the log of events or other definitions (windows, `where`, segments) are
known by name and refused with a word of their own, so that nobody looks for a typing mistake.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from angarium.config.limits import (
    ATTRIBUTE_NAME_LENGTH,
    CONDITION_DEPTH,
    EVENT_NAME_LENGTH,
    STRING_LENGTH,
)
from angarium.core.segments.language import (
    Attribute,
    Comparison,
    Expression,
    Group,
    GroupKind,
    Known,
    Measure,
    Property,
    Reachable,
    Total,
)
from angarium.core.segments.operands import MOMENT, NUMBER, VALUE, Read
from angarium.core.segments.reader import Reader, child, is_object, listed

MOST_NODES = 500
"""Groups and single tests in one condition."""

TAGS = "tags"
"""The attribute, a list of texts, that `tag` looks into."""

PROPERTY_LETTERS = 200
CHANNEL_LETTERS = 50

COUNTED: Mapping[Measure, Mapping[str, Read]] = {"count": NUMBER, "first": MOMENT, "last": MOMENT}
FIGURES: Mapping[Measure, Mapping[str, Read]] = {
    "sum": NUMBER,
    "average": NUMBER,
    "min": NUMBER,
    "max": NUMBER,
    "latest": NUMBER,
}
MEASURES: Mapping[Measure, Mapping[str, Read]] = {**COUNTED, **FIGURES}
EVENT_FIELDS = ("event", "property", *MEASURES)

LATER: Mapping[str, str] = {
    "within": "windows come with segments; this version looks at all of a person's history",
    "from": "windows come with segments; this version looks at all of a person's history",
    "to": "windows come with segments; this version looks at all of a person's history",
    "where": "conditions on the properties of past events come with segments",
}

Members = dict[str, Any]


class Parser:
    """Parses one condition or one `where`. `forms`: what reads an object, by a name found in it."""

    def __init__(
        self, reader: Reader, forms: Mapping[str, "Form"], channels: Collection[str] | None = None
    ) -> None:
        self.reader = reader
        self.forms = forms
        self.channels = channels
        self.nodes = 0

    def expression(self, value: object, pointer: str, depth: int = 1) -> Expression | None:
        """The tree that `value` stands for, or None where it cannot be read (which was noted)."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            if self.nodes == MOST_NODES + 1:
                self.reader.fault(pointer, f"is one too many: {MOST_NODES} conditions are allowed")
            return None
        if depth > CONDITION_DEPTH:
            self.reader.fault(
                pointer, f"is nested too deeply: {CONDITION_DEPTH} levels are allowed"
            )
            return None
        members = self.reader.members(value, pointer)
        if members is None:
            return None
        named = [name for name in self.forms if name in members]
        if len(named) == 1:
            return self.forms[named[0]](self, members, pointer, depth)
        one_of = f"one of {listed(self.forms)}"
        self.reader.fault(
            pointer,
            f"says {' and '.join(named)} at once; combine conditions with all, any or none"
            if named
            else f"must have {one_of}",
        )
        return None

    def comparisons(
        self, members: Members, pointer: str, operators: Mapping[str, Read], fixed: Collection[str]
    ) -> tuple[Comparison, ...]:
        """The operators among `members`; every other name, but the `fixed` ones, is a fault."""
        found: list[Comparison] = []
        for name, value in members.items():
            read = operators.get(name)
            if read is not None:
                operand = read(self.reader, value, child(pointer, name))
                found.append(Comparison(name, operand, value))
            elif name not in fixed:
                self.reader.fault(
                    child(pointer, name), f"is no operator here; use {listed(operators)}"
                )
        if not found and len(members) == len(fixed):
            self.reader.fault(pointer, f"compares nothing; add one of {listed(operators)}")
        return tuple(found)


Form = Callable[[Parser, Members, str, int], Expression | None]
"""Reads an object (its members, its pointer, how deep it lies) that has the form's name in it."""


def _group(kind: GroupKind) -> Form:
    def read(parser: Parser, members: Members, pointer: str, depth: int) -> Expression | None:
        parser.reader.only(members, pointer, (kind,))
        inside = child(pointer, kind)
        values = parser.reader.items(members[kind], inside, MOST_NODES)
        found = [
            parser.expression(value, child(inside, index), depth + 1)
            for index, value in enumerate(values)
        ]
        return Group(kind, tuple(member for member in found if member is not None))

    return read


def _attribute(parser: Parser, members: Members, pointer: str, _depth: int) -> Expression | None:
    where = child(pointer, "attribute")
    name = parser.reader.text(members["attribute"], where, ATTRIBUTE_NAME_LENGTH)
    comparisons = parser.comparisons(members, pointer, VALUE, ("attribute",))
    return Attribute(name or "", comparisons)


def _property(parser: Parser, members: Members, pointer: str, _depth: int) -> Expression | None:
    where = child(pointer, "property")
    name = parser.reader.text(members["property"], where, PROPERTY_LETTERS)
    comparisons = parser.comparisons(members, pointer, VALUE, ("property",))
    return Property(name or "", comparisons)


def _event(parser: Parser, members: Members, pointer: str, _depth: int) -> Expression | None:
    reader = parser.reader
    event = reader.text(members["event"], child(pointer, "event"), EVENT_NAME_LENGTH) or ""
    figure = ""
    if "property" in members:
        where = child(pointer, "property")
        figure = reader.text(members["property"], where, PROPERTY_LETTERS) or "?"
    for name in set(members) & set(LATER):
        reader.fault(child(pointer, name), LATER[name])
        del members[name]
    reader.only(members, pointer, EVENT_FIELDS)
    totals = [
        _total(parser, event, figure, measure, members[measure], child(pointer, measure))
        for measure in MEASURES
        if measure in members
    ]
    if not totals:
        wanted = listed(FIGURES if figure else COUNTED)
        reader.fault(pointer, f"asks nothing of the event; add one of {wanted}")
    return totals[0] if len(totals) == 1 else Group("all", tuple(totals))


def _total(
    parser: Parser, event: str, figure: str, measure: Measure, value: object, pointer: str
) -> Total:
    if (measure in FIGURES) != bool(figure):
        parser.reader.fault(
            pointer,
            "stands without property: it counts occurrences of the event"
            if figure
            else 'needs to know of which property; add {"property": "…"} beside it',
        )
    comparisons: tuple[Comparison, ...] = ()
    if is_object(value):
        members = parser.reader.members(value, pointer) or {}
        comparisons = parser.comparisons(members, pointer, MEASURES[measure], ())
    else:
        example = '{"before": "-P30D"}' if measure in ("first", "last") else '{"at_least": 3}'
        parser.reader.fault(pointer, f"must be an object such as {example}")
    return Total(event, measure, figure, comparisons)


def _known(parser: Parser, members: Members, pointer: str, _depth: int) -> Expression | None:
    parser.reader.only(members, pointer, ("known",))
    return Known(parser.reader.flag(members["known"], child(pointer, "known")))


def _reachable(parser: Parser, members: Members, pointer: str, _depth: int) -> Expression | None:
    parser.reader.only(members, pointer, ("reachable",))
    where = child(pointer, "reachable")
    if parser.channels is None:
        return Reachable(parser.reader.text(members["reachable"], where, CHANNEL_LETTERS) or "")
    return Reachable(parser.reader.choice(members["reachable"], where, parser.channels))


def _tag(parser: Parser, members: Members, pointer: str, _depth: int) -> Expression | None:
    parser.reader.only(members, pointer, ("tag",))
    name = parser.reader.text(members["tag"], child(pointer, "tag"), STRING_LENGTH) or ""
    return Attribute(TAGS, (Comparison("contains", name, name),))


def _later(form: str) -> Form:
    def refuse(parser: Parser, _members: Members, pointer: str, _depth: int) -> None:
        parser.reader.fault(
            child(pointer, form), f"{form}s cannot be asked about yet: they come with segments"
        )

    return refuse


WHERE_FORMS: Mapping[str, Form] = {
    "all": _group("all"),
    "any": _group("any"),
    "none": _group("none"),
    "property": _property,
}
CONDITION_FORMS: Mapping[str, Form] = {
    "all": _group("all"),
    "any": _group("any"),
    "none": _group("none"),
    "attribute": _attribute,
    "event": _event,
    "known": _known,
    "reachable": _reachable,
    "segment": _later("segment"),
    "tag": _tag,
}
