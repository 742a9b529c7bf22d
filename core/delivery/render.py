"""Make a provider's message out of a campaign's content and one person's facts (S1.16).

A content is the struct of its channel: every text in it is a template. It is taken apart once for
each campaign version (`Design`), and put together for each person.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import msgspec

from angarium.core.campaigns.content import leads_astray
from angarium.core.delivery.inline import inline_css
from angarium.core.delivery.links import Links, track_html, track_link
from angarium.core.delivery.record import CODE, Delivery
from angarium.core.delivery.templates import RenderFailed, Templates, names_in
from angarium.plugins import Channel, Message

MARKETING: Final = "marketing"

_TEXTS: Final = frozenset({"html", "text", "body"})
"""Fields of many lines; in all others a line break would be a header's end (G13.78)."""
_BREAKS: Final = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SPEAKING: Final = ("html", "text", "body", "title", "data")


Part: TypeAlias = "str | int | float | bool | list[Part] | dict[str, Part] | None"
"""A member of a content, as in the campaign's JSON."""


_PLANNED: Final[tuple[str, ...]] = ("event", "data", CODE)

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Design(msgspec.Struct, frozen=True):
    """A channel's content of one campaign version: what stays as it is, and what is filled in.

    uses_code: a promo code is among that.
    """

    channel: Channel
    fixed: Mapping[str, Part]
    holes: Mapping[str, Part]
    uses_code: bool = False


class Draft(msgspec.Struct):
    """One person's message while it is made; at the end it has a `message` or a `failure`.

    scope: what templates see, but for `links`. links: the targets of its tracked links, by index.
    """

    design: Design
    delivery: Delivery
    scope: Mapping[str, Any]
    address: str
    unsubscribe: str = ""
    parts: dict[str, Part] = {}
    links: list[str] = []
    message: Message | None = None
    failure: RenderFailed | None = None


def design(channel: Channel, content: Mapping[str, Any]) -> Design:
    """Check a content (as in the campaign's JSON) against its channel. Raises ValueError."""
    checked = msgspec.json.encode(msgspec.convert(content, channel.content))
    parts: dict[str, Part] = msgspec.json.decode(checked)
    for name in channel.html_fields:
        if isinstance(html := parts[name], str):
            parts[name] = inline_css(html)
    holes = {name: part for name, part in parts.items() if _has_holes(part)}
    fixed = {name: _one_line(name, part) for name, part in parts.items() if name not in holes}
    return Design(channel, fixed, holes, uses(CODE, holes))


def uses(name: str, part: Part) -> bool:
    """Whether any template in a content, or a part of one, reads `name`."""
    if isinstance(part, str):
        return name in part and _has_holes(part) and name in names_in(part)
    if isinstance(part, dict):
        return any(uses(name, value) for value in part.values())
    return isinstance(part, list) and any(uses(name, value) for value in part)


class Renderer:
    """Renders for one worker; parsed templates are kept by `templates`."""

    def __init__(self, templates: Templates, links: Links) -> None:
        self._templates = templates
        self._links = links

    def render(self, drafts: Sequence[Draft], now: int) -> None:
        """Make the messages of many people; one that cannot be made spoils no other.

        Step by step for all of them, not message by message: the same few lines of code and of
        template, run in a row, take little more than half the time (docs/decisions/delivery.md).
        """
        _each(drafts, self._begin)
        for name in {name: None for draft in drafts for name in draft.design.holes}:
            _each(drafts, partial(self._fill, name))
        _each(drafts, _check)
        _each(drafts, self._track)
        _each(drafts, partial(_finish, now))

    def _begin(self, draft: Draft) -> None:
        draft.parts = dict(draft.design.fixed)
        draft.unsubscribe = self._links.unsubscribe(draft.delivery.id)
        draft.scope = {**draft.scope, "links": {"unsubscribe": draft.unsubscribe}}

    def _fill(self, name: str, draft: Draft) -> None:
        part = draft.design.holes.get(name)
        if part is not None:
            html = name in draft.design.channel.html_fields
            draft.parts[name] = _one_line(name, self._filled(part, draft.scope, html))

    def _filled(self, part: Part, scope: Mapping[str, Any], html: bool) -> Part:
        if isinstance(part, str):
            return self._templates.render(part, scope, html=html) if _has_holes(part) else part
        if isinstance(part, dict):
            return {key: self._filled(value, scope, html) for key, value in part.items()}
        if isinstance(part, list):
            return [self._filled(value, scope, html) for value in part]
        return part

    def _track(self, draft: Draft) -> None:
        for name in draft.design.channel.html_fields:
            html = draft.parts.get(name)
            if isinstance(html, str) and html:
                tracked, draft.links = track_html(
                    html, draft.delivery.id, self._links, draft.unsubscribe
                )
                draft.parts[name] = tracked
        for name in draft.design.channel.link_fields:
            draft.parts[name] = _each_link(draft.parts.get(name), partial(self._lead, draft))

    def _lead(self, draft: Draft, link: str) -> str:
        """Where a link of a notification leads; to the web by way of us, that it may be counted."""
        if leads_astray(link):
            raise RenderFailed("bad_link")
        if draft.parts.get("track") is False:
            return link
        return track_link(link, draft.delivery.id, self._links, draft.unsubscribe, draft.links)


def _each(drafts: Sequence[Draft], step: Callable[[Draft], None]) -> None:
    for draft in drafts:
        if draft.failure is None:
            try:
                step(draft)
            except RenderFailed as failure:
                draft.failure = failure


def _each_link(part: Part, change: Callable[[str], str]) -> Part:
    """A link, or a list of what has its `link`, with each of them changed."""
    if isinstance(part, str):
        return change(part)
    if isinstance(part, list):
        return [_each_link(one, change) for one in part]
    if isinstance(part, dict) and isinstance(link := part.get("link"), str):
        return {**part, "link": change(link)}
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


def scope_of(
    delivery: Delivery, campaign_name: str, attributes: Mapping[str, Any], code: str | None = None
) -> dict[str, Any]:
    """What templates see, but for `links`: of its context only what it was planned with.

    code: a promo code, where the message needs one.
    """
    context = _decode(delivery.context)
    planned = {name: context[name] for name in _PLANNED if name in context}
    if code:
        planned[CODE] = code
    return {
        **planned,
        "profile": attributes,
        "campaign": {"id": delivery.campaign, "name": campaign_name},
    }


def with_handing(
    delivery: Delivery, address: str, links: Sequence[str], code: str | None = None
) -> str:
    """The delivery's context (JSON) with what its handing over adds.

    That is the address, the targets of links, and its promo code if it has one.
    """
    context = _decode(delivery.context)
    handed = {**context, "links": links, "address": address}
    return _encode({**handed, CODE: code} if code else handed).decode()


def _finish(now: int, draft: Draft) -> None:
    try:
        content = msgspec.convert(draft.parts, draft.design.channel.content)
    except msgspec.ValidationError as error:
        raise RenderFailed(f"bad_content: {error}") from error
    delivery = draft.delivery
    draft.message = Message(
        key=delivery.id,
        address=draft.address,
        content=content,
        deadline=delivery.expires_at,
        at=now,
        test=delivery.test,
        delivery=delivery.id,
        unsubscribe_url=draft.unsubscribe if delivery.class_ == MARKETING else "",
    )


def _check(draft: Draft) -> None:
    """A message that says nothing is not sent (G13.79); one that is too long fails in Liquid."""
    speaking = [draft.parts[name] for name in _SPEAKING if name in draft.parts]
    if speaking and not any(part.strip() if isinstance(part, str) else part for part in speaking):
        raise RenderFailed("empty_message")
