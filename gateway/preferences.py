"""The page of preferences behind the link of every message: which channels its reader wants.

A form without scripts or cookies. The signed link is the key; it shows the names of channels and
nothing else of the person. What is chosen travels as one message of the FEEDBACK stream.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec
from litestar import Response

from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.choices import Choice, addresses_of, choices_of
from angarium.core.delivery.feedback import CONSENT, Feedback
from angarium.core.store.errors import StoreError
from angarium.core.store.outcomes import find_delivery
from angarium.core.store.recipients import find_recipients, find_suppressed
from angarium.gateway.pages import Language, document, unsubscribe_form
from angarium.gateway.parts import AllParts
from angarium.gateway.publishing import publish

FORM: Final = "application/x-www-form-urlencoded"
BODY_BYTES: Final = 4_096
FIELDS_MOST: Final = 100

TITLE: Final[Mapping[Language, str]] = {"en": "Your messages", "fa": "پیام‌های شما"}
QUESTION: Final[Mapping[Language, str]] = {
    "en": "Where do you want to hear from us?",
    "fa": "از چه راهی می‌خواهید از ما پیام بگیرید؟",
}
SAVE: Final[Mapping[Language, str]] = {"en": "Save", "fa": "ذخیره"}
SAVED: Final[Mapping[Language, tuple[str, str]]] = {
    "en": ("Saved", "Your choice holds from now on."),
    "fa": ("ذخیره شد", "انتخاب شما از هم‌اکنون رعایت می‌شود."),
}
LEAVE: Final[Mapping[Language, str]] = {
    "en": "Or leave the channel on which this message came:",
    "fa": "یا دریافت پیام از همان راهی را که این پیام آمد، لغو کنید:",
}
NAMES: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "email": "Email",
        "sms": "Text messages (SMS)",
        "push": "Notifications of the app",
        "web_push": "Notifications of the browser",
    },
    "fa": {
        "email": "ایمیل",
        "sms": "پیامک",
        "push": "اعلان‌های برنامه",
        "web_push": "اعلان‌های مرورگر",
    },
}


class Chosen(msgspec.Struct, frozen=True):
    """A form as it came back: the channels that it showed, and those that are wanted."""

    offered: frozenset[str]
    wanted: frozenset[str]


async def find_choices(parts: AllParts, delivery: str) -> Sequence[Choice]:
    """What the recipient of a delivery may choose; nothing where that cannot be known now."""
    try:
        return await _choices(parts, delivery)
    except StoreError:
        return ()


async def save_choices(parts: AllParts, delivery: str, chosen: Chosen) -> Sequence[Choice]:
    """Make what was chosen durable, and give it. Raises Refusal or StoreError: nothing is saved.

    Only what the form showed can be changed by it.
    """
    before = await _choices(parts, delivery)
    now = [
        Choice(one.channel, one.channel in chosen.wanted) if one.channel in chosen.offered else one
        for one in before
    ]
    changed = {new.channel: new.wanted for old, new in zip(before, now, strict=True) if new != old}
    if changed:
        said = Feedback(CONSENT, parts.now(), id=uuid4().hex, delivery=delivery, choices=changed)
        await publish(parts.bus, feedback_subject(parts.workspace), said)
    return now


async def _choices(parts: AllParts, delivery: str) -> Sequence[Choice]:
    async with parts.store.reading() as tx:
        found = await find_delivery(tx, parts.workspace, delivery)
        if found is None:
            return ()
        key = (parts.workspace, found.listed.profile_id)
        person = (await find_recipients(tx, {key})).get(key)
        if person is None:
            return ()
        channels = parts.plugins.channels.values()
        addresses = addresses_of(channels, person.attributes, person.contact)
        keys = {name: (parts.workspace, name, address) for name, address in addresses.items()}
        suppressed = await find_suppressed(tx, keys.values())
    # Whatever somebody wants, nothing is sent there: no page may promise it.
    reachable = {name for name, key in keys.items() if key not in suppressed}
    return choices_of(channels, person.attributes, person.contact, reachable)


def read_choices(content_type: str, body: bytes) -> Chosen | None:
    """The form; None: something else was posted, such as a mail program's one click."""
    if not content_type.lower().startswith(FORM) or len(body) > BODY_BYTES:
        return None
    try:
        fields = parse_qs(body.decode(), max_num_fields=FIELDS_MOST)
    except ValueError:
        return None
    offered = frozenset(fields.get("offered", ()))
    return Chosen(offered, frozenset(fields.get("wanted", ()))) if offered else None


def ask(language: Language, choices: Iterable[Choice]) -> Response[bytes]:
    """The page with the choices as they stand."""
    return document(language, TITLE[language], _form(language, choices))


def thank(language: Language, choices: Iterable[Choice]) -> Response[bytes]:
    """The page after they were saved."""
    title, words = SAVED[language]
    return document(language, title, f"<p>{escape(words)}</p>{_form(language, choices)}")


def _form(language: Language, choices: Iterable[Choice]) -> str:
    rows = "".join(_row(language, choice) for choice in choices)
    return (
        f'<form method="post"><fieldset><legend>{escape(QUESTION[language])}</legend>'
        f"{rows}</fieldset>"
        f"<p><button>{escape(SAVE[language])}</button></p></form>"
        f"<hr><p>{escape(LEAVE[language])}</p>{unsubscribe_form(language)}"
    )


def _row(language: Language, choice: Choice) -> str:
    name = NAMES[language].get(choice.channel, choice.channel.replace("_", " "))
    value = escape(choice.channel)
    checked = " checked" if choice.wanted else ""
    return (
        f'<input type="hidden" name="offered" value="{value}">'
        f'<label><input type="checkbox" name="wanted" value="{value}"{checked}> '
        f"{escape(name)}</label>"
    )
