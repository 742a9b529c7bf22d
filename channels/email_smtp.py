"""Email through an SMTP server: a relay of yours, or of a mail service."""

import re
import ssl
from collections.abc import Callable
from functools import partial
from typing import Annotated, ClassVar, Literal

import aiosmtplib
import msgspec

from angarium.channels._mime import Mailbox, compose, make_message_id, parse_mailbox
from angarium.channels._smtp_pool import Pool
from angarium.channels._smtp_session import Session
from angarium.plugins import (
    Accepted,
    EmailContent,
    Message,
    PermanentFailure,
    Provider,
    hookimpl,
)
from angarium.plugins.addresses import parse_email
from angarium.plugins.settings import Secret

MAX_BYTES = 10 * 1024 * 1024

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_QUEUE_ID = re.compile(r"\b(?:queued as |id=)<?([A-Za-z0-9._@-]{4,128})", re.IGNORECASE)

Host = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:\[\]_-]*$")]
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
    """Where bounces go; by default the address in `from`."""
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
        if self.return_path:
            _named("return_path", partial(parse_email, self.return_path))
        if self.username and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError('a password is not sent in clear: set tls to "starttls" or "tls"')


class EmailSmtp(Provider):
    """Sends over a few connections that stay open."""

    name: ClassVar[str] = "email_smtp"
    channel: ClassVar[str] = "email"
    Settings: ClassVar[type] = EmailSmtpSettings

    def __init__(self, settings: EmailSmtpSettings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._pool = Pool(
            self._connect,
            size=settings.connections,
            messages_per_connection=settings.messages_per_connection,
            idle_seconds=settings.idle_seconds,
        )

    async def open(self) -> None:
        if self._settings.tls != "none":
            self._tls = _create_tls(self._settings)

    async def send(self, message: Message) -> Accepted:
        content: EmailContent = message.content
        recipient = _recipient(message.address)
        sender = _mailbox("from", content.sender or self._settings.sender)
        message_id = make_message_id(message.key, sender.domain)
        data = self._compose(message, sender, recipient, message_id)
        return_path = self._settings.return_path or sender.address
        async with self._pool.session() as session:
            final = await session.send(return_path, recipient, data)
        queued = _QUEUE_ID.search(final)
        return Accepted(provider_id=queued[1] if queued else message_id)

    async def close(self) -> None:
        await self._pool.close()

    def _compose(self, message: Message, sender: Mailbox, recipient: str, message_id: str) -> bytes:
        content: EmailContent = message.content
        if not content.html and not content.text:
            raise PermanentFailure("email_smtp: the message has neither html nor text")
        reply_to = content.reply_to or self._settings.reply_to
        data = compose(
            content,
            sender=sender,
            recipient=recipient,
            reply_to=_mailbox("reply_to", reply_to) if reply_to else None,
            message_id=message_id,
            at=message.at,
            unsubscribe_url=message.unsubscribe_url,
        )
        if len(data) > MAX_BYTES:
            raise PermanentFailure(f"email_smtp: the message is larger than {MAX_BYTES} bytes")
        return data

    async def _connect(self) -> Session:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.reveal() if settings.username else None,
            local_hostname=settings.local_hostname or parse_mailbox(settings.sender).domain,
            timeout=settings.command_seconds,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            tls_context=self._tls,
        )
        session = Session(
            client,
            command_seconds=settings.command_seconds,
            final_seconds=settings.final_seconds,
        )
        await session.connect(seconds=settings.connect_seconds)
        return session


def _recipient(address: str) -> str:
    try:
        return parse_email(address)
    except ValueError as error:
        raise PermanentFailure(
            f"email_smtp: unable to send to this address: {error}", address_dead=True
        ) from error


def _mailbox(field: str, text: str) -> Mailbox:
    try:
        return parse_mailbox(text)
    except ValueError as error:
        raise PermanentFailure(f"email_smtp: {field}: {error}") from error


def _create_tls(settings: EmailSmtpSettings) -> ssl.SSLContext:
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


def _named(setting: str, parse: Callable[[], object]) -> None:
    try:
        parse()
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from error


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [EmailSmtp]
