"""Make a provider's message out of a campaign's content and one person's facts (S1.16).

A content is the struct of its channel: every text in it is a template. It is taken apart once for
each campaign version (`Design`), and put together for each person.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from angarium.core.delivery.links import Links, track_html
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.templates import RenderFailed, Templates
from angarium.plugins import Channel, Message

MARKETING: Final = "marketing"

_TEXTS: Final = frozenset({"html", "text", "body"})
"""Fields of many lines; in all others a line break would be a header's end (G13.78)."""
_BREAKS: Final = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SPEAKING: Final = ("html", "text", "body", "title", "data")


Part: TypeAlias = "str | int | float | bool | list[Part] | dict[str, Part] | None"
"""A member of a content, as in the campaign's JSON."""


class Design(msgspec.Struct, frozen=True):
    """A channel's content of one campaign version: what stays as it is, and what is filled in."""

    channel: Channel
    fixed: Mapping[str, Part]
    holes: Mapping[str, Part]


class Rendered(msgspec.Struct, frozen=True):
    """A message, and the targets of its tracked links by index."""

    message: Message
    links: list[str]


def design(channel: Channel, content: Mapping[str, Any]) -> Design:
    """Check a content (as in the campaign's JSON) against its channel. Raises ValueError."""
    checked = msgspec.json.encode(msgspec.convert(content, channel.content))
    parts: dict[str, Part] = msgspec.json.decode(checked)
    holes = {name: part for name, part in parts.items() if _has_holes(part)}
    return Design(channel, {n: _one_line(n, p) for n, p in parts.items() if n not in holes}, holes)


class Renderer:
    """Renders for one worker; parsed templates are kept by `templates`."""

    def __init__(self, templates: Templates, links: Links) -> None:
        self._templates = templates
        self._links = links

    def render(
        self, design: Design, delivery: Delivery, scope: Mapping[str, Any], address: str, now: int
    ) -> Rendered:
        """Raises RenderFailed: this person's message cannot be made."""
        unsubscribe = self._links.unsubscribe(delivery.id)
        seen = {**scope, "links": {"unsubscribe": unsubscribe}}
        html = design.channel.html_fields
        parts: dict[str, Part] = dict(design.fixed)
        for name, part in design.holes.items():
            parts[name] = _one_line(name, self._fill(part, seen, name in html))
        _check(parts)
        targets: list[str] = []
        for name in html:
            text = parts.get(name)
            if isinstance(text, str) and text:
                parts[name], targets = track_html(text, delivery.id, self._links)
        return Rendered(_message(design, delivery, parts, address, now, unsubscribe), targets)

    def _fill(self, part: Part, scope: Mapping[str, Any], html: bool) -> Part:
        if isinstance(part, str):
            return self._templates.render(part, scope, html=html) if _has_holes(part) else part
        if isinstance(part, dict):
            return {key: self._fill(value, scope, html) for key, value in part.items()}
        if isinstance(part, list):
            return [self._fill(value, scope, html) for value in part]
        return part


def _has_holes(part: Part) -> bool:
    if isinstance(part, str):
        return "{{" in part or "{%" in part
    if isinstance(part, dict):
        return any(_has_holes(value) for value in part.values())
    return isinstance(part, list) and any(_has_holes(value) for value in part)


def _one_line(name: str, part: Part) -> Part:
    """A line break in a title, a sender, a link would be a header's end."""
    if isinstance(part, str):
        return part if name in _TEXTS or part.isprintable() else _BREAKS.sub(" ", part)
    if isinstance(part, dict):
        return {key: _one_line(key, value) for key, value in part.items()}
    if isinstance(part, list):
        return [_one_line(name, value) for value in part]
    return part


def read_context(delivery: Delivery) -> dict[str, Any]:
    """What a delivery was planned with (`event`, `data`, `code`), and what its handing added."""
    context: dict[str, Any] = msgspec.json.decode(delivery.context)
    return context


def scope_of(
    delivery: Delivery,
    context: Mapping[str, Any],
    campaign_name: str,
    attributes: Mapping[str, Any],
) -> dict[str, Any]:
    """What templates see, but for `links`."""
    planned = {name: context[name] for name in ("event", "data", "code") if name in context}
    return {
        **planned,
        "profile": attributes,
        "campaign": {"id": delivery.campaign, "name": campaign_name},
    }


def _message(
    design: Design,
    delivery: Delivery,
    parts: Mapping[str, Any],
    address: str,
    now: int,
    unsubscribe: str,
) -> Message:
    try:
        content = msgspec.convert(parts, design.channel.content)
    except msgspec.ValidationError as error:
        raise RenderFailed(f"bad_content: {error}") from error
    return Message(
        key=delivery.id,
        address=address,
        content=content,
        deadline=delivery.expires_at,
        at=now,
        test=delivery.test,
        delivery=delivery.id,
        unsubscribe_url=unsubscribe if delivery.class_ == MARKETING else "",
    )


def _check(parts: Mapping[str, Any]) -> None:
    """A message that says nothing is not sent (G13.79); one that is too long fails in Liquid."""
    speaking = [parts[name] for name in _SPEAKING if name in parts]
    if speaking and not any(part.strip() if isinstance(part, str) else part for part in speaking):
        raise RenderFailed("empty_message")
