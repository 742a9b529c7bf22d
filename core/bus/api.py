"""Requests to JetStream's own interface: JSON in, JSON out."""

from typing import Any

import msgspec

from angarium.core.bus.errors import (
    BatchSpoilt,
    BusError,
    BusFull,
    BusRefused,
    BusUnavailable,
    MessageTooLarge,
)
from angarium.core.bus.session import Session

STREAM_NOT_FOUND = 10059
STREAM_NAME_IN_USE = 10058
DUPLICATE_IN_BATCH = 10201

ASK_SECONDS = 10.0

_TOO_LARGE = 10054
_FULL = frozenset({10023, 10028, 10047, 10077})
_SPOILT = frozenset({10175, 10176})
_PASSING = frozenset({10008, 10039, 10210})
# 10077 store failed or full; 10023, 10028, 10047 no resources left on the server.
# 10175 and 10176 a batch with a gap: a message was too large, lost, or could not be written.
# 10008 not available, 10039 account off, 10210 too many batches open at once.


class Fault(msgspec.Struct):
    """The `error` member of an answer."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class StreamState(msgspec.Struct, frozen=True):
    """Where a stream stands.

    `epoch` is the instant of its creation as the server writes it: another epoch is another
    stream, in which earlier positions mean nothing. `size` and `max_size` are bytes on disk.
    `stored_as` is the rule by which it rewrites subjects, if it does.
    """

    last_sequence: int
    epoch: str
    first_sequence: int
    messages: int
    size: int
    max_size: int
    stored_as: str | None


async def ask(session: Session, path: str, body: object = None) -> dict[str, Any]:
    """Put a request to `$JS.API.<path>`; raises BusUnavailable, BusFull or BusRefused."""
    encoded = msgspec.json.encode(body) if body is not None else b""
    answer = await session.ask(f"$JS.API.{path}", encoded, limit=ASK_SECONDS)
    decoded: dict[str, Any] = msgspec.json.decode(answer)
    if "error" in decoded:
        raise fault_error(msgspec.convert(decoded["error"], Fault), path)
    return decoded


async def stream_state(session: Session, stream: str) -> StreamState:
    """Ask where a stream stands."""
    info = await ask(session, f"STREAM.INFO.{stream}")
    state, config = info["state"], info["config"]
    return StreamState(
        last_sequence=state["last_seq"],
        epoch=info["created"],
        first_sequence=state["first_seq"],
        messages=state["messages"],
        size=state["bytes"],
        max_size=config["max_bytes"],
        stored_as=config.get("subject_transform", {}).get("dest"),
    )


def fault_error(fault: Fault, what: str) -> BusError:
    """The error that a refusal by the server amounts to."""
    said = f"{what}: {fault.description or 'refused'} ({fault.err_code or fault.code})"
    if fault.err_code in _FULL:
        return BusFull(
            f"{said}. Let the core catch up or raise nats.max_bytes; if the server's disk was "
            "full, restart nats-server once there is space"
        )
    if fault.err_code in _SPOILT:
        return BatchSpoilt(f"{said}; if the server's disk was full, restart nats-server")
    if fault.err_code in _PASSING:
        return BusUnavailable(said)
    if fault.err_code == _TOO_LARGE:
        return MessageTooLarge(said)
    return BusRefused(said, fault.err_code)
