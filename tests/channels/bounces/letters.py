"""Returned mail that is no RFC 3464 report: letters, complaints, and what is neither."""

from dataclasses import dataclass

from tests.channels.bounces.cases import ADDRESS
from tests.channels.bounces.servers import ORIGINAL


@dataclass(frozen=True)
class Letter:
    """`text` holds {to}, where it was sent; `status` None: nothing is to follow from it."""

    name: str
    text: str
    status: str | None
    dead: bool = False


def qmail(words: str, *, kind: str = "permanent error; I've given up") -> str:
    return f"""Return-Path: <>
From: MAILER-DAEMON@qmail.example
To: {{to}}
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a {kind}. Sorry it didn't work out.

<{ADDRESS}>:
{words}

--- Below this line is a copy of the message.

{ORIGINAL}
550 5.1.1 is written in the message itself
"""


def exim(words: str, *, recipients: str = ADDRESS, kind: str = "a permanent error") -> str:
    return f"""Return-path: <>
X-Failed-Recipients: {recipients}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@old.example>
To: {{to}}
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is {kind}. The following address(es) failed:

  {ADDRESS}
    {words}

------ This is a copy of the message, including all the headers. ------

{ORIGINAL}
"""


def complaint(kind: str, *, named: str = "Original-Mail-From: <{to}>", to: str = "fbl@x") -> str:
    return f"""From: <feedback@provider.example>
To: {to}
Subject: FW: news
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="arf"

--arf
Content-Type: text/plain

This is an email abuse report.
--arf
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider-Feedback/1.0
Version: 1
{named}
Arrival-Date: Sun, 22 Nov 2026 10:00:00 GMT

--arf
Content-Type: message/rfc822

{ORIGINAL}
Hello
--arf--
"""


def reply(*headers: str, body: str = "I am away until Monday.") -> str:
    return "\n".join(
        ["From: <mina@shop.example>", "To: {to}", "Subject: Re: news", *headers, "", body, ""]
    )


_RETURNED = complaint("abuse", named="X: y").replace(
    "From: <news@", "Return-Path: <{to}>\nFrom: <news@"
)
_READ = """Content-Type: multipart/report; report-type=disposition-notification; boundary=mdn

--mdn
Content-Type: message/disposition-notification

Final-Recipient: rfc822; mina@shop.example
Disposition: automatic-action/MDN-sent-automatically; deleted
--mdn--"""

LETTERS = (
    Letter("qmail unknown", qmail("550 5.1.1 no mailbox here"), "bounced", True),
    Letter("qmail own words", qmail("Sorry, no mailbox by that name. (#5.1.1)"), "bounced", True),
    Letter("qmail no host", qmail("Sorry, no such host. (#5.1.2)"), "bounced", True),
    Letter("qmail no code", qmail("Sorry, it didn't work out."), "bounced"),
    Letter("qmail full", qmail("552 5.2.2 over quota"), "bounced"),
    Letter("qmail spam", qmail("550 5.1.1 rejected as spam"), "bounced"),
    Letter("qmail two codes", qmail("550 5.1.1 gone\n550 5.7.1 go away"), "bounced"),
    Letter("qmail late", qmail("Connection timed out.", kind="warning"), None),
    Letter(
        "qmail from a person",
        qmail("(#5.1.1)").replace("<>", "<a@b>", 1).replace("MAIL", "A"),
        None,
    ),
    Letter("exim unknown", exim("SMTP error: 550 5.1.1 unknown user"), "bounced", True),
    Letter("exim no code", exim("Unrouteable address"), "bounced"),
    Letter("exim policy", exim("SMTP error: 550 5.7.1 refused"), "bounced"),
    Letter("exim several", exim("550 5.1.1 unknown", recipients="a@b, c@d"), None),
    Letter("exim late", exim("451 4.4.1 no answer", kind="a warning"), None),
    Letter("abuse", complaint("abuse"), "complained"),
    Letter("abuse, other case", complaint("Abuse"), "complained"),
    Letter("fraud", complaint("fraud"), "complained"),
    Letter("abuse to the path", complaint("abuse", named="X: y", to="{to}"), "complained"),
    Letter("abuse, returned mail tells", _RETURNED, "complained"),
    Letter("opt-out", complaint("opt-out"), "unsubscribed"),
    Letter("not spam", complaint("not-spam"), None),
    Letter("virus", complaint("virus"), None),
    Letter("did not authenticate", complaint("auth-failure"), None),
    Letter("something else", complaint("other"), None),
    Letter("no kind", complaint(""), None),
    Letter("away", reply("Auto-Submitted: auto-replied"), None),
    Letter("away, old", reply("X-Autoreply: yes", "Precedence: bulk"), None),
    Letter("away, null path", reply("Return-Path: <>", "Auto-Submitted: auto-replied"), None),
    Letter("answer", reply(body="Thank you! 550 5.1.1 was my old house number."), None),
    Letter(
        "answer that quotes a bounce", reply(body="> 550 5.1.1 No such user\nwhat is that?"), None
    ),
    Letter("has left the firm", reply("Return-Path: <>", body="5.1.1 I have left the firm."), None),
    Letter("read receipt", reply("Return-Path: <>", _READ), None),
    Letter("challenge", reply("Return-Path: <>", body="Please confirm that you are human"), None),
    Letter("empty report", reply("Content-Type: multipart/report; boundary=x"), None),
    Letter("report without boundary", reply("Content-Type: multipart/report"), None),
)
