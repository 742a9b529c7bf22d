"""Read definitions that people write: every fault at once, each with its place and the remedy.

Conditions and campaigns are read with the same few verbs. A verb that meets a fault notes it and
gives None, so that reading goes on; `finish` raises what was noted.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeGuard

from angarium.core.events.times import parse_duration

MOST_FAULTS = 100
"""More are not listed: who made a hundred will look at the first ones."""

KEY_LETTERS = 100
"""How much of a key stands in a pointer; a longer one is somebody's data."""

NULL = "the character U+0000, which cannot be stored; remove it"

Fault = tuple[str, str]
"""(JSON pointer, what is wrong and what to do about it)."""


class InvalidDefinition(ValueError):
    """A definition cannot be used as it stands; `errors` says where, why and what to do."""

    def __init__(self, errors: Iterable[Fault]) -> None:
        self.errors: tuple[Fault, ...] = tuple(errors)
        super().__init__(
            "; ".join(f"{pointer or '/'}: {detail}" for pointer, detail in self.errors)
        )


def child(pointer: str, key: str | int) -> str:
    """The pointer to a member (RFC 6901)."""
    name = str(key)[:KEY_LETTERS].replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{name}"


def listed(names: Iterable[str]) -> str:
    """Names as they stand in a sentence."""
    return ", ".join(names)


class Reader:
    """Reads one definition and notes what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, pointer: str, detail: str) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append((pointer, detail))

    def finish(self) -> None:
        """Raise InvalidDefinition if anything was noted."""
        if self.faults:
            raise InvalidDefinition(self.faults)

    def members(self, value: object, pointer: str) -> dict[str, Any] | None:
        """The members of an object; one that is null counts as left out."""
        if not is_object(value):
            self.fault(pointer, "must be an object")
            return None
        for name in value:
            if "\0" in name:
                self.fault(child(pointer, name), f"the name holds {NULL}")
        return {name: member for name, member in value.items() if member is not None}

    def fields(
        self, value: object, pointer: str, allowed: Collection[str], needed: Collection[str] = ()
    ) -> dict[str, Any] | None:
        """The same of an object whose names are fixed."""
        members = self.members(value, pointer)
        if members is None:
            return None
        self.only(members, pointer, allowed)
        for name in needed:
            if name not in members:
                self.fault(child(pointer, name), "is missing")
        return members

    def only(self, members: Mapping[str, Any], pointer: str, allowed: Collection[str]) -> None:
        """Note each member that has no meaning here."""
        for name in members:
            if name not in allowed:
                self.fault(
                    child(pointer, name), f"has no meaning here; there may be {listed(allowed)}"
                )

    def text(self, value: object, pointer: str, most: int) -> str | None:
        """Text that is not blank and has at most `most` characters."""
        if not isinstance(value, str):
            self.fault(pointer, "must be text")
        elif not value.strip():
            self.fault(pointer, "must not be empty")
        elif len(value) > most:
            self.fault(pointer, f"has {len(value)} characters; {most} are allowed")
        elif "\0" in value:
            self.fault(pointer, f"holds {NULL}")
        else:
            return value
        return None

    def flag(self, value: object, pointer: str) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            self.fault(pointer, "must be true or false")
        return value is True

    def choice(self, value: object, pointer: str, choices: Collection[str]) -> str:
        """One of a few words."""
        if isinstance(value, str) and value in choices:
            return value
        self.fault(pointer, f"must be one of {listed(choices)}")
        return ""

    def count(self, value: object, pointer: str, least: int, most: int) -> int:
        """A whole number."""
        if type(value) is int and least <= value <= most:
            return value
        self.fault(pointer, f"must be a whole number from {least} to {most}")
        return least

    def items(self, value: object, pointer: str, most: int) -> list[Any]:
        """A list that is not empty."""
        if is_list(value) and 1 <= len(value) <= most:
            return value
        self.fault(pointer, f"must be a list of 1 to {most} members")
        return []

    def duration(self, value: object, pointer: str, least: int, most: int) -> int:
        """A duration in ms, written in ISO 8601; `least` and `most` in ms."""
        try:
            length = parse_duration(value) if isinstance(value, str) else None
        except ValueError:
            length = None
        if length is None:
            self.fault(pointer, "must be an ISO 8601 duration such as PT30M, PT6H or P1D")
        elif not least <= length <= most:
            self.fault(pointer, f"must lie between {spelled(least)} and {spelled(most)}")
        else:
            return length
        return least


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def spelled(length: int) -> str:
    """A length in ms as people say it: `1 second`, `365 days`."""
    whole_days = length and length % 86_400_000 == 0
    count, unit = (length // 86_400_000, "day") if whole_days else (length // 1000, "second")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
