"""Who pays for a refusal: the message, the person's address, or our own settings."""

import ssl

import aiosmtplib
import pytest

from angarium.channels._smtp_replies import Phase, connect_failure, reply_failure
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

LATER, PAUSE, GIVE_UP, DEAD, DOUBT = "later", "pause", "give up", "dead", "in doubt"


def verdict(failure: Exception) -> str:
    if isinstance(failure, TemporaryFailure):
        return PAUSE if failure.pause else LATER
    if isinstance(failure, PermanentFailure):
        return DEAD if failure.address_dead else GIVE_UP
    assert isinstance(failure, InDoubt)
    return DOUBT


@pytest.mark.parametrize(
    ("phase", "code", "text", "expected"),
    [
        # 4xx: not now
        ("MAIL", 451, "4.3.0 try later", PAUSE),
        ("MAIL", 421, "closing", PAUSE),
        ("RCPT", 421, "4.7.0 too many", PAUSE),
        ("RCPT", 450, "4.2.0 greylisted", LATER),
        ("RCPT", 451, "4.7.1 greylisted", LATER),
        ("RCPT", 452, "4.2.2 mailbox full", LATER),
        ("RCPT", 450, "no enhanced code", LATER),
        ("DATA", 451, "4.3.5 misconfigured", PAUSE),
        ("the final dot", 451, "4.7.1 try later", LATER),
        ("the final dot", 452, "4.3.1 disk full", PAUSE),
        ("the final dot", 421, "4.3.2 shutting down", PAUSE),
        # 5.1.x: the address
        ("RCPT", 550, "5.1.1 <x@y.co>: no such user", DEAD),
        ("RCPT", 550, "5.1.2 bad domain", DEAD),
        ("RCPT", 501, "5.1.3 bad syntax", DEAD),
        ("RCPT", 551, "5.1.6 moved", DEAD),
        ("RCPT", 556, "5.1.10 null MX", DEAD),
        ("the final dot", 550, "5.1.1 no such user", DEAD),
        # … but not what says nothing of it: 5.1.0 is also said of blocked senders
        ("RCPT", 550, "5.1.0 sender rejected", GIVE_UP),
        ("RCPT", 550, "5.1.4 ambiguous", GIVE_UP),
        # … and the sender's is ours
        ("RCPT", 550, "5.1.7 bad sender", PAUSE),
        ("RCPT", 550, "5.1.8 bad sender's domain", PAUSE),
        ("MAIL", 550, "5.1.1 no such sender", PAUSE),
        ("MAIL", 553, "sender refused", PAUSE),
        # 5.2.x: the mailbox
        ("RCPT", 552, "5.2.2 mailbox full", LATER),
        ("RCPT", 550, "5.2.1 disabled", GIVE_UP),
        ("RCPT", 552, "5.2.3 too large", GIVE_UP),
        # 5.3.x, 5.5.x, 5.7.x: the channel
        ("RCPT", 550, "5.3.2 not accepting", PAUSE),
        ("RCPT", 554, "5.7.1 relay access denied", PAUSE),
        ("RCPT", 550, "5.7.26 unauthenticated", PAUSE),
        ("DATA", 503, "5.5.1 bad sequence", PAUSE),
        ("MAIL", 530, "5.7.0 log in first", PAUSE),
        ("RCPT", 530, "log in first", PAUSE),
        ("RCPT", 503, "log in first", PAUSE),
        ("the final dot", 550, "5.7.1 looks like spam", PAUSE),
        ("RCPT", 550, "5.4.5 daily quota exceeded", PAUSE),
        # the message
        ("MAIL", 552, "5.3.4 too large", GIVE_UP),
        ("MAIL", 552, "too large", GIVE_UP),
        ("the final dot", 552, "5.3.4 too large", GIVE_UP),
        ("the final dot", 554, "5.6.0 bad content", GIVE_UP),
        ("the final dot", 554, "no", GIVE_UP),
        ("RCPT", 550, "no enhanced code", GIVE_UP),
        ("RCPT", 550, "5.4.4 no route", GIVE_UP),
        ("RCPT", 550, "5.10000.1 nonsense", GIVE_UP),
        # what is no answer
        ("MAIL", 354, "go on", LATER),
        ("DATA", 250, "ok", LATER),
        ("RCPT", -1, "what", LATER),
        ("the final dot", 354, "go on", DOUBT),
        ("the final dot", 999, "what", DOUBT),
        ("the final dot", -1, "what", DOUBT),
    ],
)
def test_a_reply_is_read_by_phase_and_code(
    phase: Phase, code: int, text: str, expected: str
) -> None:
    failure = reply_failure(phase, code, text)

    assert verdict(failure) == expected
    assert str(failure).startswith("email_smtp: ")
    assert "x@y.co" not in str(failure)


