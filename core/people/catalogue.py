"""What attributes there are, and how the values that people send are read (S2.6, S2.7, S2.11).

Every value that is cut or refused comes back as a Problem (S2.12).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from angarium.config.limits import ATTRIBUTE_NAME_LENGTH, ATTRIBUTES_PER_TYPE, STRING_LENGTH
from angarium.core.events.times import find_zone
from angarium.core.events.values import Problem, check_number, fits, type_of
from angarium.core.people.consent import channels_by_attribute
from angarium.core.people.phone import normalise_mobile
from angarium.plugins.addresses import parse_email
from angarium.plugins.channel import Channel

TYPES_IN_SEGMENTS = frozenset({"string", "number", "boolean", "date"})

SYSTEM: Mapping[str, str] = {
    "email": "string",
    "mobile": "string",
    "birth_date": "date",
    "email_opt_in": "boolean",
    "sms_opt_in": "boolean",
    "web_push_opt_in": "boolean",
    "push_opt_in": "boolean",
    "first_name": "string",
    "last_name": "string",
    "gender": "string",
    "locale": "string",
    "timezone": "string",
    "city": "string",
    "country": "string",
}
RESERVED_TRAITS: Mapping[str, str] = {
    "phone": "mobile",
    "firstName": "first_name",
    "lastName": "last_name",
    "birthday": "birth_date",
}
"""Segment's names for what has another name here."""

_BIRTH_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TRUE = {"true": True, "false": False, "1": True, "0": False}

Report = Callable[[Problem], None]


class Types:
    """The types that are fixed already in a workspace; `first` holds those fixed since loading.

    added: the channels of plugins; the attributes of their consents and addresses have types, too.
    consents: all channels by the attributes that hold their consents.
    """

    def __init__(self, fixed: Mapping[str, str], added: Iterable[Channel] = ()) -> None:
        self.fixed = dict(fixed)
        self.consents = channels_by_attribute(added)
        self.addresses = {one.address_attribute for one in added if one.address_attribute}
        self.first: dict[str, str] = {}

    def fix(self, name: str, kind: str) -> str | None:
        """The type that rules for `name`, fixed now if it is new; None where the quota is full."""
        known = self.fixed.get(name)
        if known is not None:
            return known
        if sum(1 for other in self.fixed.values() if other == kind) >= ATTRIBUTES_PER_TYPE:
            return None
        self.fixed[name] = self.first[name] = kind
        return kind


def read_trait(
    name: str, value: Any, types: Types, region: str, report: Report
) -> tuple[str, Any] | None:
    """The attribute's name and the value to store, or None; null and "" mean not sent (S2.8)."""
    if value is None or value == "":
        return None
    name = RESERVED_TRAITS.get(name, name)
    if name in SYSTEM:
        read = _READERS.get(name, _text)(name, value, region, report)
        return None if read is None else (name, read)
    if _is_added(name, types):
        read = (_opt_in if name in types.consents else _text)(name, value, region, report)
        return None if read is None else (name, read)
    if not name or len(name) > ATTRIBUTE_NAME_LENGTH:
        report(
            Problem(
                name[:ATTRIBUTE_NAME_LENGTH],
                "attribute_name",
                "a name has 1 to 50 characters",
                value,
            )
        )
        return None
    stored = _custom(name, value, types, report)
    return None if stored is None else (name, stored)


def _is_added(name: str, types: Types) -> bool:
    return name in types.consents or name in types.addresses


def is_known(name: str, types: Types) -> bool:
    """Whether anybody in the workspace can have the attribute; else there is nothing to unset."""
    return name in SYSTEM or _is_added(name, types) or name in types.fixed


def fits_operation(name: str, op: str, operand: Any, types: Types, report: Report) -> bool:
    """Whether an attribute may be incremented, added to or removed from by `operand`."""
    if name in SYSTEM or _is_added(name, types):
        kind = SYSTEM.get(name, "boolean" if name in types.consents else "string")
        reason = f"{name} is a {kind}: set it instead"
        report(Problem(name, "wrong_type", reason, operand))
        return False
    if not name or len(name) > ATTRIBUTE_NAME_LENGTH:
        short = name[:ATTRIBUTE_NAME_LENGTH]
        report(Problem(short, "attribute_name", "a name has 1 to 50 characters", operand))
        return False
    return _custom(name, operand if op == "increment" else [operand], types, report) is not None


def _custom(name: str, value: Any, types: Types, report: Report) -> Any:
    kind = type_of(value)
    if not check_number(value):
        report(Problem(name, "number_out_of_range", "a whole number has at most 63 bits", None))
        return None
    fixed = types.fix(name, kind)
    if fixed is None:
        report(
            Problem(name, "too_many_attributes", f"there are 25 {kind} attributes already", value)
        )
        return None
    if not fits(kind, fixed):
        report(
            Problem(name, "wrong_type", f"its first value was a {fixed}, this is a {kind}", value)
        )
        return None
    return _cut(name, value, report)


def _cut(name: str, value: Any, report: Report) -> Any:
    if isinstance(value, str) and len(value) > STRING_LENGTH:
        report(Problem(name, "cut", f"a string has at most {STRING_LENGTH} characters", value))
        return value[:STRING_LENGTH]
    return value


def _text(name: str, value: Any, region: str, report: Report) -> Any:
    if isinstance(value, bool | list | dict):
        report(Problem(name, "wrong_type", f"{name} is a string", value))
        return None
    return _cut(name, str(value), report)


def _email(name: str, value: Any, region: str, report: Report) -> Any:
    try:
        return parse_email(value if isinstance(value, str) else "")
    except ValueError as error:
        report(Problem(name, "bad_email", str(error), value))
        return None


def _mobile(name: str, value: Any, region: str, report: Report) -> Any:
    number = None if isinstance(value, bool | list | dict) else normalise_mobile(str(value), region)
    if number is None:
        report(
            Problem(name, "bad_mobile", "not a mobile number; write it like +989121234567", value)
        )
    return number


def _birth_date(name: str, value: Any, region: str, report: Report) -> Any:
    if isinstance(value, str) and _BIRTH_DATE.match(value) and type_of(value[:10]) == "date":
        return value[:10]
    report(Problem(name, "bad_date", "birth_date is written yyyy-MM-dd", value))
    return None


def _opt_in(name: str, value: Any, region: str, report: Report) -> Any:
    read = value if isinstance(value, bool) else _TRUE.get(str(value).lower())
    if read is None:
        report(Problem(name, "wrong_type", f"{name} is true or false", value))
    return read


def _timezone(name: str, value: Any, region: str, report: Report) -> Any:
    if isinstance(value, str) and find_zone(value) is not None:
        return value
    report(Problem(name, "bad_timezone", "a time zone is an IANA name like Asia/Tehran", value))
    return None


_READERS: Mapping[str, Callable[[str, Any, str, Report], Any]] = {
    "email": _email,
    "mobile": _mobile,
    "birth_date": _birth_date,
    "email_opt_in": _opt_in,
    "sms_opt_in": _opt_in,
    "web_push_opt_in": _opt_in,
    "push_opt_in": _opt_in,
    "timezone": _timezone,
}
