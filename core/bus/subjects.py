"""The one place for subjects and streams.

A subject is only ever built here, of tokens that were checked: a long or odd subject makes the
server close the connection.
"""

import hashlib
import re
from typing import Final

from angarium.core.bus.errors import BadToken

EVENTS: Final = "EVENTS"
DECISIONS: Final = "DECISIONS"
REPORTS: Final = "REPORTS"
REJECTS: Final = "REJECTS"
FEEDBACK: Final = "FEEDBACK"

# Published by `notify` and kept in no stream.
WAKE_UPS: Final = "deliver"

NOBODY: Final = "_"
"""The person token of a message that names nobody, or of a sender that does not care for order."""

PATTERNS: Final = {
    EVENTS: "angarium.events.*.*",
    DECISIONS: "angarium.decisions.*",
    REPORTS: "angarium.reports.*.*.*",
    REJECTS: "angarium.rejects.*",
    FEEDBACK: "angarium.feedback.*",
}
"""Stream name → the subjects that it takes, one `*` a token."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STREAM_AND_TOKENS = {
    pattern.split(".")[1]: (stream, pattern.count("*")) for stream, pattern in PATTERNS.items()
}


def events_subject(workspace: str, token: str) -> str:
    """Where events go. `token` is the same for the same person: `person_token(id)`, or `_`."""
    return _subject("events", workspace, token)


def decisions_subject(workspace: str) -> str:
    """Where "this person should get this campaign" goes."""
    return _subject("decisions", workspace)


def deliver_subject(channel: str) -> str:
    """Where the wake-ups of a channel's workers go; no stream keeps them."""
    return _subject(WAKE_UPS, channel)


def reports_subject(workspace: str, channel: str, status: str) -> str:
    """Where every change of a delivery is told."""
    return _subject("reports", workspace, channel, status)


def rejects_subject(workspace: str) -> str:
    """Where it is told what was not stored, and why."""
    return _subject("rejects", workspace)


def feedback_subject(workspace: str) -> str:
    """Where opens, clicks, unsubscribes and providers' callbacks go."""
    return _subject("feedback", workspace)


def events_filter(partition: int) -> str:
    """The subjects under which EVENTS stores one partition's messages."""
    return f"angarium.events.{int(partition)}.*.*"


def stored_subject(stream: str, partitions: int) -> str | None:
    """How a stream rewrites subjects as it stores a message; None: not at all."""
    if stream != EVENTS:
        return None
    partition = f"{{{{partition({partitions},1,2)}}}}"
    return f"angarium.events.{partition}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}"


def workspace_of(subject: str) -> str:
    """The workspace in a subject as a stream stored it.

    EVENTS puts the partition before it: `angarium.events.<partition>.<workspace>.<token>`.
    """
    parts = subject.split(".")
    return parts[3] if parts[1] == "events" else parts[2]


def person_token(id: str) -> str:
    """A token for a person's id (user id, or anonymous id): the same id gives the same token.

    It is the first 32 hexadecimal digits of SHA-256 over the id's UTF-8 bytes, so that any
    publisher in any language can make it.
    """
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def partition_of(workspace: str, token: str, partitions: int) -> int:
    """The partition into which EVENTS puts a subject: 0 … partitions - 1.

    It is the server's own rule for `partition(n,1,2)`: FNV-1a (32 bits) over the tokens put
    together, modulo n.
    """
    if partitions == 1:
        return 0
    digest = 0x811C9DC5
    for byte in f"{workspace}{token}".encode():
        digest = (digest ^ byte) * 0x01000193 & 0xFFFFFFFF
    return digest % partitions


def stream_of(subject: str) -> str:
    """The stream that takes this subject.

    Raises BadToken if no stream does, so that nothing odd ever reaches the network.
    """
    root, _, rest = subject.partition(".")
    kind, _, rest = rest.partition(".")
    stream, count = _STREAM_AND_TOKENS.get(kind, ("", 0))
    tokens = rest.split(".")
    if root != "angarium" or len(tokens) != count:
        raise BadToken("no stream takes this subject; build subjects with core.bus.subjects")
    for token in tokens:
        _checked(token)
    return stream


def check_wake_up(subject: str) -> None:
    """Raise BadToken unless this is a wake-up's subject, or `angarium.deliver.*` for all."""
    prefix, _, token = subject.rpartition(".")
    if prefix != f"angarium.{WAKE_UPS}":
        raise BadToken("not a wake-up's subject; build it with deliver_subject()")
    if token != "*":
        _checked(token)


def _subject(*parts: str) -> str:
    return ".".join(("angarium", *(_checked(part) for part in parts)))


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise BadToken(
            f"{token[:20]!r} cannot be part of a subject: use 1 to 64 of A-Z a-z 0-9 _ and -"
        )
    return token
