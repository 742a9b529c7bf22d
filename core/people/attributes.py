"""One attribute of a person: the value that stands whatever order its writes arrived in.

A write while known beats one while anonymous, then the later event time wins (architecture.md,
People). Increments and array changes later than the value they change are kept beside it, so that
a late value takes its place under them.
"""

from math import isfinite
from typing import Any

import msgspec

from angarium.core.events.values import check_number, is_list

OPERATIONS_KEPT = 100
"""Of one attribute. Older ones are folded into its value, and no late value gets below them."""

Rank = tuple[bool, int, int]
"""(while known, event time in ms, tie): the order of writes."""


class Write(msgspec.Struct, array_like=True):
    """One change: `op` is set, unset, increment, add or remove."""

    known: bool
    at: int
    tie: int
    op: str
    value: Any = None


class Cell(msgspec.Struct, array_like=True):
    """The last set or unset, and the operations that came after it by rank."""

    known: bool
    at: int
    tie: int
    value: Any = None
    operations: list[Write] = []


def rank(write: Write | Cell) -> Rank:
    return (write.known, write.at, write.tie)


def write(cell: Cell | None, change: Write) -> Cell:
    """The cell after `change`; in whatever order changes come, the same cell results."""
    if change.op in ("set", "unset"):
        return _merge_set(cell, Cell(change.known, change.at, change.tie, change.value))
    if cell is None:
        cell = Cell(False, 0, 0)
    if rank(change) < rank(cell) or change in cell.operations:
        return cell
    operations = sorted([*cell.operations, change], key=rank)
    return _compact(msgspec.structs.replace(cell, operations=operations))


def merge(left: Cell | None, right: Cell) -> Cell:
    """The cell of two profiles that are one person's."""
    merged = _merge_set(left, msgspec.structs.replace(right, operations=[]))
    for operation in right.operations:
        merged = write(merged, operation)
    return merged


def value_of(cell: Cell) -> Any:
    """What stands now; None: nothing."""
    value = cell.value
    for operation in cell.operations:
        value = apply(value, operation)
    return value


def apply(value: Any, operation: Write) -> Any:
    """`value` after one operation; an operation that does not fit its type leaves it."""
    operand = operation.value
    if operation.op == "increment":
        if value is None:
            return operand
        return _sum(value, operand) if _is_number(value) else value
    items = operand if is_list(operand) else [operand]
    if not is_list(value):
        return list(items) if value is None and operation.op == "add" else value
    if operation.op == "add":
        return value + [item for item in items if item not in value]
    return [item for item in value if item not in items]


def _merge_set(cell: Cell | None, other: Cell) -> Cell:
    if cell is None:
        return other
    if rank(other) < rank(cell):
        return cell
    kept = [operation for operation in cell.operations if rank(operation) >= rank(other)]
    return msgspec.structs.replace(other, operations=kept)


def _compact(cell: Cell) -> Cell:
    while len(cell.operations) > OPERATIONS_KEPT:
        oldest = cell.operations[0]
        value = apply(cell.value, oldest)
        cell = Cell(oldest.known, oldest.at, oldest.tie, value, cell.operations[1:])
    return cell


def _sum(value: Any, operand: Any) -> Any:
    """What both stores can hold; a sum beyond it leaves the value as it is."""
    total = value + operand
    whole = isinstance(total, int)
    return total if (check_number(total) if whole else isfinite(total)) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
