"""Reports about one recipient, built as the big mail servers build them (RFC 3464)."""

from base64 import encodebytes
from collections.abc import Callable, Mapping
from quopri import encodestring
from textwrap import wrap

from tests.channels.bounces.cases import ADDRESS, Case

ORIGINAL = f"""From: <news@shop.example>
To: <{ADDRESS}>
Subject: =?utf-8?b?2LPZhNin2YU=?=
Message-ID: <dlv_other@shop.example>
"""


def postfix(case: Case, to: str) -> bytes:
    folded = "\n    ".join(wrap(f"smtp; {case.diagnostic}", 60))
    return f"""Return-Path: <>
Received: by mx.example (Postfix)
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="0A1.1700000000/mx.example"
Content-Transfer-Encoding: 8bit

This is a MIME-encapsulated message.

--0A1.1700000000/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

This is the mail system at host mx.example. <{ADDRESS}>: {case.diagnostic}

--0A1.1700000000/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 0A1
X-Postfix-Sender: rfc822; {to}
Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; {ADDRESS}
Original-Recipient: rfc822;{ADDRESS}
Action: {case.action}
Status: {case.code}
Remote-MTA: dns; in.example
Diagnostic-Code: {folded}

--0A1.1700000000/mx.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

{ORIGINAL}
Hello
--0A1.1700000000/mx.example--
""".encode()


def exim(case: Case, to: str) -> bytes:
    status = "5.0.0" if case.action == "failed" and case.code[0] == "5" else case.code
    return f"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@exim.example>
To: {to}
X-Failed-Recipients: {ADDRESS}
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary=1700-eximdsn-42
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1700-eximdsn-42
Content-type: text/plain; charset=us-ascii

A message that you sent came to this end: {case.diagnostic}

--1700-eximdsn-42
Content-type: message/delivery-status

Reporting-MTA: dns; exim.example

Action: {case.action}
Final-Recipient: rfc822;{ADDRESS}
Status: {status}
Remote-MTA: dns; in.example
Diagnostic-Code: smtp; {case.diagnostic}

--1700-eximdsn-42
Content-type: message/rfc822

Return-path: <{to}>
{ORIGINAL}
--1700-eximdsn-42--
""".encode()


def exchange(case: Case, to: str) -> bytes:
    words = encodebytes(f"Your message to {ADDRESS}: {case.diagnostic}".encode()).decode()
    return (
        f"""From: <postmaster@corp.example>
To: <{to}>
Date: Sun, 22 Nov 2026 10:00:00 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="_000_e1"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Subject: Undeliverable: hello
Auto-Submitted: auto-replied

--_000_e1
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="_000_e2"

--_000_e2
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

{words}
--_000_e2--

--_000_e1
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.corp.example
Received-From-MTA: dns;mx.example
Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0000

Original-Recipient: rfc822;{ADDRESS}
Final-Recipient: rfc822;{ADDRESS}
Action: {case.action}
Status: {case.code}
Diagnostic-Code: smtp;{case.diagnostic}
X-Display-Name: Mina

--_000_e1
Content-Type: message/rfc822

{ORIGINAL}
--_000_e1--
""".replace("\n", "\r\n")
    ).encode()


def gmail(case: Case, to: str) -> bytes:
    number, _, rest = case.diagnostic.partition(" ")
    code = f"{rest.split(' ')[0]} " if rest[:1].isdigit() else ""
    return f"""Return-Path: <>
To: {to}
Auto-Submitted: auto-replied
Content-Type: multipart/report; boundary="00000000000042"; report-type=delivery-status
From: Mail Delivery Subsystem <mailer-daemon@mail.example>
Subject: Delivery Status Notification
X-Failed-Recipients: {ADDRESS}

--00000000000042
Content-Type: multipart/related; boundary="00000000000043"

--00000000000043
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

{encodestring(f"<b>{case.diagnostic}</b>".encode()).decode()}
--00000000000043--
--00000000000042
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Arrival-Date: Sun, 22 Nov 2026 02:00:00 -0800 (PST)
X-Original-Message-ID: <dlv_other@shop.example>

Final-Recipient: rfc822; {ADDRESS}
Action: {case.action}
Status: {case.code}
Remote-MTA: dns; in.example. (192.0.2.7, the server for the domain.)
Diagnostic-Code: smtp; {number}-{rest}
 {number} {code}learn more at https://support.example/?p=x
Last-Attempt-Date: Sun, 22 Nov 2026 02:00:01 -0800 (PST)

--00000000000042
Content-Type: message/rfc822

{ORIGINAL}
--00000000000042--
""".encode()


def sendmail(case: Case, to: str) -> bytes:
    return f"""Return-Path: <MAILER-DAEMON@unix.example>
From: Mail Delivery Subsystem <MAILER-DAEMON@unix.example>
To: <{to}>
MIME-Version: 1.0
Content-Type: MULTIPART/REPORT; REPORT-TYPE=delivery-status;
    BOUNDARY="xAM.1/unix.example"
Subject: Returned mail: see transcript for details
Auto-Submitted: auto-generated (failure)

--xAM.1/unix.example

   ----- The following addresses had errors -----
<{ADDRESS}>
>>> DATA
<<< {case.diagnostic}

--xAM.1/unix.example
Content-Type: Message/Delivery-Status

Reporting-MTA: DNS; unix.example
Arrival-Date: Sun, 22 Nov 2026 10:00:00 GMT

Final-Recipient: RFC822; {ADDRESS}
Action: {case.action}
Status: {case.code}
Diagnostic-Code: SMTP; {case.diagnostic}
Last-Attempt-Date: Sun, 22 Nov 2026 10:00:01 GMT

--xAM.1/unix.example
Content-Type: text/rfc822-headers

{ORIGINAL}
--xAM.1/unix.example--
""".encode()


def wrapped(case: Case, to: str) -> bytes:
    """As a mail scanner passes it on: the report is a part of something else."""
    head, _, body = postfix(case, to).partition(b"\nContent-Type: ")
    kind, _, parts = body.partition(b"\n\n")
    return b"".join(
        [
            head,
            b'\nContent-Type: multipart/mixed; boundary="scan"\n\n--scan\nContent-Type: text/plain',
            b"\n\nscanned\n--scan\nContent-Type: ",
            kind,
            b"\n\n",
            parts,
            b"\n--scan--\n",
        ]
    )


SERVERS: Mapping[str, Callable[[Case, str], bytes]] = {
    "postfix": postfix,
    "exim": exim,
    "exchange": exchange,
    "gmail": gmail,
    "sendmail": sendmail,
    "scanner": wrapped,
}
