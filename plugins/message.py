"""What a provider is given, and what it answers.

The content structs have the shape of `content.<channel>` in a campaign, and refuse fields that
they do not know. By the time a provider sees one, every text in it has been rendered.
"""

from datetime import timedelta
from typing import Any

import msgspec


class EmailContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An email: `html`, `text`, or both. `sender` ("from" in a campaign) is `Name <address>`."""

    subject: str
    html: str = ""
    text: str = ""
    sender: str = msgspec.field(default="", name="from")
    reply_to: str = ""


class SmsContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text message, of any number of parts."""

    text: str


class Button(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A button under a notification; `id` comes back with the click."""

    id: str
    title: str
    link: str = ""


class PushContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notification on a phone or in a browser.

    `silent` ones carry `data` only and show nothing; `live` ones are drawn by an app that is open,
    and delivered now or never. A later one with the same `collapse` replaces the earlier. `ttl`
    ("PT1H") is how long the push service may try; the deadline says the rest. Where `track` is
    false, web links are not counted.
    """

    title: str = ""
    body: str = ""
    image: str = ""
    link: str = ""
    buttons: tuple[Button, ...] = ()
    data: dict[str, Any] = {}
    silent: bool = False
    live: bool = False
    collapse: str = ""
    ttl: timedelta | None = None
    track: bool = True


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one address. Instants are milliseconds since 1970, UTC.

    Its `repr` shows neither address nor content: it may be logged.
    """

    key: str
    """The idempotency key: the same for every attempt at the same delivery, and for no other."""
    address: str
    """Where it goes, as the channel's `parse_address` gave it."""
    content: Any
    """An instance of the channel's content struct: EmailContent, SmsContent, PushContent, …"""
    deadline: int = 0
    """After this instant it is of no use to the recipient; 0: none."""
    at: int = 0
    """When it was handed over: providers read no clock."""
    test: bool = False
    """A test send: real, but to somebody who asked for it."""
    delivery: str = ""
    """The id of the delivery ("dlv_…"), as reports and callbacks name it."""
    unsubscribe_url: str = ""
    """Takes the recipient off by one POST (RFC 8058); "" for what nobody can unsubscribe from."""

    def __repr__(self) -> str:
        kind = type(self.content).__name__
        return f"Message(key={self.key!r}, delivery={self.delivery!r}, content=<{kind}>)"

    def __rich_repr__(self) -> Any:
        yield "key", self.key
        yield "delivery", self.delivery


class Accepted(msgspec.Struct, frozen=True):
    """The provider took the message; `provider_id` is what it calls it in callbacks."""

    provider_id: str
