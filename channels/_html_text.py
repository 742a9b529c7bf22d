"""The plain text of an HTML message, for those who read no HTML; and the direction it is read in.

Read by a scanner of its own: the standard library's parser takes ten times as long, and for some
pages its time grows with the square of their length. This one looks at each letter a few times.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

_SILENT: Final = ("style", "script", "title", "template")
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "center", "dd", "div", "dl", "dt", "footer", "form", "header"}
    | {"li", "main", "nav", "pre", "section", "tr", "table", "tbody", "thead", "tfoot", "caption"}
)
_SPACED: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "hr", "blockquote", "figure"}
)
_LINKS: Final = ("http://", "https://", "mailto:", "tel:")

_TAG: Final = re.compile(r"<(/?[a-z][a-z0-9]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_SIMPLE_TAG: Final = re.compile(r"<(/?[a-z][a-z0-9]*)([^>]*)>", re.IGNORECASE)
_VALUE: Final = re.compile(
    r"\b(?:href|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE
)
_SPACE: Final = re.compile("[ \t\r\n\f\u00a0]+")

_MARKUP: Final = re.compile(r"<[^<>]*>")
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEFT_TO_RIGHT: Final = re.compile("[A-Za-z\u00c0-\u024f\u0370-\u052f]")
_PERSIAN: Final = re.compile("[پچژگکی]")
_DIRECTED: Final = re.compile(r"\bdir\s?=|\bdirection\s?:\s?rtl", re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)
_END: Final = re.compile(r"</(?:body|html)\b", re.IGNORECASE)


def html_to_text(html: str) -> str:
    """What the HTML says: links as `words (url)`, lists with dashes, cells apart; no markup."""
    page = _Page()
    for tag, value, words in _tokens(html):
        if tag.startswith("/"):
            page.close(tag[1:])
        elif tag:
            page.open(tag, value)
        else:
            page.say(words)
    return page.text()


def set_direction(html: str) -> str:
    """HTML that is mostly Persian, Arabic or Hebrew and says no direction, read right to left."""
    if _RIGHT_TO_LEFT.search(html) is None or _DIRECTED.search(html) is not None:
        return html
    words = html
    for begin, end in (("<!--", "-->"), *((f"<{tag}", f"</{tag}") for tag in _SILENT)):
        words = _without(words, begin, end)
    words = _MARKUP.sub(" ", words)
    if len(_RIGHT_TO_LEFT.findall(words)) <= len(_LEFT_TO_RIGHT.findall(words)):
        return html
    language = ' lang="fa"' if _PERSIAN.search(words) else ""
    body = _BODY.search(html)
    start = body.end() if body else 0
    closing = _END.search(html, start)
    stop = closing.start() if closing else len(html)
    return f'{html[:start]}<div dir="rtl"{language}>{html[start:stop]}</div>{html[stop:]}'


def _without(html: str, begin: str, end: str) -> str:
    if begin not in html.lower():
        return html
    lower, pieces, at = html.lower(), [""], 0
    while (start := lower.find(begin, at)) >= 0:
        pieces.append(html[at:start])
        stop = lower.find(end, start)
        at = len(html) if stop < 0 else stop + len(end)
    return " ".join([*pieces, html[at:]])


def _tokens(html: str) -> Iterator[tuple[str, str, str]]:
    """(tag in lower case, with "/" if it ends; its href or alt; "") or ("", "", words)."""
    pattern, lower, at = _TAG, html.lower(), 0
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield "", "", unescape(html[at:start])
        match = pattern.match(html, start)
        if match is None and (match := _SIMPLE_TAG.match(html, start)) is not None:
            pattern = _SIMPLE_TAG  # a quotation mark is never closed: from here on, none counts
        if match is None:
            at = _skip(html, lower, start)
            if at == start + 1:
                yield "", "", "<"
            continue
        tag, at = match[1].lower(), match.end()
        if tag in _SILENT:
            end = lower.find(f"</{tag}", at)
            at = len(html) if end < 0 else end
            continue
        value = _VALUE.search(match[2]) if tag in ("a", "img") else None
        yield tag, unescape(value[1] or value[2] or value[3] or "") if value else "", ""
    if at < len(html):
        yield "", "", unescape(html[at:])


def _skip(html: str, lower: str, start: int) -> int:
    """Where to go on after `<` that begins no element: past a comment, or a declaration."""
    if html.startswith("<!--", start):
        end = html.find("-->", start)
        return len(html) if end < 0 else end + 3
    if lower[start + 1 : start + 2] in ("!", "?", "/") or lower[start + 1 : start + 2].isalpha():
        end = html.find(">", start)
        return len(html) if end < 0 else end + 1
    return start + 1


class _Page:
    """Collects words. `_breaks`, `_gap`: the line ends, or the space, that the next is owed."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._breaks = 0
        self._gap = ""
        self._lists: list[int] = []
        self._link = ""
        self._link_from = 0

    def text(self) -> str:
        return "".join(self._words)

    def open(self, tag: str, value: str) -> None:
        self._part(tag)
        match tag:
            case "br":
                self._breaks += 1
            case "ul" | "ol":
                self._lists.append(-1 if tag == "ul" else 0)
            case "li":
                self._begin_item()
            case "a":
                self._link, self._link_from = value.strip(), len(self._words)
            case "img":
                self.say(value)
            case _:
                pass

    def close(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "a":
            self._end_link()
        elif tag in ("td", "th"):
            self._gap = "  "
        self._part(tag)

    def say(self, data: str) -> None:
        words = _SPACE.sub(" ", data)
        if words[:1] == " " and not self._gap:
            self._gap = " "
        said = words.strip(" ")
        if said:
            self._add(said)
            self._gap = " " if words[-1] == " " else ""

    def _add(self, words: str) -> None:
        if self._words:
            self._words.append("\n" * min(self._breaks, 2) or self._gap)
        self._words.append(words)
        self._breaks = 0

    def _part(self, tag: str) -> None:
        if tag in _BLOCKS or (tag in ("ul", "ol") and self._lists):
            self._breaks = max(self._breaks, 1)
        elif tag in _SPACED:
            self._breaks = max(self._breaks, 2)

    def _begin_item(self) -> None:
        mark = "-"
        if self._lists and self._lists[-1] >= 0:
            self._lists[-1] += 1
            mark = f"{self._lists[-1]}."
        self._add("  " * (len(self._lists) - 1) + mark)
        self._gap = " "

    def _end_link(self) -> None:
        url, self._link = self._link, ""
        if not url.lower().startswith(_LINKS):
            return
        said = "".join(self._words[self._link_from :]).strip()
        shown = url.removeprefix("mailto:").removeprefix("tel:")
        if shown != said:
            gap, self._gap = self._gap, " "
            self._add(f"({shown})" if said else shown)
            self._gap = gap
