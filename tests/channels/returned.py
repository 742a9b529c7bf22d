"""Returned mail for the tests of mailboxes: the provider, and mails that mean something to it."""

from typing import Any

from angarium.channels._email_settings import EmailSmtpSettings
from angarium.channels.email_smtp import EmailSmtp
from angarium.plugins import StatusUpdate
from angarium.plugins.settings import decode_settings
from tests.channels.bounces.cases import CASES
from tests.channels.bounces.letters import complaint, reply
from tests.channels.bounces.servers import postfix

SECRET = "a secret of sixteen letters"


def section(**changes: object) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "from": "shop@example.org",
        "return_path": "bounce+{id}@example.org",
        "bounce_secret": SECRET,
        **changes,
    }


def provider(**changes: object) -> EmailSmtp:
    return EmailSmtp(decode_settings(EmailSmtpSettings, section(**changes), "channels"))


def return_path(key: str) -> str:
    path = provider()._return_path
    assert path is not None
    return path.address(key)


def bounce(key: str = "dlv_1", end: str = "") -> bytes:
    return postfix(CASES[0], return_path(key)) + end.encode()


def abuse(key: str = "dlv_1") -> bytes:
    return complaint("abuse").replace("{to}", return_path(key)).encode()


FORGED = postfix(CASES[0], f"bounce+dlv_1.{'a' * 16}@example.org")
AWAY = reply("Auto-Submitted: auto-replied").replace("{to}", return_path("dlv_1")).encode()
RUBBISH = b"\0\xff no mail at all"


class Heard:
    """Takes what a provider reports."""

    def __init__(self) -> None:
        self.updates: list[StatusUpdate] = []

    async def __call__(self, update: StatusUpdate) -> None:
        self.updates.append(update)

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(update.key, update.status) for update in self.updates]


async def visit(smtp: EmailSmtp, heard: Any) -> dict[str, int]:
    """One visit of the mailbox, without the pause before it."""
    smtp._poll_seconds = 0.0
    return dict(await smtp.listen(heard))
