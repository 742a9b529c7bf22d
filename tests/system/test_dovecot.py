"""Returned mail in a Dovecot: what most hosts have, and the strictest of readers of commands."""

import asyncio
import os
import pwd
import shutil
import socket
from collections import Counter
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path

import pytest

from angarium.plugins import TemporaryFailure
from tests.channels.returned import AWAY, FORGED, RUBBISH, Heard, abuse, bounce, provider, visit
from tests.channels.test_mailbox import HOSTILE
from tests.counterparts.imap import Mail, make_maildir
from tests.counterparts.imap_server import PASSWORD, USER
from tests.counterparts.smtp_certificates import make_certificate

pytestmark = pytest.mark.system

DOVECOT = "/usr/sbin/dovecot"
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
first_valid_uid = 1
mail_location = maildir:{folder}/mail
default_internal_user = dovecot
default_login_user = dovenull
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"""
numbers = count()


def free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (one, other)]


class Dovecot:
    def __init__(self, folder: Path, port: int, plain: int, trusted: Path) -> None:
        self.mail = Mail(folder / "mail", port)
        self.plain = plain
        self.trusted = trusted

    def folder(self) -> Mail:
        mail = self.mail.beside(f"T{next(numbers)}")
        _give(self.mail.folder)
        return mail

    def section(self, mail: Mail, **changes: object) -> dict[str, object]:
        return mail.section(bounces_tls="tls", bounces_ca_file=str(self.trusted), **changes)


def _give(folder: Path) -> None:
    user = pwd.getpwnam("mail")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)


@pytest.fixture(scope="module")
async def dovecot(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Dovecot]:
    # Its own users must get there, and a socket's path is short.
    folder = Path("/run") / f"angarium-dovecot-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o755)
    try:
        _, trusted = make_certificate(folder)
        make_maildir(folder / "mail")
        _give(folder / "mail")
        port, plain = free_ports()
        user = pwd.getpwnam("mail")
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
        (folder / "users").chmod(0o644)
        config = folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(folder=folder, port=port, plain=plain, uid=user.pw_uid, gid=user.pw_gid)
        )
        process = await asyncio.create_subprocess_exec(DOVECOT, "-F", "-c", str(config))
        try:
            await _listens(port)
            yield Dovecot(folder, port, plain, trusted)
        finally:
            process.terminate()
            await process.wait()
    finally:
        shutil.rmtree(folder)


async def _listens(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


async def test_news_is_reported_and_marked_and_all_else_is_left(dovecot: Dovecot) -> None:
    mail = dovecot.folder()
    names = mail.deliver(bounce("dlv_1"), FORGED, abuse("dlv_2"), AWAY, RUBBISH)
    _give(mail.folder)
    smtp, heard = provider(**dovecot.section(mail)), Heard()

    await visit(smtp, heard)

    assert sorted(heard.said) == [("dlv_1", "bounced"), ("dlv_2", "complained")]
    assert [mail.flags(name) for name in names] == ["S", "F", "S", "F", "F"]
    assert await visit(smtp, heard) == {}
    assert await smtp.look() == (
        "returned mail: 5 in the mailbox, 0 to be read, 3 left alone with a flag"
    )


async def test_mail_is_moved_into_a_folder_that_is_made(dovecot: Dovecot) -> None:
    mail = dovecot.folder()
    mail.deliver(raw := bounce())
    _give(mail.folder)
    changes = {"bounces_after": "move", "bounces_move_to": f"Done {next(numbers)}"}
    heard = Heard()

    await visit(provider(**dovecot.section(mail, **changes)), heard)

    assert heard.said == [("dlv_1", "bounced")]
    assert mail.moved(changes["bounces_move_to"]) == Counter([raw])


async def test_mail_is_deleted_over_starttls(dovecot: Dovecot) -> None:
    mail = dovecot.folder()
    read, left = mail.deliver(bounce(), FORGED)
    _give(mail.folder)
    settings = dovecot.section(mail, bounces_after="delete")
    changed = {**settings, "bounces_tls": "starttls", "bounces_port": dovecot.plain}

    await visit(provider(**changed), Heard())

    assert (mail.flags(read), mail.flags(left)) == (None, "F")


async def test_hostile_mail_is_left(dovecot: Dovecot) -> None:
    mail = dovecot.folder()
    hostile = [raw for raw in HOSTILE if raw]  # Dovecot itself throws an empty one away
    names = mail.deliver(*hostile, bounce(end="x" * 79 + "\n" * 2_000_000))
    _give(mail.folder)
    heard = Heard()

    await visit(provider(**dovecot.section(mail)), heard)

    assert heard.said == [("dlv_1", "bounced")]
    assert [mail.flags(name) for name in names] == ["F"] * len(hostile) + ["S"]


@pytest.mark.parametrize("after", ["seen", "move", "delete"])
async def test_two_processes_at_one_mailbox_leave_no_news_behind(
    dovecot: Dovecot, after: str
) -> None:
    mail = dovecot.folder()
    keys = [f"dlv_{n}" for n in range(60)]
    names = mail.deliver(*map(bounce, keys))
    _give(mail.folder)
    changes = {"bounces_after": after}
    if after == "move":
        changes["bounces_move_to"] = f"Done {next(numbers)}"
    heard = Heard()
    both = [provider(**dovecot.section(mail, **changes)) for _ in range(2)]

    for _ in range(5):
        ends = await asyncio.gather(*(visit(smtp, heard) for smtp in both), return_exceptions=True)
        assert all(isinstance(end, dict | TemporaryFailure) for end in ends)

    assert {update.key for update in heard.updates} == set(keys)
    assert {mail.flags(name) for name in names} == {"S" if after == "seen" else None}
