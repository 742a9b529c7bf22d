"""The streams, and how they are made."""

from typing import Any

from angarium.core.bus import api, subjects
from angarium.core.bus.errors import BusFull, BusRefused
from angarium.core.bus.session import Session

SECOND = 10**9
DAY = 24 * 3600 * SECOND
DUPLICATE_WINDOW = 120 * SECOND
OLDEST_SERVER = (2, 14)
TRIES = 5
MAX_MESSAGE_BYTES = 8 * 2**20
MOST_MESSAGES = 1000
"""How many messages the server takes in one atomic batch."""

_SHARE = {
    subjects.EVENTS: 1.0,
    subjects.DECISIONS: 0.25,
    subjects.FEEDBACK: 0.25,
    subjects.REPORTS: 0.25,
    subjects.REJECTS: 0.0625,
}
"""Each stream's part of `max_bytes`."""

_MAY_FORGET = frozenset({subjects.REPORTS, subjects.REJECTS})
"""Streams that tell others what is known in SQL anyway: the oldest make room for the newest."""


def stream_config(
    stream: str, *, partitions: int, max_bytes: int, max_message_bytes: int
) -> dict[str, Any]:
    """What we ask of a stream, in the server's own words."""
    config: dict[str, Any] = {
        "name": stream,
        "subjects": [subjects.PATTERNS[stream]],
        "retention": "limits",
        "storage": "file",
        "discard": "old" if stream in _MAY_FORGET else "new",
        "max_bytes": int(max_bytes * _SHARE[stream]),
        "max_age": 7 * DAY,
        "max_msg_size": max_message_bytes,
        "duplicate_window": DUPLICATE_WINDOW,
        "allow_atomic": True,
        "allow_direct": True,
    }
    destination = subjects.stored_subject(stream, partitions)
    if destination is not None:
        source = subjects.PATTERNS[stream]
        config["subject_transform"] = {"src": source, "dest": destination}
    return config


def check_version(session: Session) -> None:
    """Raise BusRefused if the server is too old for atomic batches."""
    if session.version < OLDEST_SERVER:
        major, minor = session.version
        raise BusRefused(f"nats-server is {major}.{minor}; 2.14 or later is needed")


async def ensure_stream(session: Session, config: dict[str, Any], *, replicas: int) -> None:
    """Make the stream as `config` says, whatever is there and whoever does the same meanwhile.

    Raises BusRefused when the stream was made with another number of partitions: that can only
    be changed on an empty stream, by deleting it.
    """
    try:
        await _settle(session, config, replicas)
    except BusFull as error:
        raise BusRefused(
            f"nats-server has no room for the stream {config['name']} of {config['max_bytes']} "
            "bytes: lower nats.max_bytes, or give its disk more space"
        ) from error


async def _settle(session: Session, config: dict[str, Any], replicas: int) -> None:
    name = config["name"]
    for _ in range(TRIES):
        present = await _present(session, name)
        if present is None:
            if await _create(session, {**config, "num_replicas": replicas}):
                return
            continue
        if all(present.get(key) == value for key, value in config.items()):
            return
        _check_partitions(present, config)
        await api.ask(session, f"STREAM.UPDATE.{name}", {**present, **config})
        return  # of processes that want it differently the last one has its way
    raise BusRefused(f"the stream {name} does not stay: does something delete it?")


async def _present(session: Session, name: str) -> dict[str, Any] | None:
    try:
        info = await api.ask(session, f"STREAM.INFO.{name}")
    except BusRefused as error:
        if error.code == api.STREAM_NOT_FOUND:
            return None
        raise
    config: dict[str, Any] = info["config"]
    return config


async def _create(session: Session, config: dict[str, Any]) -> bool:
    try:
        await api.ask(session, f"STREAM.CREATE.{config['name']}", config)
    except BusRefused as error:
        if error.code == api.STREAM_NAME_IN_USE:
            return False
        raise
    return True


def _check_partitions(present: dict[str, Any], wanted: dict[str, Any]) -> None:
    was, wish = present.get("subject_transform"), wanted.get("subject_transform")
    if was is not None and was != wish:
        raise BusRefused(
            f"the stream {wanted['name']} was made with other partitions ({was['dest']}) than the "
            "settings ask for; set nats.partitions as it was, or drain and delete the stream"
        )
