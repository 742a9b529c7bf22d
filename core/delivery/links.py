"""Links in messages: open pixel, clicks, unsubscribe.

A token says which delivery and what kind of link, and carries a MAC; where a click leads stands in
the delivery's own record, so that no token and no query can send anybody elsewhere (G13.97, 98).
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from hashlib import blake2b
from html import escape, unescape
from typing import Literal

import msgspec

Kind = Literal["open", "click", "unsubscribe"]

_LETTERS: dict[Kind, str] = {"open": "o", "click": "c", "unsubscribe": "u"}
_KINDS: dict[str, Kind] = {letter: kind for kind, letter in _LETTERS.items()}
_PATHS: dict[Kind, str] = {"open": "/o/{}.gif", "click": "/c/{}", "unsubscribe": "/u/{}"}

MAC_BYTES = 10
TOKEN_LETTERS = 200
LINKS_TRACKED = 200
"""In one message; further links lead where they lead, uncounted."""

_HREF = re.compile(r"""(<a\b[^>]{0,2000}?\bhref\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s]", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class LinkTarget(msgspec.Struct, frozen=True):
    """What a token stands for. index: of a click, which of the delivery's links."""

    kind: Kind
    delivery: str
    index: int = 0


class Links:
    """Makes and reads the links of one instance."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        """`public_url`: what links begin with, without a slash at the end.

        `secret`: at most 64 bytes; the MAC is a keyed BLAKE2b (RFC 7693).
        """
        self._keyed = blake2b(key=secret, digest_size=MAC_BYTES)
        self._public_url = public_url.rstrip("/")

    def open_pixel(self, delivery: str) -> str:
        """The address of a picture that tells of an opening."""
        return self._url(LinkTarget("open", delivery))

    def click(self, delivery: str, index: int) -> str:
        """The address that counts a click and leads to the delivery's link `index`."""
        return self._url(LinkTarget("click", delivery, index))

    def unsubscribe(self, delivery: str) -> str:
        """The address where its recipient withdraws from the channel (RFC 8058)."""
        return self._url(LinkTarget("unsubscribe", delivery))

    def read(self, token: str) -> LinkTarget | None:
        """What a token stands for; None unless it was made here, every bit of it."""
        if len(token) > TOKEN_LETTERS:
            return None
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (BadBase64, ValueError):
            return None
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)) or _text(raw) != token:
            return None
        letter, index, delivery = body.decode().split(":", 2)
        return LinkTarget(_KINDS[letter], delivery, int(index))

    def _url(self, target: LinkTarget) -> str:
        body = f"{_LETTERS[target.kind]}:{target.index}:{target.delivery}".encode()
        path = _PATHS[target.kind].format(_text(body + self._mac(body)))
        return self._public_url + path

    def _mac(self, body: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(body)
        return keyed.digest()


def track_html(html: str, delivery: str, links: Links, unsubscribe: str) -> tuple[str, list[str]]:
    """`html` with its web links counted and an open pixel at the end, and where they lead.

    Only `href`s of anchors that lead to the web are changed; `unsubscribe` stays itself.
    """
    targets: list[str] = []

    def replace(anchor: re.Match[str]) -> str:
        target = unescape(anchor[2][1:-1]).strip()
        own = target == unsubscribe or not _WEB.match(target)
        if own or (len(targets) >= LINKS_TRACKED and target not in targets):
            return anchor[0]
        if target not in targets:
            targets.append(target)
        return f'{anchor[1]}"{escape(links.click(delivery, targets.index(target)))}"'

    tracked = _HREF.sub(replace, html)
    pixel = f'<img src="{escape(links.open_pixel(delivery))}" width="1" height="1" alt="">'
    end = _last(_BODY_END, tracked)
    return tracked[:end] + pixel + tracked[end:], targets


def track_link(link: str, delivery: str, links: Links, unsubscribe: str, targets: list[str]) -> str:
    """A web link's counted address, where it leads being added to `targets`; others stay."""
    if link == unsubscribe or not _WEB.match(link):
        return link
    if link not in targets:
        if len(targets) >= LINKS_TRACKED:
            return link
        targets.append(link)
    return links.click(delivery, targets.index(link))


def _last(pattern: re.Pattern[str], text: str) -> int:
    found = [match.start() for match in pattern.finditer(text)]
    return found[-1] if found else len(text)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
