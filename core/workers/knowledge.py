"""What a worker remembers of a workspace between batches: names, and types as first fixed.

A batch works on a copy that becomes the truth when its transaction commits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from angarium.config.limits import EVENT_NAMES, PROPERTIES
from angarium.core.delivery.told import REACTION_EVENTS
from angarium.core.events.values import LARGEST_INTEGER, Problem, check_number, fits, type_of
from angarium.core.people.app_state import APP_EVENTS
from angarium.core.people.catalogue import Types
from angarium.core.people.devices import PUSH_EVENTS
from angarium.core.people.joins import Joins
from angarium.core.people.profile import Report
from angarium.core.store.errors import Contention
from angarium.core.store.joins import load_joins
from angarium.core.store.protocol import Transaction
from angarium.plugins import Channel

PLAIN: Mapping[str, type] = {"string": str, "boolean": bool, "number": float, "array": list}
"""Types of which every value fits; the others are looked at more closely."""

OURS: Final = PUSH_EVENTS | APP_EVENTS.keys() | REACTION_EVENTS.keys()
"""Events that mean something to us, an opt-out among them: no quota keeps them out."""

PropertyKey = tuple[str, str]
"""(event name, property name)"""


class Knowledge:
    """The fixed types and known names of one workspace."""

    def __init__(
        self,
        workspace: str,
        names: Iterable[str],
        properties: dict[PropertyKey, str],
        attributes: dict[str, str],
        most_names: int,
        joins: Joins,
        added: Sequence[Channel] = (),
    ) -> None:
        """`most_names`: distinct event names; more is a sender that puts data into names.

        added: the channels of plugins.
        """
        self.workspace = workspace
        self.joins = joins
        self._most_names = most_names
        self.names = set(names)
        self.properties = properties
        self._plain: dict[str, dict[str, type]] = {}
        self._expect(properties)
        self.attributes = attributes
        self._added = added
        self.types = Types(attributes, added)
        self.new_properties: dict[PropertyKey, str] = {}
        self.new_names: set[str] = set()

    def begin(self) -> None:
        """Forget what a batch that failed had fixed."""
        self.types = Types(self.attributes, self._added)
        self.new_properties = {}
        self.new_names = set()

    def commit(self) -> None:
        """Keep what the batch fixed."""
        self.attributes |= self.types.first
        self.properties |= self.new_properties
        self._expect(self.new_properties)
        self.names |= self.new_names
        self.begin()

    def admit(self, name: str) -> bool:
        """Whether an event of this name may be stored."""
        if name in self.names or name in self.new_names:
            return True
        full = len(self.names) + len(self.new_names) >= self._most_names
        if full and name not in OURS:
            return False
        self.new_names.add(name)
        return True

    def clean(self, event: str, properties: dict[str, Any], report: Report) -> dict[str, Any]:
        """The properties whose types fit; the others are reported."""
        plain = self._plain.get(event, {})
        misfits: list[str] = []
        for name, value in properties.items():
            kind: type = value.__class__
            expected = plain.get(name)
            if kind is expected or value is None:
                continue
            if kind is int and expected is float and -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
                continue
            if not self._fits(event, name, value, report):
                misfits.append(name)
        return {k: v for k, v in properties.items() if k not in misfits} if misfits else properties

    def _expect(self, properties: Mapping[PropertyKey, str]) -> None:
        """Have the usual values of these looked at once only."""
        for (event, name), kind in properties.items():
            if kind in PLAIN:
                self._plain.setdefault(event, {})[name] = PLAIN[kind]

    def _fits(self, event: str, name: str, value: object, report: Report) -> bool:
        kind = type_of(value)
        key = (event, name)
        fixed = self.properties.get(key) or self.new_properties.get(key)
        if not check_number(value):
            report(Problem(name, "number_out_of_range", "a whole number has at most 63 bits", None))
            return False
        if fixed is None:
            return self._first(key, kind, report)
        if fits(kind, fixed):
            return True
        report(
            Problem(name, "wrong_type", f"its first value was a {fixed}, this is a {kind}", value)
        )
        return False

    def _first(self, key: PropertyKey, kind: str, report: Report) -> bool:
        everything = (*self.properties, *self.new_properties)
        if sum(1 for event, _ in everything if event == key[0]) >= PROPERTIES:
            reason = f"an event may have {PROPERTIES} different properties"
            report(Problem(key[1], "too_many_properties", reason, None))
            return False
        self.new_properties[key] = kind
        return True

    async def save(self, tx: Transaction) -> None:
        """Fix in the store what the batch fixed. Raises Contention if another worker was faster."""
        fixed = 0
        for name, kind in sorted(self.types.first.items()):
            fixed += await tx.run(
                "fix_attribute_type", workspace=self.workspace, name=name, type=kind
            )
        for (event, name), kind in sorted(self.new_properties.items()):
            fixed += await tx.run(
                "fix_property_type", workspace=self.workspace, event=event, property=name, type=kind
            )
        if fixed < len(self.types.first) + len(self.new_properties):
            raise Contention("another worker fixed a type first")


async def load_knowledge(
    tx: Transaction,
    workspace: str,
    most_names: int = EVENT_NAMES,
    added: Sequence[Channel] = (),
) -> Knowledge:
    """All that is fixed in a workspace so far."""
    names = await tx.fetch("list_event_names", workspace=workspace)
    properties = await tx.fetch("list_property_types", workspace=workspace)
    attributes = await tx.fetch("list_attribute_types", workspace=workspace)
    return Knowledge(
        workspace,
        (name for (name,) in names),
        {(event, name): kind for event, name, kind in properties},
        {name: kind for name, kind in attributes},
        most_names,
        await load_joins(tx, workspace),
        added,
    )
