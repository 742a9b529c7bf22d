"""The kinds of channel: what people opt in to, whoever delivers on it."""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from angarium.plugins.addresses import parse_email
from angarium.plugins.message import EmailContent, PushContent, SmsContent

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A medium: where its addresses come from, which opt-in rules it, what a message holds.

    `name` is lower case with underscores, at most 32 characters: "email", "web_push".
    """

    name: str
    consent_attribute: str
    """The profile attribute, true or false, by which people opt in: "email_opt_in"."""
    consent_default: Literal["opted_in", "unset"]
    """What holds until somebody says otherwise, once an address is known: "opted_in" where giving
    the address is the consent, "unset" (nothing is sent) where a permission is asked for."""
    address_attribute: str = ""
    """The profile attribute that holds the address; "" when devices bring it (push, web push)."""
    address_kind: str
    """email, phone, device_token, push_endpoint, or a plugin's own word."""
    content: type[msgspec.Struct]
    """What `content.<name>` of a campaign is decoded into; each of its texts is a template."""
    html_fields: tuple[str, ...] = ()
    """The fields of `content` that are HTML: what is filled into them is escaped."""
    link_fields: tuple[str, ...] = ()
    """The fields of `content` that lead somewhere: a link itself, or a list of objects each with
    its `link`. Clicks on those that lead to the web are counted."""
    parse_address: Callable[[str], str] | None = None
    """Gives an address as it is stored and sent, or raises ValueError that says what is wrong.
    Absent: any text (phone numbers need the instance's region: the core reads those)."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"a channel's name is lower case letters, digits and underscores, not {self.name!r}"
            )


EMAIL = Channel(
    name="email",
    consent_attribute="email_opt_in",
    consent_default="opted_in",
    address_attribute="email",
    address_kind="email",
    content=EmailContent,
    html_fields=("html",),
    parse_address=parse_email,
)
SMS = Channel(
    name="sms",
    consent_attribute="sms_opt_in",
    consent_default="opted_in",
    address_attribute="mobile",
    address_kind="phone",
    content=SmsContent,
)
PUSH = Channel(
    name="push",
    consent_attribute="push_opt_in",
    consent_default="unset",
    address_kind="device_token",
    content=PushContent,
    link_fields=("link", "buttons"),
)
WEB_PUSH = Channel(
    name="web_push",
    consent_attribute="web_push_opt_in",
    consent_default="unset",
    address_kind="push_endpoint",
    content=PushContent,
    link_fields=("link", "buttons"),
)
BUILT_IN_CHANNELS: tuple[Channel, ...] = (EMAIL, SMS, PUSH, WEB_PUSH)
