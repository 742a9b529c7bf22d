"""A plugin for measuring: an email provider that accepts everything at once.

If `port` is given, a UDP socket there is told of each send as it begins: time and address.
"""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from angarium.plugins import Accepted, Message, Provider, hookimpl

NAME = "email_sink"
METADATA = "Metadata-Version: 2.1\nName: angarium-bench-sink\nVersion: 1.0\n"


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[channels.email_sink]`."""

    port: int = 0


class Sink(Provider):
    """Accepts everything."""

    name: ClassVar[str] = NAME
    channel: ClassVar[str] = "email"
    Settings: ClassVar[type] = SinkSettings

    def __init__(self, settings: SinkSettings) -> None:
        self._port = settings.port
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def send(self, message: Message) -> Accepted:
        if self._port:
            note = f"{time.time_ns()} {message.address}"
            self._line.sendto(note.encode(), ("127.0.0.1", self._port))
        return Accepted(provider_id=message.key)

    async def close(self) -> None:
        self._line.close()


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [Sink]


def install(folder: Path, root: Path, told: int = 0) -> Mapping[str, str]:
    """Make it an installed plugin for processes with this environment, and switch it on."""
    info = folder / "plugins" / "angarium_bench_sink-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    places = (str(folder / "plugins"), os.environ.get("PYTHONPATH", ""), str(root))
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(f"[angarium.plugins]\n{NAME} = benchmarks.sink\n")
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        "ANGARIUM_CHANNELS_EMAIL_SINK_PORT": str(told),
    }
