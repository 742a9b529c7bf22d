"""Email through an SMTP server: a relay of yours, or of a mail service."""

import asyncio
import hmac
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import aiosmtplib
import msgspec

from angarium.channels._belief import Belief
from angarium.channels._dkim import Signer
from angarium.channels._email_settings import (
    EmailSmtpSettings,
    create_mailbox,
    create_return_path,
    create_signer,
    create_tls,
)
from angarium.channels._html_text import html_to_text, set_direction
from angarium.channels._imap import ImapBox
from angarium.channels._mailbox import Mailbox
from angarium.channels._maildir import MaildirBox
from angarium.channels._mime import Mailbox as Named
from angarium.channels._mime import compose, make_message_id, parse_mailbox
from angarium.channels._returned_mail import Returned, read_returned
from angarium.channels._smtp_pool import Pool
from angarium.channels._smtp_replies import Unwelcome
from angarium.channels._smtp_session import Session
from angarium.plugins import (
    Accepted,
    CallbackRequest,
    EmailContent,
    Message,
    PermanentFailure,
    Provider,
    StatusUpdate,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.addresses import parse_email
from angarium.plugins.provider import Report

MAX_BYTES = 10 * 1024 * 1024

_QUEUE_ID = re.compile(r"\b(?:queued as |id=)<?([A-Za-z0-9._@-]{4,128})", re.IGNORECASE)


class EmailSmtp(Provider):
    """Sends over a few connections that stay open."""

    name: ClassVar[str] = "email_smtp"
    channel: ClassVar[str] = "email"
    Settings: ClassVar[type] = EmailSmtpSettings

    def __init__(self, settings: EmailSmtpSettings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._signer: Signer | None = None
        self._return_path = create_return_path(settings)
        self._mailbox = _create_mailbox(settings, self.read_returned)
        self._poll_seconds = 0.0
        self._belief = Belief()
        self._pool = Pool(
            self._connect,
            size=settings.connections,
            messages_per_connection=settings.messages_per_connection,
            idle_seconds=settings.idle_seconds,
        )

    async def open(self) -> None:
        self._tls = create_tls(self._settings)
        self._signer = create_signer(self._settings)

    async def send(self, message: Message) -> Accepted:
        content: EmailContent = message.content
        recipient = _recipient(message.address)
        sender = _mailbox("from", content.sender or self._settings.sender)
        message_id = make_message_id(message.key, sender.domain)
        return_path = self._return_path.address(message.key) if self._return_path else ""
        data = self._compose(message, sender, recipient, message_id, return_path)
        return_path = return_path or self._settings.return_path or sender.address
        try:
            async with self._pool.session() as session:
                final = await session.send(return_path, recipient, data)
        except Unwelcome as unwelcome:
            if self._belief.doubt():
                raise TemporaryFailure(unwelcome.of_this_message) from unwelcome
            raise
        self._belief.confirm()
        queued = _QUEUE_ID.search(final)
        return Accepted(provider_id=queued[1] if queued else message_id)

    async def close(self) -> None:
        await self._pool.close()

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        """Read a mail that came back, posted as it is, with bounce_secret as the bearer token.

        `?recipient=` may say where it was delivered to. What names no message of ours, and mail
        that is neither a bounce nor a complaint, means nothing.
        """
        secret = self._settings.bounce_secret.reveal()
        token = request.headers.get("authorization", "").encode()
        if not secret or not hmac.compare_digest(token, f"Bearer {secret}".encode()):
            raise PermissionError("email_smtp: returned mail is posted with bounce_secret")
        returned = self.read_returned(request.body, request.query.get("recipient", ""))
        return (returned.update,) if returned.update else ()

    def read_returned(self, raw: bytes, recipient: str = "") -> Returned:
        """What a mail that came back means. Raises ValueError if it is no mail."""
        return read_returned(raw, self._return_path, recipient)

    async def listen(self, report: Report) -> Mapping[str, int]:
        """Visit the mailbox of returned mail once, after the pause that the settings ask for."""
        if self._mailbox is None:
            await asyncio.Event().wait()
            return {}
        await asyncio.sleep(self._poll_seconds)
        self._poll_seconds = 0.0  # if this visit fails, the caller chooses the pause
        counts = await self._mailbox.visit(report)
        if not self._mailbox.more:
            self._poll_seconds = self._settings.bounces_poll_seconds
        return counts

    async def look(self) -> str:
        """See whether returned mail can be read; "" if none is to be."""
        if self._mailbox is None:
            return ""
        standing = await self._mailbox.look()
        return (
            f"returned mail: {standing.mails} in the mailbox, {standing.waiting} to be read, "
            f"{standing.left} left alone with a flag"
        )

    def _compose(
        self,
        message: Message,
        sender: Named,
        recipient: str,
        message_id: str,
        complaints_to: str,
    ) -> bytes:
        content = _complete(message.content)
        reply_to = content.reply_to or self._settings.reply_to
        data = compose(
            content,
            sender=sender,
            recipient=recipient,
            reply_to=_mailbox("reply_to", reply_to) if reply_to else None,
            message_id=message_id,
            at=message.at,
            unsubscribe_url=message.unsubscribe_url,
            complaints_to=complaints_to,
        )
        if len(data) > MAX_BYTES:
            raise PermanentFailure(f"email_smtp: the message is larger than {MAX_BYTES} bytes")
        return self._signer.sign(data, message.at) if self._signer else data

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


def _create_mailbox(
    settings: EmailSmtpSettings, read: Callable[[bytes], Returned]
) -> Mailbox | None:
    where = create_mailbox(settings)
    if where.host:
        return Mailbox(ImapBox(where), read)
    return Mailbox(MaildirBox(where), read) if where.maildir else None


def _complete(content: EmailContent) -> EmailContent:
    """With the text part and the direction that its HTML asks for."""
    if not content.html and not content.text:
        raise PermanentFailure("email_smtp: the message has neither html nor text")
    if not content.html:
        return content
    text = content.text or html_to_text(content.html)
    return msgspec.structs.replace(content, html=set_direction(content.html), text=text)


def _recipient(address: str) -> str:
    try:
        return parse_email(address)
    except ValueError as error:
        raise PermanentFailure(
            f"email_smtp: unable to send to this address: {error}", address_dead=True
        ) from error


def _mailbox(field: str, text: str) -> Named:
    try:
        return parse_mailbox(text)
    except ValueError as error:
        raise PermanentFailure(f"email_smtp: {field}: {error}") from error


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [EmailSmtp]
