"""What a service decides: this person should get this campaign."""

from typing import Any

import msgspec


class Decision(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A message of the DECISIONS stream (docs/nats-subjects.md).

    not_before, expires: RFC 3339. data: for templates.
    """

    decision_id: str
    campaign: str
    user_id: str
    channel: str | None = None
    data: dict[str, Any] | None = None
    not_before: str | None = None
    expires: str | None = None
    test: bool = False
    request_id: str | None = None