@pytest.mark.parametrize(
    ("phase", "code", "text", "reason"),
    [
        ("RCPT", 550, "5.1.1 no", "email_smtp: there is no such address (550 5.1.1)"),
        ("RCPT", 550, "no", "email_smtp: refused at RCPT (550)"),
        (
            "MAIL",
            553,
            "5.1.8 no",
            "email_smtp: the server refuses the sender (553 5.1.8); check from and return_path",
        ),
        (
            "RCPT",
            554,
            "5.7.1 no",
            "email_smtp: the server refuses to take mail from here (554 5.7.1); "
            "see [channels.email_smtp]",
        ),
    ],
)
def test_a_reason_names_the_code_and_the_remedy(
    phase: Phase, code: int, text: str, reason: str
) -> None:
    assert str(reply_failure(phase, code, text)) == reason


@pytest.mark.parametrize(
    ("phase", "code", "text", "seconds"),
    [
        ("RCPT", 450, "4.2.0 greylisted", None),  # the caller's own policy
        ("RCPT", 452, "4.2.2 full", 3600),
        ("RCPT", 552, "5.2.2 full", 3600),
        ("MAIL", 421, "busy", 60),
        ("RCPT", 554, "5.7.1 denied", 60),
        ("RCPT", 554, "5.3.2 not accepting", 300),
        ("MAIL", 530, "5.7.0 log in first", 300),
    ],
)
def test_how_long_to_wait(phase: Phase, code: int, text: str, seconds: float | None) -> None:
    failure = reply_failure(phase, code, text)

    assert isinstance(failure, TemporaryFailure)
    assert failure.retry_after == seconds


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "part", "seconds"),
    [
        (aiosmtplib.SMTPConnectError("refused"), "unable to connect to mail port 25", 10),
        (aiosmtplib.SMTPConnectTimeoutError("slow"), "unable to connect", 10),
        (aiosmtplib.SMTPServerDisconnected("lost"), "unable to connect", 10),
        (ConnectionResetError(), "unable to connect", 10),
        (aiosmtplib.SMTPConnectResponseError(421, "busy"), "is busy (421)", 60),
        (aiosmtplib.SMTPConnectResponseError(554, "no"), "refuses the connection (554)", 300),
        (aiosmtplib.SMTPHeloError(550, "who are you"), "refuses the connection (550)", 300),
        (aiosmtplib.SMTPResponseException(-1, "garbage"), "is busy (-1)", 60),
        (aiosmtplib.SMTPAuthenticationError(535, "no"), "check username and password", 300),
        (aiosmtplib.SMTPAuthenticationError(454, "later"), "is busy (454)", 60),
        (aiosmtplib.SMTPException("no STARTTLS"), "check tls and username", 300),
        (ssl.SSLCertVerificationError(), "check tls, verify and ca_file", 300),
        (
            caused(aiosmtplib.SMTPConnectError("x"), ssl.SSLError()),
            "check tls, verify and ca_file",
            300,
        ),
    ],
)
def test_no_session_is_never_the_fault_of_a_message(
    error: Exception, part: str, seconds: float
) -> None:
    failure = connect_failure(error, "mail port 25")

    assert part in str(failure)
    assert failure.pause
    assert failure.retry_after == seconds
