"""What `angarium up` runs, and with which settings."""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from angarium.config.environment import PREFIX
from angarium.config.settings import Settings
from angarium.core.bus.embedded import EmbeddedServer
from angarium.gateway.supervisor.child import Part

STOP_ORDER = ("gateway", "core", "deliver", "nats")
"""Take nothing new; finish what was taken; finish what was handed over; only then the broker."""

MARGIN_SECONDS = 1.0  # beyond a part's own limit, before it is killed
BROKER_SECONDS = 3.0


def broker_part(server: EmbeddedServer, environ: Mapping[str, str]) -> Part:
    """The embedded nats-server, after `prepare()`."""
    return Part(
        name="nats",
        command=server.command(),
        environ={name: value for name, value in environ.items() if not name.startswith(PREFIX)},
        drain_seconds=BROKER_SECONDS,
        tethered=False,  # it ends with its parent by itself
    )


def our_parts(settings: Settings, environ: Mapping[str, str]) -> list[Part]:
    """Gateway, core and delivery, one process each."""
    limits = {
        "gateway": settings.http.drain_seconds,  # first, since it takes the longest to be ready
        "core": settings.core.drain_seconds,
        "deliver": settings.deliver.drain_seconds,
    }
    return [
        Part(
            name=name,
            # -P: a file of the working directory must not pass for a module of ours.
            command=(sys.executable, "-P", "-m", "angarium.gateway.cli", name),
            environ=environ,
            drain_seconds=seconds + MARGIN_SECONDS,
        )
        for name, seconds in limits.items()
    ]


def child_environ(
    settings: Settings, file: Path | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """The environment that gives a child these settings, wherever they came from."""
    ours = {
        "ANGARIUM_HTTP_PORT": str(settings.http.port),
        "ANGARIUM_DATA_DIR": settings.data.dir,
        "ANGARIUM_NATS_URL": settings.nats.url,
    }
    if file is not None:
        ours["ANGARIUM_CONFIG"] = str(file.absolute())
    return {**environ, **ours}


class PortTaken(Exception):
    """Another program listens on the HTTP port, or this one may not."""


def claim_port(host: str, port: int) -> int:
    """The port to use: `port`, or a free one for 0. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {host} port {port} ({error.strerror}):"
                " set another http.port or http.host (ANGARIUM_HTTP_PORT, ANGARIUM_HTTP_HOST)"
            ) from None
        found: int = probe.getsockname()[1]
        return found
