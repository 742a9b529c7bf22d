"""What mail that came back says: bounces (RFC 3464) and complaints (RFC 5965); all else nothing.

Mail that is returned is written by strangers' servers, and by strangers. So an address is called
dead only where every word agrees: the report is one of failure, its code is one of those that mean
"there is no such address", and nothing in it speaks of spam, policy or a full mailbox.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from angarium.channels._mail_parts import Part, children, read_fields, read_mail, walk

DEAD: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""No such mailbox, no such domain, no such syntax, moved away, no such recipient (RFC 3463, 7505;
5.1.10 also as Exchange uses it). 5.2.1 is not among them: it is said of busy mailboxes too."""

_ENVELOPE: Final = ("to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_OTHER_REASON: Final = re.compile(
    r"spam|block|black.?list|reputation|polic|\bspf\b|\bdkim\b|\bdmarc\b|\brate\b|quota|\bfull\b"
    r"|temporar|greylist|grey-list|rela(?:y|ying)\b|authenticat|\bsender\b|suspicious|content"
)
_REPLY: Final = re.compile(
    r"(?:[\w.-]{1,60}\s*;)?[\s<\"']*([245]\d\d)[ -]\s*#?(?:([245]\.\d{1,3}\.\d{1,3})(?![\d.]))?"
)
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE_IN_TEXT: Final = re.compile(r"(?:\b5\d\d[ -]|\(#)\s*#?(5\.\d{1,3}\.\d{1,3})(?![\d.])")
_COPY_BELOW: Final = re.compile(r"^--[^\n]{0,100}?(?:copy of|original message)", re.M | re.I)
_DAEMON: Final = re.compile(r"mailer-daemon|postmaster|mail delivery", re.IGNORECASE)
_MOST_TEXT: Final = 16_384

Word = Literal["bounced", "undelivered", "complained", "unsubscribed"]
_FEEDBACK: Final[Mapping[str, Word]] = {
    "abuse": "complained",
    "fraud": "complained",
    "opt-out": "unsubscribed",
    "opt-out-list": "unsubscribed",
}


class Report(msgspec.Struct, frozen=True):
    """What one mail reports. `named_in`: where the return path of our message may be found."""

    status: Word
    code: str
    address_dead: bool
    named_in: Sequence[str]


def read_report(raw: bytes, recipient: str = "") -> Report | None:
    """What a mail says of one of ours; None: nothing. Raises ValueError if it is no mail.

    `recipient`: the address it was delivered to, where the mail server tells it beside the mail.
    """
    mail = read_mail(raw)
    envelope = [recipient, *(value for name in _ENVELOPE for value in mail.headers.get(name, ()))]
    for part in walk(mail):
        if part.type == "multipart/report":
            return _read_parts(part, envelope)
    return _read_letter(mail, envelope)


def _read_parts(report: Part, envelope: list[str]) -> Report | None:
    parts = children(report)
    for part in parts:
        if part.type in ("message/delivery-status", "message/global-delivery-status"):
            return _read_delivery_status(part.text(), envelope)
        if part.type == "message/feedback-report":
            return _read_complaint(part.text(), parts, envelope)
    return None


def _read_delivery_status(text: str, envelope: list[str]) -> Report | None:
    """RFC 3464: one block about the message, then one about each recipient."""
    blocks = [read_fields(block) for block in re.split(r"\n[ \t]*\n", text[:_MOST_TEXT])]
    ends = [_end(block) for block in blocks if "action" in block]
    if not ends or None in ends:
        return None
    found = [end for end in ends if end is not None]
    # Of an address that stands for several, some may have got it.
    soft = next((code for code in found if not code.startswith("5")), "")
    sender = [value for block in blocks for value in block.get("x-postfix-sender", ())]
    said = [value for block in blocks for value in block.get("diagnostic-code", ())]
    return Report(
        "undelivered" if soft else "bounced",
        soft or found[0],
        all(code in DEAD for code in found) and not _OTHER_REASON.search(" ".join(said).lower()),
        [*envelope, *sender],
    )


def _end(block: Mapping[str, list[str]]) -> str | None:
    """The code of a recipient that will not be tried again; None: it will, or has got it."""
    if block["action"][0].partition(" ")[0].lower() != "failed":
        return None
    status = _STATUS.match(block.get("status", [""])[0])
    code = status[1] if status else "5.0.0"
    for diagnostic in block.get("diagnostic-code", ()):
        reply = _REPLY.match(diagnostic)
        if reply is not None:
            # The words of the server itself; what stands in Status may be anybody's summary.
            digit = reply[1][0]
            code = reply[2] or (code if code.startswith(digit) else f"{digit}.0.0")
    return code


def _read_complaint(text: str, parts: Sequence[Part], envelope: list[str]) -> Report | None:
    """RFC 5965. Reports of what did not authenticate (RFC 6591) are no complaint."""
    fields = read_fields(text[:_MOST_TEXT])
    word = _FEEDBACK.get(fields.get("feedback-type", [""])[0].lower())
    if word is None:
        return None
    about = [value for values in fields.values() for value in values]
    returned = [
        value
        for part in parts
        if part.type in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers")
        for name, values in read_fields(part.text().partition("\n\n")[0]).items()
        if name in ("return-path", "cfbl-address")
        for value in values
    ]
    return Report(word, "", False, [*envelope, *about, *returned])


def _read_letter(mail: Part, envelope: list[str]) -> Report | None:
    """Bounces from before RFC 3464, as qmail and old Exims write them; nothing else is one."""
    returned = mail.header("return-path").strip()
    if returned != "<>" and not _DAEMON.search(mail.header("from")):
        return None
    text = mail.text()[:_MOST_TEXT]
    below = _COPY_BELOW.search(text)
    text = text[: below.start()] if below else text
    if not any(_letters(mail, text)):
        return None
    codes = _CODE_IN_TEXT.findall(text)
    dead = bool(codes) and all(code in DEAD for code in codes)
    return Report(
        "bounced",
        codes[0] if codes else "5.0.0",
        dead and not _OTHER_REASON.search(text.lower()),
        envelope,
    )


def _letters(mail: Part, text: str) -> Iterator[bool]:
    yield text.startswith("Hi. This is the") and "permanent error" in text
    failed = mail.header("x-failed-recipients")
    yield bool(failed) and "," not in failed and "permanent error" in text
