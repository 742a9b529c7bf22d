"""What a server may say of one recipient, and what that must mean."""

from dataclasses import dataclass

ADDRESS = "mina@shop.example"


@dataclass(frozen=True)
class Case:
    """`status` None: nothing is to follow from it."""

    name: str
    action: str
    code: str
    diagnostic: str
    status: str | None
    dead: bool = False


CASES = (
    Case("unknown", "failed", "5.1.1", "550 5.1.1 No such user here", "bounced", True),
    Case(
        "unknown, in many words",
        "failed",
        "5.1.1",
        "550 5.1.1 The account that you tried to reach does not exist. Please double-check it",
        "bounced",
        True,
    ),
    Case("unknown, in Persian", "failed", "5.1.1", "550 5.1.1 چنین نشانی نیست", "bounced", True),
    Case("no domain", "failed", "5.1.2", "550 5.1.2 Host not found", "bounced", True),
    Case("no syntax", "failed", "5.1.3", "501 5.1.3 Bad address syntax", "bounced", True),
    Case("moved", "failed", "5.1.6", "551 5.1.6 Has moved, no address left", "bounced", True),
    Case("takes no mail", "failed", "5.1.10", "556 5.1.10 Null MX", "bounced", True),
    Case("summary is vague", "failed", "5.0.0", "550 5.1.1 Unknown user", "bounced", True),
    Case("no code of its own", "failed", "5.0.0", "550 No such user", "bounced"),
    Case("ambiguous", "failed", "5.1.4", "553 5.1.4 Address is ambiguous", "bounced"),
    Case("disabled", "failed", "5.2.1", "550 5.2.1 The account is disabled", "bounced"),
    Case("full for good", "failed", "5.2.2", "552 5.2.2 Over quota", "bounced"),
    Case("too large", "failed", "5.3.4", "552 5.3.4 Message too big", "bounced"),
    Case("no route", "failed", "5.4.4", "550 5.4.4 Nowhere to send it", "bounced"),
    Case("loop", "failed", "5.4.6", "554 5.4.6 Too many hops", "bounced"),
    Case("bad sequence", "failed", "5.5.1", "503 5.5.1 Bad sequence", "bounced"),
    Case("policy", "failed", "5.7.1", "550 5.7.1 Refused by policy", "bounced"),
    Case("not authentic", "failed", "5.7.26", "550 5.7.26 DMARC says no", "bounced"),
    Case(
        "spam, called unknown", "failed", "5.1.1", "550 5.1.1 Rejected: looks like spam", "bounced"
    ),
    Case(
        "a list, called unknown", "failed", "5.1.1", "550 5.1.1 Your host is blocklisted", "bounced"
    ),
    Case("full, called unknown", "failed", "5.1.1", "550 5.1.1 Mailbox is full", "bounced"),
    Case("sender, called unknown", "failed", "5.1.1", "550 5.1.1 sender refused", "bounced"),
    Case("summary says unknown", "failed", "5.1.1", "554 5.7.1 Access denied", "bounced"),
    Case("an address, no code", "failed", "5.7.0", "550 5.1.1.20 is not welcome", "bounced"),
    Case("given up", "failed", "4.4.1", "451 4.4.1 No answer from host", "undelivered"),
    Case("full too long", "failed", "4.2.2", "452 4.2.2 Mailbox full", "undelivered"),
    Case("soft, called hard", "failed", "5.0.0", "450 4.2.1 Try again later", "undelivered"),
    Case("late", "delayed", "4.4.1", "451 4.4.1 No answer from host", None),
    Case("late, called unknown", "delayed", "4.1.1", "450 4.1.1 Unknown for now", None),
    Case("late, with a hard code", "delayed", "5.1.1", "550 5.1.1 No such user", None),
    Case("arrived", "delivered", "2.1.5", "250 2.1.5 Ok", None),
    Case("relayed", "relayed", "2.1.9", "250 2.1.9 Relayed", None),
    Case("expanded", "expanded", "2.1.5", "250 2.1.5 Expanded", None),
)
