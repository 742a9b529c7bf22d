"""What a campaign says on each channel: templates, checked where they stand."""

import re
from collections.abc import Callable, Collection, Mapping
from html import unescape
from typing import Any, Protocol

import msgspec

from angarium.core.campaigns.schedule import LONGEST
from angarium.core.events.times import DAY, SECOND, parse_duration
from angarium.core.segments.reader import NULL, Reader, child, is_list

# Letters of a template, by what it becomes.
MAIL_LETTERS = 64 * 1024
TEXT_LETTERS = 4_096
LINE_LETTERS = 1_000
LINK_LETTERS = 2_048
SENDER_LETTERS = 320  # the longest address, RFC 3696 errata

PUSH_DAYS = 28  # how long FCM keeps a message
BUTTONS = {"push": 3, "web_push": 2}  # as many as Android and browsers show
DATA_MEMBERS = 50
PLUGIN_FIELDS = 50

REACTIONS = ("shown", "opened", "clicked")
"""By which a person shows that no other channel need be tried."""

BAD_SCHEMES = ("javascript:", "data:", "vbscript:", "file:", "blob:")
_HOLE = ("{{", "{%")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?=.)", re.IGNORECASE)
_WEB = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*["']?([^"'>]*)""", re.IGNORECASE)
_SPACES = re.compile(r"[\s\x00-\x1f]+")


class CheckTemplate(Protocol):
    """Raises ValueError, its text saying what is wrong and in which line."""

    def __call__(self, text: str, *, html: bool) -> None: ...


class Fallback(msgspec.Struct, frozen=True):
    """The next channel is tried `after` ms, unless there was one of these reactions (S1.14)."""

    after: int
    unless: frozenset[str]


class Content(msgspec.Struct, frozen=True):
    """The channels in order of preference, and what is written for each (api.md's members).

    fallback: None where the first channel that can reach the person is the only one used.
    """

    order: tuple[str, ...]
    messages: Mapping[str, Mapping[str, Any]]
    fallback: Fallback | None = None

    def lifetime(self, channel: str) -> int | None:
        """How long (ms) a message on this channel is of use by its own `ttl`; None: no word."""
        ttl = self.messages.get(channel, {}).get("ttl") if channel in PUSH_CHANNELS else None
        return parse_duration(ttl) if ttl is not None else None

    def is_live(self, channel: str) -> bool:
        """Whether it goes to an app that is open, or nowhere (S1.15)."""
        return channel in PUSH_CHANNELS and self.messages.get(channel, {}).get("live") is True


class Writing:
    """Reads templates of one campaign. channels: those there are (None: any name will do)."""

    def __init__(
        self, reader: Reader, channels: Collection[str] | None, check: CheckTemplate | None
    ) -> None:
        self.reader = reader
        self.channels = channels
        self.check = check

    def template(self, value: object, pointer: str, most: int, *, html: bool = False) -> None:
        """Text with holes in it."""
        text = self.reader.text(value, pointer, most)
        if text is None or self.check is None:
            return
        try:
            self.check(text, html=html)
        except ValueError as error:
            self.reader.fault(pointer, str(error))

    def line(self, value: object, pointer: str) -> None:
        """A title, a subject, a label."""
        self.template(value, pointer, LINE_LETTERS)

    def link(self, value: object, pointer: str) -> None:
        """Where a tap leads: a web address, or a deep link of an app."""
        if isinstance(value, str) and not _leads_somewhere(value):
            self.reader.fault(
                pointer,
                "must lead to a web page or into an app: https://shop.example/cart, shop://cart",
            )
        else:
            self.template(value, pointer, LINK_LETTERS)

    def picture(self, value: object, pointer: str) -> None:
        """The address of an image on the web."""
        if isinstance(value, str) and not value.startswith(_HOLE) and not _WEB.match(value):
            self.reader.fault(pointer, "must be an image's address, https://shop.example/a.png")
        else:
            self.template(value, pointer, LINK_LETTERS)


def leads_astray(link: str) -> bool:
    """Whether whoever follows it would run a script, or open a file."""
    return _SPACES.sub("", link).lower().startswith(BAD_SCHEMES)


def _leads_somewhere(link: str) -> bool:
    """Whether it begins as a web address or a deep link does; what a template makes is not known.

    What is empty is somebody else's fault to tell.
    """
    if not link.strip() or link.startswith(_HOLE):
        return True
    scheme = _SCHEME.match(link)
    if scheme is None or leads_astray(link):
        return False
    return _WEB.match(link) is not None or scheme[0].lower() not in ("http:", "https:")


Field = Callable[[Writing, Any, str], object]
"""Reads one member of what is written for a channel."""


def read_content(writing: Writing, value: object, pointer: str) -> Content | None:
    """`content` of a campaign."""
    reader = writing.reader
    members = reader.members(value, pointer)
    if members is None:
        return None
    fallback = None
    if "fallback" in members:
        fallback = _fallback(reader, members["fallback"], child(pointer, "fallback"))
    messages = {
        name: _read_message(writing, name, message, child(pointer, name))
        for name, message in members.items()
        if name not in ("order", "fallback")
    }
    if not messages:
        reader.fault(pointer, "says nothing; write something for a channel, such as sms or email")
    order = _order(reader, members.get("order"), messages, child(pointer, "order"))
    if "fallback" in members and len(order) < 2:
        reader.fault(child(pointer, "fallback"), "needs a second channel in order")
    return Content(order, messages, fallback)


def _fallback(reader: Reader, value: object, pointer: str) -> Fallback | None:
    fields = reader.fields(value, pointer, ("after", "unless"), ("after",))
    if not fields or "after" not in fields:
        return None
    after = reader.duration(fields["after"], child(pointer, "after"), SECOND, LONGEST)
    if "unless" not in fields:
        return Fallback(after, frozenset(REACTIONS))
    place = child(pointer, "unless")
    unless = reader.items(fields["unless"], place, len(REACTIONS))
    for index, name in enumerate(unless):
        reader.choice(name, child(place, index), REACTIONS)
    return Fallback(after, frozenset(str(name) for name in unless))


def _order(
    reader: Reader, value: object, messages: Mapping[str, Any], pointer: str
) -> tuple[str, ...]:
    if value is None:
        if len(messages) > 1:
            reader.fault(pointer, "is missing: say which channel is to be preferred")
        return tuple(messages)
    names = reader.items(value, pointer, len(messages) or 1)
    for index, name in enumerate(names):
        if not isinstance(name, str) or name not in messages:
            reader.fault(child(pointer, index), "names a channel for which nothing is written")
        elif name in names[:index]:
            reader.fault(child(pointer, index), "names a channel twice")
    return tuple(str(name) for name in names)


def _read_message(
    writing: Writing, channel: str, message: object, pointer: str
) -> Mapping[str, Any]:
    reader = writing.reader
    if writing.channels is not None and channel not in writing.channels:
        there_are = ", ".join(sorted(writing.channels))
        reader.fault(pointer, f"is no channel of this instance; there are {there_are}")
        return {}
    fields = FIELDS.get(channel)
    if fields is None:
        return _read_plugin_message(writing, message, pointer)
    written = reader.fields(message, pointer, tuple(fields))
    if written is None:
        return {}
    for name, value in written.items():
        if name in fields:
            fields[name](writing, value, child(pointer, name))
    _check_whole(reader, channel, written, pointer)
    return written


def _check_whole(reader: Reader, channel: str, written: Mapping[str, Any], pointer: str) -> None:
    """What must be there for anybody to see anything."""
    if channel == "email":
        if "subject" not in written:
            reader.fault(child(pointer, "subject"), "is missing")
        if "html" not in written and "text" not in written:
            reader.fault(pointer, "needs html or text")
    elif channel == "sms":
        if "text" not in written:
            reader.fault(child(pointer, "text"), "is missing")
    else:
        _check_push(reader, channel, written, pointer)


def _check_push(reader: Reader, channel: str, written: Mapping[str, Any], pointer: str) -> None:
    """Normal, silent (data only) or live (only while the app is open): S1.15."""
    silent, live = written.get("silent") is True, written.get("live") is True
    if channel == "web_push":
        for name, asked in (("silent", silent), ("live", live)):
            if asked:
                detail = "is for phones: browsers show a notification for every message"
                reader.fault(child(pointer, name), detail)
    elif silent and live:
        reader.fault(child(pointer, "live"), "stands beside silent; a live message may be all data")
    if silent or (live and written.get("data")):
        return
    if "title" not in written and "body" not in written:
        or_silent = ', or "silent": true' if channel == "push" else ""
        reader.fault(pointer, f"needs a title or a body{or_silent}")


def _read_plugin_message(writing: Writing, message: object, pointer: str) -> Mapping[str, Any]:
    """Of a channel that a plugin adds: every text is a template; the plugin judges the rest."""
    members = writing.reader.members(message, pointer) or {}
    if not 1 <= len(members) <= PLUGIN_FIELDS:
        writing.reader.fault(pointer, f"must be an object of 1 to {PLUGIN_FIELDS} members")
    for name, value in members.items():
        if isinstance(value, str):
            writing.template(value, child(pointer, name), MAIL_LETTERS)
        elif b"\\u0000" in msgspec.json.encode(value):
            writing.reader.fault(child(pointer, name), f"holds {NULL}")
    return members


def _html(writing: Writing, value: Any, pointer: str) -> None:
    writing.template(value, pointer, MAIL_LETTERS, html=True)
    for target in _HREF.findall(value) if isinstance(value, str) else ():
        if _SPACES.sub("", unescape(target)).lower().startswith(BAD_SCHEMES):
            writing.reader.fault(pointer, "has a link that leads neither to the web nor to an app")
            return


def _text(writing: Writing, value: Any, pointer: str) -> None:
    writing.template(value, pointer, TEXT_LETTERS)


def _mail_text(writing: Writing, value: Any, pointer: str) -> None:
    writing.template(value, pointer, MAIL_LETTERS)


def _sender(writing: Writing, value: Any, pointer: str) -> None:
    text = writing.reader.text(value, pointer, SENDER_LETTERS)
    if text is not None and not text.isprintable():
        writing.reader.fault(pointer, "must be one line, such as Shop <shop@example.org>")


def _flag(writing: Writing, value: Any, pointer: str) -> None:
    writing.reader.flag(value, pointer)


def _ttl(writing: Writing, value: Any, pointer: str) -> None:
    writing.reader.duration(value, pointer, 0, min(PUSH_DAYS * DAY, LONGEST))


def _data(writing: Writing, value: Any, pointer: str) -> None:
    members = writing.reader.members(value, pointer) or {}
    if len(members) > DATA_MEMBERS:
        writing.reader.fault(pointer, f"has {len(members)} members; {DATA_MEMBERS} are allowed")
        return
    for name, member in members.items():
        if isinstance(member, str) and member:
            writing.template(member, child(pointer, name), TEXT_LETTERS)
        elif not isinstance(member, str | bool | int | float):
            writing.reader.fault(child(pointer, name), "must be text, a number, true or false")


def _buttons_of(channel: str) -> Field:
    most = BUTTONS[channel]

    def read(writing: Writing, value: Any, pointer: str) -> None:
        if is_list(value) and len(value) <= most:
            _buttons(writing, value, pointer)
        else:
            writing.reader.fault(pointer, f"must be a list of up to {most} buttons")

    return read


def _buttons(writing: Writing, value: list[Any], pointer: str) -> None:
    seen: set[object] = set()
    for index, button in enumerate(value):
        place = child(pointer, index)
        fields = writing.reader.fields(button, place, ("id", "title", "link"), ("id", "title"))
        for name, member in (fields or {}).items():
            read = {"id": _button_id, "title": Writing.line, "link": Writing.link}.get(name)
            if read is not None:
                read(writing, member, child(place, name))
        name = str((fields or {}).get("id"))
        if name in seen:
            writing.reader.fault(child(place, "id"), "stands on another button already")
        seen.add(name)


def _button_id(writing: Writing, value: Any, pointer: str) -> None:
    writing.reader.text(value, pointer, 64)


PUSH: Mapping[str, Field] = {
    "title": Writing.line,
    "body": _text,
    "image": Writing.picture,
    "link": Writing.link,
    "buttons": _buttons_of("push"),
    "data": _data,
    "silent": _flag,
    "live": _flag,
    "collapse": Writing.line,
    "ttl": _ttl,
    "track": _flag,
}
PUSH_CHANNELS = ("push", "web_push")
FIELDS: Mapping[str, Mapping[str, Field]] = {
    "email": {
        "subject": Writing.line,
        "html": _html,
        "text": _mail_text,
        "from": _sender,
        "reply_to": _sender,
    },
    "sms": {"text": _text},
    "push": PUSH,
    "web_push": {**PUSH, "buttons": _buttons_of("web_push")},
}
"""What may be written for the channels that we know."""
