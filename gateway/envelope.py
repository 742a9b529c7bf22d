"""What stands on the stream for one request: what is true of all its members, and they themselves.

Members that break a rule go along: the core looks again, and writes them into the rejects list, so
that nothing is dropped in silence (S2.12).
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from angarium.config.limits import BATCH_MESSAGES
from angarium.core.bus.subjects import NOBODY, events_subject, partition_of, person_token
from angarium.core.bus.wire import Outgoing
from angarium.core.events.message import Defaults, MessageRefused, parse_message
from angarium.core.events.times import parse_instant
from angarium.gateway.bodies import Members

UNFIT: Final = frozenset({"not_json", "too_deep"})
"""Refusals of what cannot stand inside an envelope: it would spoil all of it."""

_encode = msgspec.json.Encoder().encode


class Envelope(msgspec.Struct, frozen=True):
    """What is true of all members of a request; `received_at` in ms, `sent_at` as it came or "".

    kind: the type of members that name none. trusted: they came with a key that may join two
    known people by an alias, which a key that stands in a web page may not.
    """

    received_at: int
    request_id: str
    sent_at: str = ""
    kind: str | None = None
    trusted: bool = False

    def defaults(self) -> Defaults:
        """The same for the reader of a message."""
        return Defaults(
            received_at=self.received_at,
            type=self.kind,
            sent_at=parse_instant(self.sent_at) if self.sent_at else None,
            request_id=self.request_id,
        )

    def around(self, members: Members) -> bytes:
        """The body of a stream's message. No member is encoded anew."""
        head = (self.received_at, _encode(self.request_id), _encode(self.sent_at or None))
        tail = (_encode(self.kind), _encode(self.trusted), b",".join(members))
        return (
            b'{"receivedAt":%d,"requestId":%b,"sentAt":%b,"type":%b,"trusted":%b,"batch":[%b]}'
            % (*head, *tail)
        )


class Rejected(msgspec.Struct, frozen=True):
    """A member that breaks a rule, as the answer tells it; `field` is "" for all of it."""

    index: int
    code: str
    reason: str
    field: str


class Checked(msgspec.Struct, frozen=True):
    """The members that can go along, whom each is about ("": nobody), and what was refused."""

    members: Members
    persons: Sequence[str]
    rejected: Sequence[Rejected]


def check(members: Members, envelope: Envelope, most_bytes: int) -> Checked:
    """Look at every member. `most_bytes` is how large one may be."""
    defaults = envelope.defaults()
    fit: list[bytes] = []
    persons: list[str] = []
    rejected: list[Rejected] = []
    for index, raw in enumerate(members):
        member = bytes(raw)
        person: str | None = None
        try:
            message = parse_message(member, defaults, most_bytes=most_bytes)
            person = message.user_id or message.anonymous_id
        except MessageRefused as refused:
            rejected.append(Rejected(index, refused.code, refused.reason, refused.field))
            if refused.code in UNFIT:
                continue
        fit.append(member)
        persons.append(person or "")
    return Checked(fit, persons, rejected)


def pack(checked: Checked, envelope: Envelope, workspace: str, partitions: int) -> list[Outgoing]:
    """One message for each partition touched, the members of each in their order."""
    groups: dict[str, list[bytes | msgspec.Raw]] = {}
    if partitions == 1:
        groups[NOBODY] = list(checked.members)
    else:
        tokens: dict[int, str] = {}
        for member, person in zip(checked.members, checked.persons, strict=True):
            token = person_token(person) if person else NOBODY
            token = tokens.setdefault(partition_of(workspace, token, partitions), token)
            groups.setdefault(token, []).append(member)
    return [
        Outgoing(events_subject(workspace, token), envelope.around(part), joins=True)
        for token, members in groups.items()
        for part in _parts(members)
    ]


def _parts(members: Sequence[bytes | msgspec.Raw]) -> Iterator[Members]:
    """The core takes no more than this many in one stream message."""
    for first in range(0, len(members), BATCH_MESSAGES):
        yield members[first : first + BATCH_MESSAGES]
