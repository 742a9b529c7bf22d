"""What an SMTP reply or a broken connection means for the message, by phase.

The rule: until the final dot has been sent, whatever breaks leaves the message unsent; after it,
only a reply says (RFC 1047). A 5xx is read by its enhanced code (RFC 3463): it may be the address,
the message, or the channel itself, and only the first may cost a person their address. What sounds
like the channel (5.7.x, x.3.0, the sender) is the message, where the server takes others.
No reason repeats the server's text, which tends to hold the address.
"""

import re
import ssl
from typing import Literal

import aiosmtplib

from angarium.channels._belief import REFUSED_SECONDS
from angarium.channels._bounces import DEAD
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

Phase = Literal["MAIL", "RCPT", "DATA", "the final dot"]
Failure = TemporaryFailure | PermanentFailure | InDoubt

AWAY_SECONDS = 10.0
BUSY_SECONDS = 60.0
MISCONFIGURED_SECONDS = 300.0
MAILBOX_FULL_SECONDS = 3600.0

_ENHANCED = re.compile(r"\s*[245]\.(\d{1,3}\.\d{1,3})(?!\d)")
_SETTINGS = "see [channels.email_smtp]"


class Unwelcome(TemporaryFailure):
    """By its words the server refuses us; where it takes others' mail, it means this message."""

    def __init__(self, reason: str, shown: str) -> None:
        """`shown`: the codes, as reasons have them."""
        super().__init__(f"email_smtp: {reason}", REFUSED_SECONDS, pause=True)
        self.of_this_message = f"email_smtp: the server refuses this message, not others ({shown})"


def reply_failure(phase: Phase, code: int, text: str) -> Failure:
    """What a reply that was not the hoped-for one means."""
    match = _ENHANCED.match(text)
    enhanced = match[1] if match else ""
    shown = f"{code} {code // 100}.{enhanced}" if enhanced else str(code)
    if 400 <= code < 500:
        return _not_now(phase, code, enhanced, shown)
    if 500 <= code < 600:
        return _never(phase, code, enhanced, shown)
    if phase == "the final dot":
        return InDoubt(f"email_smtp: an answer to the message that cannot be read ({code})")
    return TemporaryFailure(f"email_smtp: an answer to {phase} that cannot be read ({code})")


def _not_now(phase: Phase, code: int, enhanced: str, shown: str) -> TemporaryFailure:
    if enhanced == "2.2":
        return TemporaryFailure(f"email_smtp: the mailbox is full ({shown})", MAILBOX_FULL_SECONDS)
    busy = f"the server is busy ({shown})"
    if code == 421:
        return TemporaryFailure(f"email_smtp: {busy}", BUSY_SECONDS, pause=True)
    if enhanced.startswith("3."):
        return Unwelcome(busy, shown)
    return TemporaryFailure(f"email_smtp: not now, said the server to {phase} ({shown})")


def _never(phase: Phase, code: int, enhanced: str, shown: str) -> Failure:
    if enhanced in ("2.3", "3.4") or (code == 552 and not enhanced):
        return PermanentFailure(f"email_smtp: the message is too large ({shown})")
    if enhanced == "2.2":
        return TemporaryFailure(f"email_smtp: the mailbox is full ({shown})", MAILBOX_FULL_SECONDS)
    refusal = _refusal_of_us(phase, code, enhanced, shown)
    if refusal is not None:
        return refusal
    if f"5.{enhanced}" in DEAD:
        return PermanentFailure(
            f"email_smtp: there is no such address ({shown})", address_dead=True
        )
    return PermanentFailure(f"email_smtp: refused at {phase} ({shown})")


def _refusal_of_us(phase: Phase, code: int, enhanced: str, shown: str) -> TemporaryFailure | None:
    subject = enhanced.partition(".")[0]
    reason = f"the server refuses to take mail from here ({shown}); {_SETTINGS}"
    # 5.4.5 is what Gmail says of a day's quota.
    ours = subject in ("3", "5") and enhanced != "3.0"
    if ours or enhanced == "4.5" or code in (503, 530, 535, 538):
        return _our_fault(reason)
    if phase == "MAIL" or enhanced in ("1.7", "1.8"):
        sender = f"the server refuses the sender ({shown}); check from and return_path"
        return Unwelcome(sender, shown)
    return Unwelcome(reason, shown) if subject == "7" or enhanced == "3.0" else None


def connect_failure(error: Exception, where: str) -> TemporaryFailure:
    """What it means that no session could be begun; never the message's fault."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _greeting_failure(error, where)
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return _our_fault(f"no TLS with {where}; check tls, verify and ca_file")
    if isinstance(error, OSError):  # aiosmtplib's own are too: refused, lost, timed out
        reason = f"email_smtp: unable to connect to {where}"
        return TemporaryFailure(reason, AWAY_SECONDS, pause=True)
    return _our_fault(f"{where} lacks STARTTLS or a way to log in; check tls and username")


def _greeting_failure(error: aiosmtplib.SMTPResponseException, where: str) -> TemporaryFailure:
    if 400 <= error.code < 500 or error.code < 0:
        reason = f"email_smtp: {where} is busy ({error.code})"
        return TemporaryFailure(reason, BUSY_SECONDS, pause=True)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return _our_fault(f"{where} refuses the log-in ({error.code}); check username and password")
    return _our_fault(f"{where} refuses the connection ({error.code}); {_SETTINGS}")


def _our_fault(reason: str) -> TemporaryFailure:
    return TemporaryFailure(f"email_smtp: {reason}", MISCONFIGURED_SECONDS, pause=True)
