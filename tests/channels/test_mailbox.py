"""Returned mail read from a mailbox, over IMAP and from a Maildir: the disk is the judge."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from angarium.channels._mailbox import AT_ONCE, MOST_BREAKS, MOST_MAILS
from angarium.plugins import StatusUpdate, TemporaryFailure
from angarium.plugins.settings import SettingsInvalid
from tests.channels.returned import (
    AWAY,
    FORGED,
    RUBBISH,
    Heard,
    abuse,
    bounce,
    provider,
    return_path,
    visit,
)
from tests.channels.test_bounces import SAMPLES, nested
from tests.counterparts.imap import Mail, imap_server, make_maildir

numbers = count()

Door = tuple[Mail, dict[str, object]]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Mail]:
    async with imap_server(tmp_path_factory.mktemp("imap")) as mail:
        yield mail


@pytest.fixture(params=["imap", "maildir"])
async def door(request: Any, server: Mail, tmp_path: Path) -> Door:
    if request.param == "imap":
        mail = server.beside(f"T{next(numbers)}")
        return mail, mail.section()
    mail = make_maildir(tmp_path / "mail")
    return mail, {"bounces_maildir": str(mail.folder)}


def moving(settings: dict[str, object], name: str) -> dict[str, object]:
    dot = "." if "bounces_maildir" in settings else ""
    return {**settings, "bounces_after": "move", "bounces_move_to": dot + name}


async def test_news_is_reported_and_marked_and_all_else_is_left_with_a_flag(door: Door) -> None:
    mail, settings = door
    names = mail.deliver(bounce("dlv_1"), FORGED, abuse("dlv_2"), AWAY, RUBBISH)
    smtp, heard = provider(**settings), Heard()

    counts = await visit(smtp, heard)

    assert sorted(heard.said) == [("dlv_1", "bounced"), ("dlv_2", "complained")]
    assert counts == {"bounced": 1, "complained": 1, "unknown": 1, "other": 1, "unreadable": 1}
    assert [mail.flags(name) for name in names] == ["S", "F", "S", "F", "F"]
    assert await visit(smtp, heard) == {}
    assert await visit(provider(**settings), heard) == {}
    assert len(heard.updates) == 2


async def test_what_told_us_something_may_be_deleted(door: Door) -> None:
    mail, settings = door
    read, left = mail.deliver(bounce(), FORGED)
    heard = Heard()

    await visit(provider(**settings, bounces_after="delete"), heard)

    assert (mail.flags(read), mail.flags(left)) == (None, "F")
    assert heard.said == [("dlv_1", "bounced")]


async def test_what_told_us_something_may_be_moved_into_a_folder_that_is_made(door: Door) -> None:
    mail, settings = door
    first = bounce("dlv_1")
    read, left = mail.deliver(first, AWAY)
    done = f"Done{next(numbers)}"
    smtp, heard = provider(**moving(settings, done)), Heard()

    await visit(smtp, heard)
    mail.deliver(second := bounce("dlv_2"))
    await visit(smtp, heard)

    assert (mail.flags(read), mail.flags(left)) == (None, "F")
    assert mail.moved(done) == Counter([first, second])
    assert heard.said == [("dlv_1", "bounced"), ("dlv_2", "bounced")]


async def test_a_mail_is_marked_only_after_its_news_is_durable(door: Door) -> None:
    mail, settings = door
    names = mail.deliver(bounce("dlv_1"), bounce("dlv_2"))
    heard = Heard()

    async def watching(update: StatusUpdate) -> None:
        assert [mail.flags(name) for name in names] == ["", ""]
        await heard(update)

    await visit(provider(**settings), watching)

    assert len(heard.updates) == 2
    assert [mail.flags(name) for name in names] == ["S", "S"]


async def test_news_that_could_not_be_told_is_read_again(door: Door) -> None:
    mail, settings = door
    [name] = mail.deliver(bounce())
    smtp, heard = provider(**settings), Heard()

    async def lost(_: StatusUpdate) -> None:
        raise RuntimeError("nobody took it")

    with pytest.raises(RuntimeError):
        await visit(smtp, lost)
    assert mail.flags(name) == ""

    await visit(smtp, heard)

    assert heard.said == [("dlv_1", "bounced")]
    assert mail.flags(name) == "S"


async def test_of_a_large_mail_the_beginning_is_read(door: Door) -> None:
    mail, settings = door
    mail.deliver(bounce(end="x" * 79 + "\r\n" * 300_000))
    heard = Heard()

    await visit(provider(**settings), heard)

    assert heard.said == [("dlv_1", "bounced")]


HOSTILE = (
    b"",
    b"\n" * 2_000,
    b"\0" * 2_000,
    nested(1000, report=b""),
    nested(100, report=bounce()),
    b"To: x\nContent-Type: multipart/report; boundary=b\n" + b"\n--b" * 1_000,
    b"A: b\nContent-Type: " + b'a="' * 2_000 + b"\n\n",
    b"Subject: " + b"=?utf-7?q?+AAAA" * 200 + b"\n\n",
    b"Content-Type: text/plain; charset=no-such\nContent-Transfer-Encoding: x-zip\n\n\xff\xfe",
    b"a)\r\n* BYE\r\nA001 OK done\r\n* 1 FETCH (UID 99 BODY[]<0> {3}\r\nabc)\r\n",
)


async def test_hostile_mail_is_left_and_stops_nobody(door: Door) -> None:
    mail, settings = door
    names = mail.deliver(*HOSTILE, bounce("dlv_9"))
    smtp, heard = provider(**settings), Heard()

    for _ in range(4 * MOST_BREAKS):  # the server loses the connection over some of them
        with suppress(TemporaryFailure):
            await visit(smtp, heard)
        if all(mail.flags(name) for name in names):
            break

    assert heard.said == [("dlv_9", "bounced")]
    assert [mail.flags(name) for name in names] == ["F"] * len(HOSTILE) + ["S"]
    assert await visit(smtp, heard) == {}


async def test_every_sample_means_the_same_as_when_it_is_posted(door: Door) -> None:
    mail, settings = door
    samples = [raw for raw in SAMPLES.values()][::16]
    mail.deliver(*samples)
    smtp, heard = provider(**settings), Heard()

    await visit(smtp, heard)

    posted = [smtp.read_returned(raw).update for raw in samples]
    assert Counter(heard.updates) == Counter(update for update in posted if update)


async def test_more_than_one_visit_takes_are_read_in_the_next(tmp_path: Path) -> None:
    mail = make_maildir(tmp_path / "mail")
    settings: dict[str, object] = {"bounces_maildir": str(mail.folder)}
    keys = [f"dlv_{n}" for n in range(MOST_MAILS + AT_ONCE + 1)]
    mail.deliver(*(bounce(key) for key in keys))
    smtp, heard = provider(**settings, bounces_poll_seconds=3600), Heard()

    await smtp.listen(heard)
    assert len(heard.updates) == MOST_MAILS
    await smtp.listen(heard)  # at once

    assert [update.key for update in heard.updates] == keys


async def test_a_look_tells_how_the_mailbox_stands_and_changes_nothing(door: Door) -> None:
    mail, settings = door
    names = mail.deliver(bounce(), FORGED)
    smtp = provider(**settings)
    await visit(smtp, Heard())
    names += mail.deliver(AWAY)

    said = await smtp.look()

    assert said == "returned mail: 3 in the mailbox, 1 to be read, 1 left alone with a flag"
    assert [mail.flags(name) for name in names] == ["S", "F", ""]


async def test_nothing_in_an_empty_mailbox_is_nothing(door: Door) -> None:
    _, settings = door
    assert await visit(provider(**settings), Heard()) == {}
    assert (await provider(**settings).look()).startswith("returned mail: 0 in")


async def test_what_an_operator_puts_back_is_read_again(door: Door) -> None:
    """A star taken off: the address had been wrong in the settings, say."""
    mail, settings = door
    [name] = mail.deliver(bounce())
    heard = Heard()
    await visit(provider(**settings, bounce_secret="another secret of ours"), heard)
    assert mail.flags(name) == "F"

    (mail.folder / "cur" / f"{name}:2,F").rename(mail.folder / "cur" / f"{name}:2,")
    await visit(provider(**settings), heard)

    assert heard.said == [("dlv_1", "bounced")]


async def test_a_maildir_holds_what_is_no_letter(tmp_path: Path) -> None:
    mail = make_maildir(tmp_path / "mail")
    secret = tmp_path / "secret"
    secret.write_bytes(bounce())
    (mail.folder / "new" / "link").symlink_to(secret)
    (mail.folder / "new" / "folder").mkdir()
    os.mkfifo(mail.folder / "new" / "pipe")
    [name] = mail.deliver(bounce("dlv_2"))
    smtp, heard = provider(bounces_maildir=str(mail.folder)), Heard()

    counts = await visit(smtp, heard)

    assert counts == {"bounced": 1, "missing": 3}
    assert mail.flags(name) == "S"
    assert await visit(smtp, heard) == {}
    assert return_path("dlv_1") in secret.read_text()


@pytest.mark.parametrize("after", ["seen", "move", "delete"])
async def test_two_processes_at_one_mailbox_leave_no_news_behind(door: Door, after: str) -> None:
    mail, settings = door
    changes: dict[str, object] = {"bounces_after": after}
    if after == "move":
        changes = moving(settings, f"Done{next(numbers)}")
    keys = [f"dlv_{n}" for n in range(30)]
    names = mail.deliver(*map(bounce, keys))
    heard = Heard()
    both = [provider(**{**settings, **changes}) for _ in range(2)]

    for _ in range(5):
        ends = await asyncio.gather(*(visit(smtp, heard) for smtp in both), return_exceptions=True)
        assert all(isinstance(end, dict | TemporaryFailure) for end in ends)

    assert {update.key for update in heard.updates} == set(keys)
    assert {mail.flags(name) for name in names} == {"S" if after == "seen" else None}


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"bounces_host": "h"}, "bounces_user"),
    ({"bounces_host": "h", "bounces_user": "u"}, "bounces_user"),
    ({"bounces_host": "h", "bounces_maildir": "/m"}, "bounces_maildir"),
    ({"bounces_maildir": "/m", "return_path": "b@example.org"}, "return_path"),
    ({"bounces_maildir": "/m", "return_path": ""}, "return_path"),
    ({"bounces_maildir": "/m", "bounces_after": "move"}, "bounces_move_to"),
    ({"bounces_maildir": "/m", "bounces_move_to": ".Done"}, "bounces_move_to"),
    ({"bounces_maildir": "/m", "bounces_after": "burn"}, "bounces_after"),
    ({"bounces_maildir": "/m", "bounces_poll_seconds": 0}, "bounces_poll_seconds"),
    ({"bounces_maildir": "/m", "bounces_port": 0}, "bounces_port"),
)
SERVED = {"bounces_host": "imap.example.org", "bounces_user": "u", "bounces_password": "p"}
WRONG_SERVED: tuple[tuple[dict[str, object], str], ...] = (
    ({"bounces_tls": "none"}, "bounces_tls"),
    ({"bounces_folder": "a\r\nA1 DELETE INBOX"}, "bounces_folder"),
    ({"bounces_folder": "بازگشت"}, "bounces_folder"),
    ({"bounces_user": "a\0b"}, "bounces_user"),
    ({"bounces_password": "a\nb"}, "bounces_password"),
    ({"bounces_after": "move", "bounces_move_to": "INBOX"}, "bounces_move_to"),
)


@pytest.mark.parametrize(
    ("wrong", "setting"), [*WRONG, *(({**SERVED, **wrong}, name) for wrong, name in WRONG_SERVED)]
)
def test_a_mistake_in_the_settings_names_the_setting(
    wrong: dict[str, object], setting: str
) -> None:
    with pytest.raises(SettingsInvalid, match=rf"\b{setting}: "):
        provider(**wrong)


async def test_without_a_mailbox_there_is_nothing_to_hear() -> None:
    listening = asyncio.create_task(provider().listen(Heard()))
    await asyncio.sleep(0)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert listening.cancelled()
    assert await provider().look() == ""


async def test_a_mailbox_that_was_away_is_visited_at_once_and_then_at_leisure(
    tmp_path: Path,
) -> None:
    smtp, heard = (
        provider(bounces_maildir=str(tmp_path / "mail"), bounces_poll_seconds=3600),
        Heard(),
    )
    for _ in range(2):
        with pytest.raises(TemporaryFailure, match="No such file"):
            await smtp.listen(heard)
    make_maildir(tmp_path / "mail").deliver(bounce())

    await smtp.listen(heard)
    again = asyncio.create_task(smtp.listen(heard))
    _, pending = await asyncio.wait([again], timeout=0.05)

    assert heard.said == [("dlv_1", "bounced")]
    assert pending
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
