"""All subjects, with what is said on them: the source of the documentation."""

from typing import Final, Literal

import msgspec

from angarium.core.bus import payloads, subjects
from angarium.core.bus.payloads import Schema

Direction = Literal["in", "out", "inside"]


class Entry(msgspec.Struct, frozen=True):
    """A kind of subject. `{workspace}` and the like stand for one token each.

    direction: `in` is for any service to publish, `out` for any service to subscribe to, `inside`
    is between our own processes. stream: None if nothing keeps it.
    """

    name: str
    address: str
    stream: str | None
    direction: Direction
    about: str
    bodies: dict[str, Schema]


PARAMETERS: Final = {
    "workspace": "The workspace; `default` unless there are several.",
    "person": (
        "The same for the same person: the first 32 hexadecimal digits of SHA-256 over the user "
        "id, or the anonymous id (UTF-8); `_` if you have none. It keeps a person's messages in "
        "order."
    ),
    "channel": "The channel: `email`, `sms`, `push`, `web_push`, or one of a plugin.",
    "status": "The new state of the delivery, or the reaction.",
}

ENTRIES: Final = (
    Entry(
        "events",
        "angarium.events.{workspace}.{person}",
        subjects.EVENTS,
        "in",
        "What people do and who they are: one message, a batch, or an array of those.",
        {"message": payloads.MESSAGE, "batch": payloads.BATCH, "array": payloads.ARRAY},
    ),
    Entry(
        "decisions",
        "angarium.decisions.{workspace}",
        subjects.DECISIONS,
        "in",
        "This person should get this campaign.",
        {"decision": payloads.DECISION},
    ),
    Entry(
        "reports",
        "angarium.reports.{workspace}.{channel}.{status}",
        subjects.REPORTS,
        "out",
        "Every change of every delivery, and every reaction to one.",
        {"report": payloads.REPORT},
    ),
    Entry(
        "rejects",
        "angarium.rejects.{workspace}",
        subjects.REJECTS,
        "out",
        "What was not stored, and why.",
        {"reject": payloads.REJECT},
    ),
    Entry(
        "feedback",
        "angarium.feedback.{workspace}",
        subjects.FEEDBACK,
        "in",
        "What recipients and providers say of a message that was sent.",
        {"feedback": payloads.FEEDBACK},
    ),
    Entry(
        "deliver",
        "angarium.deliver.{channel}",
        None,
        "inside",
        "A wake-up for the workers of a channel. It may be lost: they look by themselves as well.",
        {"wakeUp": payloads.WAKE_UP},
    ),
)
