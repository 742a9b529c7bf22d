"""The settings of `email_smtp`, and what is made of them."""

import re
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from angarium.channels._dkim import Signer
from angarium.channels._mailbox_settings import (
    LOOPBACK,
    After,
    MailboxSettings,
    Tls,
    check_mailbox,
)
from angarium.channels._mime import parse_mailbox
from angarium.channels._verp import PLACE, ReturnPath
from angarium.plugins.addresses import parse_email
from angarium.plugins.settings import Secret

LEAST_SECRET: Final = 16

_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,60}[A-Za-z0-9])?")

Host = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9.:\[\]_-]*$", extra={"form": "a host's name or its IP address"}
    ),
]
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class EmailSmtpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.email_smtp]`. Lengths of time are in seconds."""

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 25
    sender: str = msgspec.field(name="from")
    """`Name <address>`; a campaign may say otherwise."""
    reply_to: str = ""
    return_path: str = ""
    """Where bounces go; by default the address in `from`. With `{id}` in it ("bounce+{id}@…"),
    each message has its own, so that what comes back tells which message it is about."""
    bounce_secret: Secret = Secret()
    """16 letters or more. Makes the `{id}` of return_path such that nobody else can, and is the
    bearer token with which returned mail is posted to /callbacks/email_smtp."""
    bounces_host: Host = ""
    """An IMAP server from which returned mail is read; unset: it is posted to us, or not read."""
    bounces_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 993
    bounces_tls: Tls = "tls"
    """The server's certificate must be genuine. "none" is for this machine only."""
    bounces_user: str = ""
    bounces_password: Secret = Secret()
    bounces_ca_file: str = ""
    """Certificates to trust instead of the system's."""
    bounces_maildir: str = ""
    """Where the mail server is on this machine: the Maildir of returned mail, instead of IMAP."""
    bounces_folder: str = "INBOX"
    """A folder that nobody else reads. Over IMAP only."""
    bounces_after: After = "seen"
    """What happens to mail that told us something; other mail stays, with a flag (a star)."""
    bounces_move_to: str = ""
    """The folder for `bounces_after = "move"`; in a Maildir its name begins with a dot."""
    bounces_poll_seconds: Seconds = 60.0
    dkim_selector: str = ""
    """Sign with DKIM, by the key in dkim_key_file, which DNS has at
    `<dkim_selector>._domainkey.<dkim_domain>`. Leave it out if the relay signs."""
    dkim_key_file: str = ""
    """A private key in PEM: RSA of 2048 bits or more, or Ed25519."""
    dkim_domain: Host = ""
    """By default the domain in `from`."""
    username: str = ""
    password: Secret = Secret()
    tls: Literal["none", "starttls", "tls"] = "none"
    verify: bool = True
    """Whether the server's certificate must be genuine."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    local_hostname: Host = ""
    """What we call ourselves (EHLO); by default the domain in `from`."""
    connections: Count = 4
    messages_per_connection: Count = 100
    idle_seconds: Seconds = 30.0
    connect_seconds: Seconds = 10.0
    command_seconds: Seconds = 60.0
    final_seconds: Seconds = 600.0
    """After the final dot (RFC 5321 §4.5.3.2.6): less makes duplicates, not speed."""

    def __post_init__(self) -> None:
        for name, text in (("from", self.sender), ("reply_to", self.reply_to)):
            if text or name == "from":
                _named(name, partial(parse_mailbox, text))
        _check_bounces(self.return_path, self.bounce_secret)
        if self.bounces_host or self.bounces_maildir:
            check_mailbox(create_mailbox(self), names_messages=PLACE in self.return_path)
        _check_dkim(self.dkim_selector, self.dkim_key_file)
        if self.username and self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError('a password is not sent in clear: set tls to "starttls" or "tls"')


def create_tls(settings: EmailSmtpSettings) -> ssl.SSLContext | None:
    """What is trusted; None: no TLS. Raises ValueError."""
    if settings.tls == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise ValueError(
            f"channels.email_smtp.ca_file: cannot be read ({error.strerror})"
        ) from error
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def create_signer(settings: EmailSmtpSettings) -> Signer | None:
    """What signs with DKIM, if that is asked for. Raises ValueError."""
    if not settings.dkim_selector:
        return None
    domain = settings.dkim_domain or parse_mailbox(settings.sender).domain
    setting = "channels.email_smtp.dkim_key_file"
    try:
        return Signer(domain, settings.dkim_selector, Path(settings.dkim_key_file).read_bytes())
    except OSError as error:
        raise ValueError(f"{setting}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from error


def create_return_path(settings: EmailSmtpSettings) -> ReturnPath | None:
    """What makes the return path of each message; None: all have the same."""
    if PLACE not in settings.return_path:
        return None
    return ReturnPath(settings.return_path, settings.bounce_secret.reveal().encode())


def create_mailbox(settings: EmailSmtpSettings) -> MailboxSettings:
    """Where returned mail is read, if `bounces_host` or `bounces_maildir` is set."""
    return MailboxSettings(
        host=settings.bounces_host,
        port=settings.bounces_port,
        tls=settings.bounces_tls,
        user=settings.bounces_user,
        password=settings.bounces_password,
        ca_file=settings.bounces_ca_file,
        maildir=settings.bounces_maildir,
        folder=settings.bounces_folder,
        after=settings.bounces_after,
        move_to=settings.bounces_move_to,
        connect_seconds=settings.connect_seconds,
        command_seconds=settings.command_seconds,
    )


def _named(setting: str, parse: Callable[[], object]) -> None:
    try:
        parse()
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from error


def _check_bounces(return_path: str, secret: Secret) -> None:
    if secret and len(secret.reveal()) < LEAST_SECRET:
        raise ValueError(f"bounce_secret: must have at least {LEAST_SECRET} letters")
    if PLACE in return_path:
        if not secret:
            raise ValueError(f"bounce_secret: is needed where return_path has {PLACE} in it")
        _named("return_path", partial(ReturnPath, return_path, b""))
    elif return_path:
        _named("return_path", partial(parse_email, return_path))


def _check_dkim(selector: str, key_file: str) -> None:
    if bool(selector) != bool(key_file):
        raise ValueError("dkim_selector: needs dkim_key_file, and the other way round")
    if selector and not _SELECTOR.fullmatch(selector):
        raise ValueError("dkim_selector: must be a name as DNS has them")
