"""One SMTP connection, and the transaction of one message on it.

aiosmtplib's `sendmail` hides how far it came; here the final dot is written by itself, so that a
broken connection is known to be before or after it.
"""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final, cast

import aiosmtplib

from angarium.channels._smtp_line import Line
from angarium.channels._smtp_replies import Failure, Phase, connect_failure, reply_failure
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

BODY_SECONDS: Final = 180.0  # RFC 5321 §4.5.3.2.5, data block
PARTING_SECONDS: Final = 5.0

Step = tuple[Phase, str, int]
"""A command, and the first digit of the answer that is hoped for."""


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
        self._line: Line | None = None
        self._command_seconds = command_seconds
        self._final_seconds = final_seconds
        self._in_transaction = False
        self.broken = False
        self.message_count = 0

    @property
    def usable(self) -> bool:
        return not self.broken and self._line is not None and self._line.is_open

    async def connect(self, *, seconds: float) -> None:
        """Connect, log in where asked to, and greet. Raises TemporaryFailure."""
        try:
            await self._client.connect(timeout=seconds)
            if self._client.is_ehlo_or_helo_needed:
                await self._greet()
            self._line = self._take_over()
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

    def _take_over(self) -> Line:
        if self._client.transport is None:
            raise ConnectionResetError
        return Line(cast(asyncio.Transport, self._client.transport))

    async def send(self, sender: str, recipient: str, data: bytes) -> str:
        """Send one message to one address; give the server's final word.

        Raises TemporaryFailure, PermanentFailure or InDoubt.
        """
        assert self._line is not None
        self.message_count += 1
        with unsent():
            await self._hand_over(self._line, sender, recipient, data)
        return await self._finish(self._line)

    async def _hand_over(self, line: Line, sender: str, recipient: str, data: bytes) -> None:
        """All but the final dot."""
        if self._in_transaction:
            await self._reset(line)
        size = f" SIZE={len(data)}" if self._client.supports_extension("size") else ""
        steps: tuple[Step, ...] = (
            ("MAIL", f"MAIL FROM:<{sender}>{size}", 2),
            ("RCPT", f"RCPT TO:<{recipient}>", 2),
            ("DATA", "DATA", 3),
        )
        self._in_transaction = True
        at_once = len(steps) if self._client.supports_extension("pipelining") else 1
        for start in range(0, len(steps), at_once):
            await self._exchange(line, steps[start : start + at_once])
        await self._write_body(line, data)

    async def _reset(self, line: Line) -> None:
        """Leave the transaction of the message before, which was refused half-way."""
        try:
            await self._exchange(line, [("MAIL", "RSET", 2)])
        except (TemporaryFailure, PermanentFailure) as error:
            self.broken = True
            raise TemporaryFailure("email_smtp: the server would not begin again") from error
        self._in_transaction = False

    async def _exchange(self, line: Line, steps: Sequence[Step]) -> None:
        """Give commands at once, and hear every answer; raise what the first refusal means."""
        self.broken = True
        failure: Failure | None = None
        phase = steps[0][0]
        try:
            commands = "".join(f"{command}\r\n" for _, command, _ in steps)
            line.write(commands.encode("ascii"), replies=len(steps))
            for phase, _, wanted in steps:
                reply = await line.reply(self._command_seconds)
                digit = reply.code // 100
                if digit != wanted:
                    failure = failure or reply_failure(phase, reply.code, reply.text)
                # Any other class of reply: we and the server no longer mean the same command; nor
                # where it waits for a message to nobody (RFC 2920 §3.1). After 421 it says no more.
                strayed = digit not in (wanted, 4, 5) or digit == 3 or reply.code == 421
                if failure is not None and strayed:
                    raise failure
        except OSError as error:
            lost = TemporaryFailure(f"email_smtp: the connection was lost at {phase}")
            raise failure or lost from error
        self.broken = False
        if failure is not None:
            raise failure

    async def _write_body(self, line: Line, data: bytes) -> None:
        """Until the final dot, no server can have taken the message."""
        self.broken = True
        try:
            line.write(data.replace(b"\r\n.", b"\r\n.."))
            await line.drain(BODY_SECONDS)
        except OSError as error:  # TimeoutError is one
            raise TemporaryFailure("email_smtp: the connection was lost in the message") from error

    async def _finish(self, line: Line) -> str:
        try:
            line.write(b".\r\n", replies=1)
            reply = await line.reply(self._final_seconds)
        except OSError as error:
            raise InDoubt("email_smtp: the message was sent, and no answer came") from error
        self._in_transaction = False
        self.broken = reply.code // 100 not in (2, 4, 5)
        if reply.code // 100 != 2:
            raise reply_failure("the final dot", reply.code, reply.text)
        return reply.text

    async def quit(self) -> None:
        """Part politely, and shut the connection in any case."""
        try:
            if self.usable and self._line is not None:
                self._line.write(b"QUIT\r\n", replies=1)
                await self._line.reply(PARTING_SECONDS)
        except OSError:
            pass  # it is closed: that is all we wanted
        finally:
            self.abort()

    def abort(self) -> None:
        self.broken = True
        self._client.close()
