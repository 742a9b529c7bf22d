"""A campaign's definition (api.md, Campaign): read with every fault at once, then never changed."""

from collections.abc import Collection, Mapping
from typing import Any, Literal, cast

import msgspec

from angarium.config.limits import NAME_LENGTH
from angarium.core.campaigns.content import CheckTemplate, Content, Writing, read_content
from angarium.core.campaigns.hours import ActiveHours
from angarium.core.campaigns.schedule import LONGEST, OnEvent, read_hours, read_send_at
from angarium.core.events.times import SECOND
from angarium.core.segments.conditions import Condition, InvalidDefinition, read_condition
from angarium.core.segments.reader import Reader, child

MESSAGES_MOST = 1_000
"""Of one campaign for one person in the time of its limit."""

FIELDS = (
    "name",
    "class",
    "audience",
    "leave_cancels",
    "send_at",
    "active_hours",
    "limit",
    "expires_after",
    "codes",
    "content",
)
NEEDED = ("name", "send_at", "content")


class FrequencyCap(msgspec.Struct, frozen=True):
    """At most so many messages for each person in `within` ms."""

    per_person: int
    within: int


class CampaignDefinition(msgspec.Struct, frozen=True):
    """A campaign as its author wants it; durations in ms.

    audience: None for everyone. expires_after: None where the author said nothing. raw: the
    definition as it was given, which the API gives back. codes: the id or the name of the list that
    promo codes come from; "" for none.
    """

    name: str
    class_: Literal["marketing", "transactional"]
    audience: Condition | None
    leave_cancels: bool
    send_at: OnEvent
    active_hours: ActiveHours | None
    limit: FrequencyCap | None
    expires_after: int | None
    content: Content
    raw: Mapping[str, Any]
    codes: str = ""


def parse_campaign(
    body: bytes | str | Mapping[str, Any],
    *,
    channels: Collection[str] | None = None,
    check_template: CheckTemplate | None = None,
) -> CampaignDefinition:
    """The definition that `body` (JSON, or what it decodes to) stands for.

    Raises InvalidDefinition with every fault. `channels`: the names of those there are, and
    `check_template`: raises ValueError for a template that cannot be rendered; each None when a
    definition that was checked before is read again from the store.
    """
    reader = Reader()
    raw = _decode(body)
    fields = reader.fields(raw, "", FIELDS, NEEDED)
    if fields is None:
        raise InvalidDefinition(reader.faults)
    definition = _read(reader, fields, raw, Writing(reader, channels, check_template))
    reader.finish()
    assert definition is not None  # else a fault was noted
    return definition


def _decode(body: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(body, Mapping):
        return body
    try:
        return cast("Mapping[str, Any]", msgspec.json.decode(body))
    except RecursionError as error:
        raise InvalidDefinition([("", "is nested too deeply")]) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidDefinition([("", "is not valid JSON")]) from error


def _read(
    reader: Reader, fields: dict[str, Any], raw: Mapping[str, Any], writing: Writing
) -> CampaignDefinition | None:
    name = reader.text(fields["name"], "/name", NAME_LENGTH) if "name" in fields else None
    class_ = reader.choice(
        fields.get("class", "marketing"), "/class", ("marketing", "transactional")
    )
    audience = None
    if "audience" in fields:
        audience = read_condition(reader, fields["audience"], "/audience", writing.channels)
    leave_cancels = reader.flag(fields.get("leave_cancels", False), "/leave_cancels")
    if leave_cancels and "audience" not in fields:
        reader.fault("/leave_cancels", "has no meaning without an audience; add one")
    send_at = read_send_at(reader, fields["send_at"], "/send_at") if "send_at" in fields else None
    hours = None
    if "active_hours" in fields:
        hours = read_hours(reader, fields["active_hours"], "/active_hours")
    limit = _limit(reader, fields["limit"], "/limit") if "limit" in fields else None
    expires_after = None
    if "expires_after" in fields:
        value = fields["expires_after"]
        expires_after = reader.duration(value, "/expires_after", SECOND, LONGEST)
    codes = _codes(reader, fields)
    content = read_content(writing, fields["content"], "/content") if "content" in fields else None
    if name is None or send_at is None or content is None:
        return None
    return CampaignDefinition(
        name=name,
        class_=cast("Literal['marketing', 'transactional']", class_),
        audience=audience,
        leave_cancels=leave_cancels,
        send_at=send_at,
        active_hours=hours,
        limit=limit,
        expires_after=expires_after,
        content=content,
        raw=raw,
        codes=codes,
    )


def _codes(reader: Reader, fields: Mapping[str, Any]) -> str:
    if "codes" not in fields:
        return ""
    return reader.text(fields["codes"], "/codes", NAME_LENGTH) or ""


def _limit(reader: Reader, value: object, pointer: str) -> FrequencyCap | None:
    fields = reader.fields(value, pointer, ("per_person", "within"), ("per_person", "within"))
    if not fields or len(fields) < 2:
        return None
    return FrequencyCap(
        reader.count(fields.get("per_person"), child(pointer, "per_person"), 1, MESSAGES_MOST),
        reader.duration(fields.get("within"), child(pointer, "within"), SECOND, LONGEST),
    )
