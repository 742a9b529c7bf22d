"""The same reports in other writings: encodings, charsets, subjects and line ends as they occur."""

import re
from base64 import encodebytes
from collections.abc import Callable, Mapping
from quopri import encodestring

from tests.channels.bounces.cases import Case
from tests.channels.bounces.servers import postfix, sendmail

_STATUS = re.compile(rb"Content-Type: message/delivery-status\n\n(.*?)\n(?=--0A1)", re.DOTALL)


def _with_status(case: Case, to: str, kind: str, way: str) -> bytes:
    raw = postfix(case, to)
    found = _STATUS.search(raw)
    assert found is not None
    body = {"base64": encodebytes, "quoted-printable": encodestring}.get(way, bytes)(found[1])
    head = f"Content-Type: {kind}\nContent-Transfer-Encoding: {way}\n\n".encode()
    return raw[: found.start()] + head + body + b"\n" + raw[found.end() :]


def in_base64(case: Case, to: str) -> bytes:
    return _with_status(case, to, "message/delivery-status", "base64")


def in_quoted_printable(case: Case, to: str) -> bytes:
    return _with_status(case, to, "Message/Delivery-Status; name=status.txt", "quoted-printable")


def worldwide(case: Case, to: str) -> bytes:
    """RFC 6533: addresses and words in UTF-8."""
    kind = "message/global-delivery-status; charset=utf-8"
    return _with_status(case, to, kind, "8bit").replace(b"; mina@", "; مینا@".encode())


def persian(case: Case, to: str) -> bytes:
    """A subject that nobody encoded, and a text in the charset of old Windows."""
    raw = postfix(case, to)
    raw = raw.replace(
        b"Undelivered Mail Returned to Sender", "پیام شما نرسید".encode("cp1256", "replace")
    )
    return raw.replace(b"text/plain; charset=utf-8", b'text/plain; charset="windows-1256"').replace(
        b"This is the mail system", "این سامانه‌ی پست است".encode("cp1256", "replace")
    )


def encoded_subject(case: Case, to: str) -> bytes:
    subject = b"=?windows-1256?B?x+zHxw==?=\n =?utf-16?q?=FE=FF=06=33?= =?bad?z?x?="
    return postfix(case, to).replace(b"Undelivered Mail Returned to Sender", subject)


def other_line_ends(case: Case, to: str) -> bytes:
    """CRLF in the report, bare LF in what a gateway put before it."""
    head, _, body = sendmail(case, to).partition(b"\n\n")
    return head + b"\n\n" + body.replace(b"\n", b"\r\n")


def capital(case: Case, to: str) -> bytes:
    """Names and words in capitals, with blanks where they may stand."""
    raw = postfix(case, to)
    for name in (b"Final-Recipient:", b"Action:", b"Status:", b"Diagnostic-Code:"):
        raw = raw.replace(name, name.upper() + b"  ")
    action = case.action.encode()
    return raw.replace(b"ACTION:   " + action, b"ACTION: " + action.upper())


WRITINGS: Mapping[str, Callable[[Case, str], bytes]] = {
    "base64": in_base64,
    "quoted-printable": in_quoted_printable,
    "global": worldwide,
    "persian": persian,
    "encoded subject": encoded_subject,
    "mixed line ends": other_line_ends,
    "capital": capital,
}
