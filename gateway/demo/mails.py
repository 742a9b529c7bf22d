"""Read what the mail catcher caught, as the people who got it would."""

import email
import email.policy
import re
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import msgspec

from angarium.gateway.mailcatcher import Caught

_LINK: Final = re.compile(r'href="([^"]+/c/[^"]+)"')
_PIXEL: Final = re.compile(r'src="([^"]+/o/[^"]+)"')

_decode = msgspec.json.Decoder(Caught).decode


class Mail(msgspec.Struct, frozen=True):
    """One mail. opening, unsubscribing: addresses, "" where it has none; links: those counted."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    opening: str
    links: Sequence[str]
    unsubscribing: str

    @property
    def is_persian(self) -> bool:
        return 'dir="rtl"' in self.html


def count_mails(log: Path) -> int:
    """How many mails the catcher has written down."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def read_mails(log: Path) -> list[Mail]:
    """All of them, in the order in which they came."""
    lines = log.read_bytes().splitlines() if log.exists() else []
    return [_read(_decode(line)) for line in lines]


def _read(caught: Caught) -> Mail:
    message = email.message_from_string(caught.raw, policy=email.policy.default)
    html = _part(message, "html")
    opening = _PIXEL.search(html)
    return Mail(
        to=caught.rcpt[0],
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=html,
        opening=opening[1] if opening else "",
        links=_LINK.findall(html),
        unsubscribing=str(message["List-Unsubscribe"] or "").strip("<>"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
