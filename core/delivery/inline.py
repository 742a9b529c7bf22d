"""Move the rules of `<style>` into the elements they style: many mail programs read no style sheet.

Done once for each version of a template, before anything is filled in. Liquid is hidden from the
HTML parser meanwhile; where it does not come back in the order it stood in, or nothing can be
gained, the template stays as it was. Nothing is ever fetched.
"""

import re
from collections.abc import Iterator
from typing import Final

from css_inline import CSSInliner, InlineError

from angarium.core.delivery.templates import LETTERS

MOST_WORK: Final = 3_000_000
"""Rules times tags: a quarter of a second. What is beyond it keeps its style sheet."""
MOST_TAGS: Final = 4_000
"""Were they all nested, the parser would still not run out of stack: that takes 10,000."""

_HOLE: Final = re.compile(r"\{\{|\{%")
_MARKUP: Final = re.compile(r"<!--|<(style|script|title|textarea)\b|<(?=[a-z/!?])", re.IGNORECASE)
_HIDDEN: Final = re.compile(r"<!--lq(\d+)z-->|lq(\d+)z(?:=\"\")?")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_ENDINGS: Final = ("-->", "</script", "</title", "</textarea")
_CLOSING: Final = {"{{": "}}", "{%": "%}", "<!--": "-->", "<": ">"}


class _Unclosed(ValueError):
    """Something begins and does not end: looking further would take a look at all the rest."""


def inline_css(html: str) -> str:
    """The HTML template with its rules inlined; those for small screens and hovering stay."""
    if "<style" not in html.lower() or "lq0z" in html:
        return html
    try:
        return _inlined(html)
    except (_Unclosed, InlineError):
        return html


def _inlined(html: str) -> str:
    holes = [html[start:end] for start, end in _spans(_HOLE, html)]
    hidden, styles, tags = _hide(html)
    in_style = set(_numbers(styles))
    if any(holes[number].startswith("{%") for number in (*in_style, *_numbers(tags))):
        return html
    count = hidden.count("<")
    rules = styles.count("{") + styles.count(",")
    if count > MOST_TAGS or rules * count > MOST_WORK:
        return html
    inliner = CSSInliner(
        load_remote_stylesheets=False, keep_style_tags=True, remove_inlined_selectors=True
    )
    inlined = inliner.inline(hidden)
    kept = [number for number in _numbers(inlined) if number not in in_style]
    if kept != [number for number in range(len(holes)) if number not in in_style]:
        return html
    shown = _HIDDEN.sub(lambda match: holes[int(match[1] or match[2])], inlined)
    return shown if len(shown) <= LETTERS else html


def _hide(html: str) -> tuple[str, str, str]:
    """Liquid as comments between elements, where a table may hold them; as words elsewhere.

    Then the style sheets, and what stands in tags but not in quotes: the parser sorts attributes,
    so that what depends on a condition could leave it.
    """
    pieces: list[str] = []
    at = 0
    for number, (start, end) in enumerate(_spans(_HOLE, html)):
        pieces += [html[at:start], f"lq{number}z"]
        at = end
    words = "".join([*pieces, html[at:]])
    hidden: list[str] = []
    styles: list[str] = []
    tags: list[str] = []
    at = 0
    for start, end in _spans(_MARKUP, words):
        markup = words[start:end]
        hidden += [_as_comments(words[at:start]), markup]
        if markup[:6].lower() == "<style":
            styles.append(markup)
        elif not markup.endswith(_ENDINGS):
            tags.append(_QUOTED.sub("", markup))
        at = end
    return "".join([*hidden, _as_comments(words[at:])]), "".join(styles), "".join(tags)


def _spans(opening: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Where each construct begins and ends, none inside another. Raises _Unclosed."""
    lower = text.lower()
    at = 0
    while (match := opening.search(text, at)) is not None:
        closing = _CLOSING.get(match[0]) or f"</{match[1].lower()}"
        at = lower.find(closing, match.end())
        if at < 0:
            raise _Unclosed
        at += len(closing)
        yield match.start(), at


def _as_comments(text: str) -> str:
    return re.sub(r"lq\d+z", r"<!--\g<0>-->", text)


def _numbers(text: str) -> list[int]:
    return [int(match[1] or match[2]) for match in _HIDDEN.finditer(text)]
