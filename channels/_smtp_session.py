"""One SMTP connection, and the transaction of one message on it.

aiosmtplib's `sendmail` hides how far it came; here each command is given by itself, so that a
broken connection is known to be before or after the final dot.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import aiosmtplib

from angarium.channels._smtp_replies import Phase, connect_failure, reply_failure
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

BODY_SECONDS = 180.0  # RFC 5321 §4.5.3.2.5, data block
PARTING_SECONDS = 5.0


@contextmanager
def unsent() -> Generator[None, None, None]:
    """Who is cut off in here knows that nothing was sent: that is no doubt, but a failure."""
    try:
        yield
    except asyncio.CancelledError:
        raise TemporaryFailure("email_smtp: cut off before the message was sent") from None


class Session:
    """One client's use. `broken` while a reply is outstanding: then nobody may use it again."""

    def __init__(
        self, client: aiosmtplib.SMTP, *, command_seconds: float, final_seconds: float
    ) -> None:
        self._client = client
        self._command_seconds = command_seconds
        self._final_seconds = final_seconds
        self._in_transaction = False
        self.broken = False
        self.message_count = 0

    @property
    def usable(self) -> bool:
        return not self.broken and self._client.is_connected

    async def connect(self, *, seconds: float) -> None:
        """Connect, log in where asked to, and greet. Raises TemporaryFailure."""
        try:
            await self._client.connect(timeout=seconds)
            if self._client.is_ehlo_or_helo_needed:
                await self._greet()
        except (aiosmtplib.SMTPException, OSError) as error:
            self.abort()
            where = f"{self._client.hostname} port {self._client.port}"
            raise connect_failure(error, where) from error
        except BaseException:
            self.abort()
            raise

    async def _greet(self) -> None:
        try:
            await self._client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await self._client.helo()  # older than RFC 1869

    async def send(self, sender: str, recipient: str, data: bytes) -> str:
        """Send one message to one address; give the server's final word.

        Raises TemporaryFailure, PermanentFailure or InDoubt.
        """
        self.message_count += 1
        with unsent():
            await self._hand_over(sender, recipient, data)
        return await self._finish()

    async def _hand_over(self, sender: str, recipient: str, data: bytes) -> None:
        """All but the final dot."""
        if self._in_transaction:
            await self._reset()
        size = f" SIZE={len(data)}" if self._client.supports_extension("size") else ""
        await self._command("MAIL", b"MAIL", f"FROM:<{sender}>{size}".encode("ascii"))
        self._in_transaction = True
        await self._command("RCPT", b"RCPT", f"TO:<{recipient}>".encode("ascii"))
        await self._command("DATA", b"DATA", wanted=3)
        await self._write_body(data)

    async def _reset(self) -> None:
        """Leave the transaction of the message before, which was refused half-way."""
        try:
            await self._command("MAIL", b"RSET")
        except (TemporaryFailure, PermanentFailure) as error:
            self.broken = True
            raise TemporaryFailure("email_smtp: the server would not begin again") from error
        self._in_transaction = False

    async def _command(self, phase: Phase, *words: bytes, wanted: int = 2) -> None:
        self.broken = True
        try:
            reply = await self._client.execute_command(*words, timeout=self._command_seconds)
        except aiosmtplib.SMTPResponseException as error:
            raise reply_failure(phase, error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise TemporaryFailure(f"email_smtp: the connection was lost at {phase}") from error
        # Any other class of reply: we and the server no longer mean the same command.
        self.broken = reply.code // 100 not in (wanted, 4, 5)
        if reply.code // 100 != wanted:
            raise reply_failure(phase, reply.code, reply.message)

    async def _write_body(self, data: bytes) -> None:
        """Until the final dot, no server can have taken the message."""
        self.broken = True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await self._write(data.replace(b"\r\n.", b"\r\n.."))
        except OSError as error:  # TimeoutError is one
            raise TemporaryFailure("email_smtp: the connection was lost in the message") from error

    async def _write(self, data: bytes) -> None:
        """Return when all has left; raise OSError if it has not."""
        protocol, transport = self._client.protocol, self._client.transport
        if protocol is not None and transport is not None:
            writing = cast(asyncio.WriteTransport, transport)
            writing.set_write_buffer_limits(high=1, low=0)
            writing.write(data)
            await protocol._drain_helper()  # pyright: ignore[reportPrivateUsage] — no public way
        if not self._client.is_connected:
            raise ConnectionResetError

    async def _finish(self) -> str:
        try:
            reply = await self._client.execute_command(b".", timeout=self._final_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise InDoubt("email_smtp: the message was sent, and no answer came") from error
        self._in_transaction = False
        self.broken = reply.code // 100 not in (2, 4, 5)
        if reply.code // 100 != 2:
            raise reply_failure("the final dot", reply.code, reply.message)
        return reply.message

    async def quit(self) -> None:
        """Part politely, and shut the connection in any case."""
        try:
            if self.usable:
                await self._client.execute_command(b"QUIT", timeout=PARTING_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            pass  # it is closed: that is all we wanted
        finally:
            self.abort()

    def abort(self) -> None:
        self.broken = True
        self._client.close()
