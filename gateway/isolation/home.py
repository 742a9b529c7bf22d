"""What every plugin's process is given: its command, its environment, its limits."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.isolation.conduct import Rules

MIB: Final = 1024 * 1024
COMMAND: Final = (sys.executable, "-P", "-m", "angarium.gateway.isolation.child")
"""-P: a file of the working directory must not pass for a module of ours or of the plugin's."""

ALLOWED: Final = frozenset(
    {
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
    }
)
"""Variables that a plugin's process may see; ours hold keys and the addresses of our stores."""


class Home(msgspec.Struct, frozen=True):
    """Where plugins' processes live. Times in seconds."""

    environ: Mapping[str, str]
    memory_bytes: int
    files: int
    start_seconds: float
    hang_seconds: float
    rules: Rules


def make_home(settings: PluginsSettings, environ: Mapping[str, str] = os.environ) -> Home:
    """The home that the settings describe, with what `environ` has that plugins may see."""
    return Home(
        environ=allowed_environ(environ, settings.environ),
        memory_bytes=settings.memory_mb * MIB,
        files=settings.files,
        start_seconds=settings.start_seconds,
        hang_seconds=settings.hang_seconds,
        rules=Rules(settings.failures, settings.aside_seconds),
    )


def allowed_environ(environ: Mapping[str, str], more: Sequence[str]) -> dict[str, str]:
    """What a plugin's process may see of an environment; `more`: names that an operator adds."""
    wanted = ALLOWED.union(more)
    seen = {
        name: value for name, value in environ.items() if name in wanted or name.startswith("LC_")
    }
    # Every thread's own arena of memory would count against the limit.
    return {**seen, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
