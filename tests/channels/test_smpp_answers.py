"""What a service centre's status means for the message, the provider, and the address."""

import pytest

from angarium.channels._smpp_answers import read_refusal
from angarium.plugins import PermanentFailure, TemporaryFailure


@pytest.mark.parametrize(
    ("status", "raised", "pause", "dead"),
    [
        (0x01, PermanentFailure, False, False),  # ESME_RINVMSGLEN
        (0x04, TemporaryFailure, True, False),  # ESME_RINVBNDSTS
        (0x08, TemporaryFailure, True, False),  # ESME_RSYSERR
        (0x0A, TemporaryFailure, True, False),  # ESME_RINVSRCADR
        (0x0B, PermanentFailure, False, True),  # ESME_RINVDSTADR
        (0x14, TemporaryFailure, True, False),  # ESME_RMSGQFUL
        (0x15, TemporaryFailure, True, False),  # ESME_RINVSERTYP
        (0x45, TemporaryFailure, False, False),  # ESME_RSUBMITFAIL
        (0x48, TemporaryFailure, True, False),  # ESME_RINVSRCTON
        (0x58, TemporaryFailure, True, False),  # ESME_RTHROTTLED
        (0x62, TemporaryFailure, True, False),  # ESME_RINVEXPIRY
        (0x07, TemporaryFailure, True, False),  # ESME_RINVREGDLVFLG
        (0x64, TemporaryFailure, False, False),  # ESME_RX_T_APPN
        (0x65, PermanentFailure, False, False),  # ESME_RX_P_APPN
        (0x66, PermanentFailure, False, False),  # ESME_RX_R_APPN
        (0xFF, TemporaryFailure, False, False),  # ESME_RUNKNOWNERR
        (0x400, TemporaryFailure, False, False),  # a vendor's own
        (0x4FF, TemporaryFailure, False, False),
    ],
)
def test_each_status_has_one_meaning(
    status: int, raised: type[Exception], pause: bool, dead: bool
) -> None:
    failure = read_refusal(status)

    assert type(failure) is raised
    assert getattr(failure, "pause", False) is pause
    assert getattr(failure, "address_dead", False) is dead
    assert failure.reason.startswith("sms_smpp: ")
    assert f"0x{status:02x}" in failure.reason


def test_a_throttled_provider_comes_back_soonest() -> None:
    waits = {status: getattr(read_refusal(status), "retry_after", None) for status in (0x58, 0x14)}

    assert waits == {0x58: 1.0, 0x14: 5.0}
