"""Where returned mail is fetched from: the settings `bounces_…` of `email_smtp`."""

import ssl
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from angarium.plugins import TemporaryFailure
from angarium.plugins.settings import Secret

After = Literal["seen", "move", "delete"]
Tls = Literal["tls", "starttls", "none"]

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class MailboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Lengths of time are in seconds. Either `host` or `maildir` is set."""

    host: str
    port: int
    tls: Tls
    user: str
    password: Secret
    ca_file: str
    maildir: str
    folder: str
    after: After
    move_to: str
    connect_seconds: float
    command_seconds: float


def check_mailbox(settings: MailboxSettings, *, names_messages: bool) -> None:
    """Raises ValueError, naming the setting. `names_messages`: the return path says which."""
    for wrong, detail in _mistakes(settings, names_messages):
        if wrong:
            raise ValueError(detail)


def _mistakes(settings: MailboxSettings, names_messages: bool) -> Iterator[tuple[bool, str]]:
    over_imap = bool(settings.host)
    yield over_imap and bool(settings.maildir), "bounces_maildir: is instead of bounces_host"
    yield not names_messages, "return_path: must have {id} in it where returned mail is read"
    known = bool(settings.user and settings.password)
    yield over_imap and not known, "bounces_user: needs bounces_password, and bounces_host both"
    clear = settings.tls == "none" and settings.host not in LOOPBACK
    yield over_imap and clear, 'bounces_tls: no password is sent in clear: "tls" or "starttls"'
    texts = {"user": settings.user, "folder": settings.folder, "move_to": settings.move_to}
    for name, text in texts.items():
        wrong = not (text.isprintable() and text.isascii())
        yield wrong, f"bounces_{name}: must be of printable ASCII letters"
    secret = settings.password.reveal()
    yield not secret.isprintable(), "bounces_password: must be of printable letters"
    moves = settings.after == "move"
    yield moves != bool(settings.move_to), 'bounces_move_to: goes with bounces_after = "move"'
    same = moves and over_imap and settings.move_to == settings.folder
    yield same, "bounces_move_to: must be another folder than bounces_folder"


def create_context(settings: MailboxSettings) -> ssl.SSLContext | None:
    """What is trusted, always verified; None: no TLS. Raises TemporaryFailure.

    A file that cannot be read keeps the mailbox from being read, and nobody's mail from being sent.
    """
    if settings.tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError:
        raise TemporaryFailure("email_smtp: bounces_ca_file: cannot be read") from None
