"""Complaints as the feedback loops of big mailbox providers write them (RFC 5965), from a table.

Each loop has its own idea of what to tell and what to hide; what all of them return is the mail,
whole or its headers, and that is where the return path is.
"""

from base64 import encodebytes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from quopri import encodestring

from tests.channels.bounces.cases import ADDRESS


@dataclass(frozen=True)
class Loop:
    """What a loop writes: its fields, and the headers of the mail that it returns."""

    name: str
    fields: str
    returned: str
    kind: str = "message/rfc822"


LOOPS = (
    Loop(
        "yahoo",
        "User-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\nOriginal-Mail-From: <{to}>\n"
        "Original-Rcpt-To: {reader}\nReceived-Date: Sun, 22 Nov 2026 10:00:00 PST\n"
        "Reported-Domain: shop.example\nAuthentication-Results: mx.yahoo.example; dkim=pass",
        "From: news@shop.example",
    ),
    Loop(
        "aol",
        "User-Agent: AOL SComp\nVersion: 0.1\nReceived-Date: Sun, 22 Nov 2026 10:00:00 -0500\n"
        "Source-IP: 192.0.2.7\nReported-Domain: shop.example\nRedacted-Address: redacted",
        "Return-Path: <{to}>\nFrom: news@shop.example\nTo: redacted@aol.example",
    ),
    Loop(
        "outlook",
        "User-Agent: JMRP/1.0\nVersion: 1\nSource-IP: 192.0.2.7\nOriginal-Rcpt-To: <{reader}>",
        "X-HmXmrOriginalRecipient: {reader}\nReturn-Path: {to}\nFrom: news@shop.example",
    ),
    Loop(
        "comcast",
        "User-Agent: ReturnPathFBL/1.0\nVersion: 1\nOriginal-Mail-From: {to}\n"
        "Original-Rcpt-To: {reader}\nArrival-Date: Sun, 22 Nov 2026 10:00:00 +0000",
        "From: news@shop.example",
        "text/rfc822-headers",
    ),
    Loop(
        "fastmail",
        "User-Agent: FMFBL/1.0\nVersion: 0.1\nOriginal-Envelope-Id: 17\n"
        "Original-Mail-From: {upper}\nSource: Cyrus",
        "From: news@shop.example",
    ),
    Loop(
        "cfbl",
        "User-Agent: Example/1.0\nVersion: 1",
        "CFBL-Address: {to}; report=arf\nCFBL-Feedback-ID: 17\nFrom: news@shop.example",
        "text/rfc822-headers",
    ),
)
KINDS: Mapping[str, str | None] = {
    "abuse": "complained",
    "fraud": "complained",
    "opt-out": "unsubscribed",
    "opt-out-list": "unsubscribed",
    "not-spam": None,
    "miscategorized": None,
}
SUBJECTS: Mapping[str, str] = {
    "plain": "Abuse report",
    "persian": "گزارش هرزنامه",
    "encoded": "=?utf-8?b?2q/Ysdin2LHYtA==?=",
    "windows-1256": "=?windows-1256?q?=C8=D1=D1=D3?=",
    "unknown": "=?x-none?q?=FF=FE?=",
}
WAYS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "as it is": lambda text: ("7bit", text),
    "base64": lambda text: ("base64", encodebytes(text.encode()).decode()),
    "quoted": lambda text: ("Quoted-Printable", encodestring(text.encode()).decode()),
}


def write(loop: Loop, kind: str, way: str, subject: str, to: str) -> bytes:
    names = {"to": to, "upper": to.upper(), "reader": ADDRESS}
    encoding, body = WAYS[way](f"Feedback-Type: {kind}\n{loop.fields.format(**names)}\n")
    charset = "x-none" if subject == "unknown" else "utf-8"
    return f"""From: <feedback@{loop.name}.example>
To: fbl@shop.example
Subject: {SUBJECTS[subject]}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
 boundary="{loop.name}_=_1"

--{loop.name}_=_1
Content-Type: text/plain; charset="{charset}"

متن
--{loop.name}_=_1
Content-Type: message/feedback-report
Content-Transfer-Encoding: {encoding}

{body}
--{loop.name}_=_1
Content-Type: {loop.kind}
Content-Disposition: inline

{loop.returned.format(**names)}
Subject: {SUBJECTS["encoded"]}

متن
--{loop.name}_=_1--
""".encode()


@dataclass(frozen=True)
class Complaint:
    """`status` None: nothing is to follow from it."""

    name: str
    write: Callable[[str], bytes]
    status: str | None
    dead: bool = False


def _complaints() -> Iterator[Complaint]:
    ways, subjects = list(WAYS), list(SUBJECTS)
    for place, loop in enumerate(LOOPS):
        for number, (kind, status) in enumerate(KINDS.items()):
            how = (ways[(place + number) % len(ways)], subjects[(place + number) % len(subjects)])
            name = f"{loop.name}, {kind}, {', '.join(how)}"
            yield Complaint(name, partial(write, loop, kind, *how), status)


COMPLAINTS = tuple(_complaints())
