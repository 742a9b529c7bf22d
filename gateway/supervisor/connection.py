"""connection.json: where a running Angarium is reached, for tools on the same machine."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

FILE = "connection.json"


class Connection(msgspec.Struct, frozen=True):
    """`nats` holds the broker's token, so the file is for its owner only."""

    http: str
    nats: str
    pids: Mapping[str, int]


def write_connection(folder: Path, connection: Connection) -> None:
    """Replace the file as a whole: a reader sees the old one or the new one."""
    new = folder / (FILE + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(connection), indent=2) + b"\n")
    new.replace(folder / FILE)


def remove_connection(folder: Path) -> None:
    """Nothing runs here (any more)."""
    (folder / FILE).unlink(missing_ok=True)


def read_connection(folder: Path) -> Connection | None:
    """What runs here; None if nothing does, or the file cannot be read."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Connection)
    except (OSError, msgspec.DecodeError):
        return None
