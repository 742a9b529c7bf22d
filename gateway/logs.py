"""Logs: one JSON object a line on standard error, or text for people on a terminal.

Code logs ids and counts, never what people wrote or where they are reached. `redact` is the second
line of defence: whatever is named like a secret, or looks like a key or an address, is left out.
"""

import logging
import re
import sys
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from angarium.config.settings import Log

HIDDEN: Final = "[hidden]"

HIDDEN_NAMES: Final = frozenset(
    {
        "address",
        "addresses",
        "attributes",
        "authorization",
        "body",
        "content",
        "cookie",
        "email",
        "html",
        "key",
        "mobile",
        "password",
        "phone",
        "properties",
        "recipient",
        "secret",
        "text",
        "title",
        "to",
        "token",
        "traits",
        "url",
    }
)
"""Fields that are never shown, whatever they hold."""

PATTERNS: Final = (
    (re.compile(r"\b(\w+://)[^\s/@]+@"), r"\1" + HIDDEN + "@"),  # user and password in an address
    (re.compile(r"\bang_[a-z]{2}_\w+"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic) +[\w.~+/=:-]+"), r"\1 " + HIDDEN),
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"), HIDDEN),  # email
    (re.compile(r"(?<![\w.:/-])\+?\d{10,15}(?!\w)"), HIDDEN),  # phone, in any script's digits
)

DEPTH: Final = 4  # levels of nested values that are looked into

QUIET: Final = ("uvicorn.access", "asyncio", "httpx", "httpcore")
"""Loggers of libraries that say what we say better, or say it for every request."""


def configure_logs(settings: Log, *, process: str) -> None:
    """Send our own lines and those of libraries to standard error. `process`: "core", …."""
    level: int = getattr(logging, settings.level.upper())
    text = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    shared = _shared(process)
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        redact,
        _console() if text else structlog.processors.JSONRenderer(serializer=_encode),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _shared(process: str) -> list[Processor]:
    def add_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return [
        structlog.contextvars.merge_contextvars,  # request_id, bound by the door
        add_process,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        timestamp_key="at",
        exception_formatter=structlog.dev.plain_traceback,
    )


def _encode(event: EventDict, **_: Any) -> str:
    first = ("at", "level", "process", "event")
    ordered = {name: event[name] for name in first if name in event}
    ordered.update(event)
    return msgspec.json.encode(ordered, enc_hook=str).decode()


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Leave out what must not be in a log. Numbers and truths stay as they are."""
    for name, value in event.items():
        event[name] = HIDDEN if name in HIDDEN_NAMES else _clean(value, DEPTH)
    return event


def _clean(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        inner: Mapping[Any, Any] = cast("Any", value)
        return {
            str(name): HIDDEN if name in HIDDEN_NAMES else _clean(part, depth - 1)
            for name, part in inner.items()
        }
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_clean(part, depth - 1) for part in cast("Collection[Any]", value)]
    return clean_text(str(value))


def clean_text(text: str) -> str:
    """The text without keys, addresses and numbers of people."""
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text
