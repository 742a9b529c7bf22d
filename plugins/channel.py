"""The kinds of channel: what people opt in to, whoever delivers on it."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import msgspec

from angarium.plugins.addresses import parse_email
from angarium.plugins.message import EmailContent, PushContent, SmsContent

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MEMBERS_OF_CONTENT = ("order", "fallback")
ATTRIBUTE_LETTERS = 50

ConsentDefault = Literal["opted_in", "unset"]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A medium: where its addresses come from, which opt-in rules it, what a message holds.

    `name` is lower case with underscores, at most 32 characters: "email", "web_push".
    """

    name: str
    consent_attribute: str
    """The profile attribute, true or false, by which people opt in: "email_opt_in"."""
    consent_default: ConsentDefault
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
        for mistake in _mistakes(self):
            raise ValueError(f"the channel {self.name}: {mistake}")


def _mistakes(channel: Channel) -> Iterator[str]:
    """What would show only when somebody is to be reached, or wants to be left alone."""
    if channel.name in _MEMBERS_OF_CONTENT:
        yield "a campaign's content has a member of this name; choose another"
    if not 1 <= len(channel.consent_attribute) <= ATTRIBUTE_LETTERS:
        yield f"consent_attribute has 1 to {ATTRIBUTE_LETTERS} letters"
    if len(channel.address_attribute) > ATTRIBUTE_LETTERS:
        yield f"address_attribute has at most {ATTRIBUTE_LETTERS} letters"
    if channel.consent_attribute == channel.address_attribute:
        yield "consent_attribute and address_attribute must differ"
    if channel.consent_default not in get_args(ConsentDefault):
        yield "consent_default is opted_in or unset"
    if inspect.iscoroutinefunction(channel.parse_address):
        yield "parse_address must be a plain function"
    yield from _mistakes_in_content(channel)


def _mistakes_in_content(channel: Channel) -> Iterator[str]:
    struct: Any = channel.content
    if not (inspect.isclass(struct) and issubclass(struct, msgspec.Struct)):
        yield "content must be a msgspec struct"
        return
    config = struct.__struct_config__
    if config.array_like or config.omit_defaults:
        yield "content must be neither array_like nor omit_defaults"
    for kind in ("html_fields", "link_fields"):
        for name in set(getattr(channel, kind)).difference(struct.__struct_encode_fields__):
            yield f"{kind} names {name}, which is no field of {struct.__name__}"


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
