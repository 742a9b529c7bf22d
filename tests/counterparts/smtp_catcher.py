"""A correct SMTP server (aiosmtpd) that keeps what it takes, and refuses where it is told to."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class Caught:
    """One message as the server took it."""

    sender: str
    recipients: list[str]
    data: bytes
    options: list[str]

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=policy.default)


@dataclass
class SmtpCatcher:
    """`refusals`: what RCPT answers to an address; `final`: what the end of data answers; `silent`:
    addresses for which nothing answers it."""

    port: int = 0
    caught: list[Caught] = field(default_factory=list[Caught])
    refusals: dict[str, str] = field(default_factory=dict[str, str])
    final: str = ""
    silent: set[str] = field(default_factory=set[str])
    password: str = ""
    connections: int = 0
    commands: list[str] = field(default_factory=list[str])

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.commands.append(f"EHLO {hostname}")
        return responses

    async def handle_RSET(self, server: Any, session: Any, envelope: Any) -> str:
        self.commands.append("RSET")
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.final:
            return self.final
        if self.silent & set(envelope.rcpt_tos):
            await asyncio.Event().wait()
        self.caught.append(
            Caught(
                sender=envelope.mail_from,
                recipients=list(envelope.rcpt_tos),
                data=envelope.content,
                options=list(envelope.mail_options),
            )
        )
        return f"250 2.0.0 Ok: queued as Q{len(self.caught):06d}"

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, auth_data: Any
    ) -> AuthResult:
        right = auth_data.password == self.password.encode()
        return AuthResult(success=right, handled=False)


@asynccontextmanager
async def smtp_catcher(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, password: str = ""
) -> AsyncGenerator[SmtpCatcher, None]:
    """Listen on a free port; with a password, nobody may send without logging in over STARTTLS."""
    catcher = SmtpCatcher(password=password)
    transports: list[asyncio.BaseTransport] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        _factory(catcher, transports, starttls), "127.0.0.1", 0, ssl=tls
    )
    catcher.port = server.sockets[0].getsockname()[1]
    try:
        yield catcher
    finally:
        server.close()
        for transport in transports:
            cast(asyncio.Transport, transport).abort()
        await server.wait_closed()


def _factory(
    catcher: SmtpCatcher,
    transports: list[asyncio.BaseTransport],
    starttls: ssl.SSLContext | None,
) -> Callable[[], SMTP]:
    class Counted(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            catcher.connections += 1
            transports.append(transport)
            super().connection_made(transport)

    def make() -> SMTP:
        return Counted(
            catcher,
            hostname="catcher",
            loop=asyncio.get_running_loop(),
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=bool(catcher.password),
            authenticator=catcher.authenticate if catcher.password else None,
        )

    return make
