"""What the command status of a submit_sm_resp means (SMPP 3.4 §5.1.3).

Any status but 0 says that the message was not taken. Those that the specification does not name
are the vendor's own: nobody knows what they mean, so the message is tried again, and given up in
time by the caller.
"""

from collections.abc import Mapping
from typing import Final

from angarium.plugins import PermanentFailure, TemporaryFailure

MISCONFIGURED_SECONDS: Final = 300.0

DEAD: Final = frozenset({0x0B})  # ESME_RINVDSTADR
_PAUSES: Final[Mapping[int, tuple[float, str]]] = {
    0x58: (1.0, "throttled"),  # ESME_RTHROTTLED
    0x14: (5.0, "the queue is full"),  # ESME_RMSGQFUL
    0x08: (10.0, "the service centre failed"),  # ESME_RSYSERR
    0x04: (10.0, "not bound as it should be"),  # ESME_RINVBNDSTS
    0x0A: (MISCONFIGURED_SECONDS, "the sender is refused; check from"),
    0x48: (MISCONFIGURED_SECONDS, "the sender's type is refused; check from_ton"),
    0x49: (MISCONFIGURED_SECONDS, "the sender's plan is refused; check from_npi"),
    0x15: (MISCONFIGURED_SECONDS, "the service type is refused; check service_type"),
    0x62: (MISCONFIGURED_SECONDS, "the time limit is refused; set validity to false"),
    0x07: (MISCONFIGURED_SECONDS, "the wish for a receipt is refused; set receipts to false"),
    0x50: (MISCONFIGURED_SECONDS, "the recipient's type is refused"),
    0x51: (MISCONFIGURED_SECONDS, "the recipient's plan is refused"),
}
_LATER: Final = frozenset({0x45, 0x64, 0xFF})  # RSUBMITFAIL, RX_T_APPN, RUNKNOWNERR
_NAMED: Final = 0x100  # from here on the specification names none


def read_refusal(status: int) -> TemporaryFailure | PermanentFailure:
    """The failure that a status other than 0 means."""
    shown = f"(0x{status:02x})"
    if status in _PAUSES:
        seconds, meaning = _PAUSES[status]
        return TemporaryFailure(f"sms_smpp: {meaning} {shown}", seconds, pause=True)
    if status in DEAD:
        return PermanentFailure(f"sms_smpp: there is no such number {shown}", address_dead=True)
    if status in _LATER or status >= _NAMED:
        return TemporaryFailure(f"sms_smpp: not now {shown}")
    return PermanentFailure(f"sms_smpp: refused {shown}")
