"""What a mail that came back means for its message, whichever way it reached us."""

from typing import Literal

import msgspec

from angarium.channels._bounces import read_report
from angarium.channels._verp import ReturnPath
from angarium.plugins import StatusUpdate

Kind = Literal["news", "unknown", "other"]
"""News of a message; a report on none that we know of, perhaps forged; neither bounce nor complaint
(an answer, "I am away", a report that it is only late)."""


class Returned(msgspec.Struct, frozen=True):
    """One mail; `update` with `news` only."""

    kind: Kind
    update: StatusUpdate | None = None


def read_returned(raw: bytes, return_path: ReturnPath | None, recipient: str = "") -> Returned:
    """Raises ValueError if it is no mail.

    `recipient`: the address it was delivered to, where the mail server tells it beside the mail.
    """
    report = read_report(raw, recipient)
    if report is None:
        return Returned("other")
    key = return_path.find(report.named_in) if return_path else ""
    if not key:
        return Returned("unknown")
    reason = f"email_smtp: the mail came back ({report.code})" if report.code else ""
    update = StatusUpdate(
        status=report.status, key=key, reason=reason, address_dead=report.address_dead
    )
    return Returned("news", update)
