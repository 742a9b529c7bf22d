"""What a vendor tells us later, as it came and as we understand it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Status = Literal[
    "accepted",
    "failed",
    "delivered",
    "undelivered",
    "bounced",
    "expired",
    "shown",
    "opened",
    "clicked",
    "dismissed",
    "complained",
    "unsubscribed",
]


class CallbackRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to `/callbacks/{provider}`, unread and unverified."""

    method: str
    """POST; or GET, of gateways that put everything into the address."""
    url: str
    """In full, as the vendor called it (some sign it): public_url, path and query."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """By name in lower case."""
    body: bytes = b""
    at: int = 0
    """When it came, in milliseconds since 1970: to refuse what was signed too long ago."""


class StatusUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a vendor says about one message.

    The message is named by `provider_id`, or by `key` if the vendor gives ours back. An
    `unsubscribed` that answers no message of ours (an SMS "STOP") has only the `address`.
    """

    status: Status
    provider_id: str = ""
    key: str = ""
    address: str = ""
    at: int = 0
    """When it happened, in milliseconds since 1970; 0: not told."""
    id: str = ""
    """The vendor's own id of this update, if any: the same one twice has no second effect."""
    reason: str = ""
    address_dead: bool = False
    """With `undelivered`, `bounced`, `failed`: nothing will ever arrive there; suppress it."""
