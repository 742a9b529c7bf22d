"""IMAP servers that are away, refuse, fall silent or lie: said in words, and nobody waits long."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path

import pytest

from angarium.channels.email_smtp import EmailSmtp
from angarium.plugins import TemporaryFailure
from tests.channels.returned import FORGED, Heard, bounce, provider, visit
from tests.counterparts.imap import Mail, imap_server
from tests.counterparts.imap_scripted import imap_scripted
from tests.counterparts.imap_server import PASSWORD, USER
from tests.counterparts.smtp_catcher import smtp_catcher
from tests.counterparts.smtp_certificates import make_certificate

numbers = count()


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Mail]:
    async with imap_server(tmp_path_factory.mktemp("imap")) as mail:
        yield mail


@pytest.fixture
def mail(server: Mail) -> Mail:
    return server.beside(f"T{next(numbers)}")


async def refusal(**settings: object) -> str:
    """Why the mailbox cannot be read; nobody is named in it."""
    heard = Heard()
    with pytest.raises(TemporaryFailure) as caught:
        await visit(provider(**settings), heard)
    assert not heard.updates
    for hidden in (USER, PASSWORD, "a password", "@"):
        assert hidden not in caught.value.reason
    return caught.value.reason


async def attempt(smtp: EmailSmtp, heard: Heard) -> str:
    """One visit; why it failed, if it did."""
    try:
        await visit(smtp, heard)
    except TemporaryFailure as failure:
        reason = failure.reason
    else:
        return ""
    assert "@" not in reason
    return reason


async def test_nobody_listens() -> None:
    async with smtp_catcher() as gone:
        port = gone.port
    settings = {"bounces_host": "127.0.0.1", "bounces_port": port, "bounces_tls": "none"}
    said = await refusal(**settings, bounces_user=USER, bounces_password="x")
    assert said == "email_smtp: the mailbox: connect: Connection refused"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bounces_password": "x"}, "log in (bounces_user, bounces_password): refused"),
        ({"bounces_user": "nobody"}, "log in (bounces_user, bounces_password): refused"),
        ({"bounces_folder": "Nowhere"}, "open the folder (bounces_folder): refused"),
        ({"bounces_tls": "starttls"}, "connect: the connection was lost"),
        ({"bounces_tls": "tls"}, "connect: "),
    ],
)
async def test_what_is_set_wrong_is_named(mail: Mail, wrong: dict[str, object], said: str) -> None:
    reason = await refusal(**mail.section(**wrong), connect_seconds=2)
    assert reason.startswith(f"email_smtp: the mailbox: {said}")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path, Path]:
    """The server's side, what a client must trust, and both in one file."""
    context, trusted = make_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(trusted.read_bytes() + (tmp_path / "key.pem").read_bytes())
    return context, trusted, both


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_genuine_certificate_is_asked_for(
    tmp_path: Path, certificate: tuple[ssl.SSLContext, Path, Path], tls: str
) -> None:
    _, trusted, both = certificate
    async with imap_server(tmp_path / "served", f"--{tls}", str(both)) as mail:
        [name] = mail.deliver(bounce())
        assert "the certificate is not genuine" in await refusal(**mail.section(bounces_tls=tls))
        lost = await refusal(**mail.section(bounces_tls=tls, bounces_ca_file="/nowhere"))
        assert lost == "email_smtp: bounces_ca_file: cannot be read"

        heard = Heard()
        trusting = mail.section(bounces_tls=tls, bounces_ca_file=str(trusted))
        await visit(provider(**trusting), heard)

        assert heard.said == [("dlv_1", "bounced")]
        assert mail.flags(name) == "S"


SILENT = ("greeting", "CAPABILITY", "LOGIN", "SELECT", "SEARCH", "FETCH", "STORE")


@pytest.mark.parametrize("step", SILENT)
async def test_silence_has_an_end(step: str) -> None:
    async with imap_scripted(bounce(), answers={step: None}) as script:
        limits = {"connect_seconds": 0.1, "command_seconds": 0.2}
        with pytest.raises(TemporaryFailure, match="no answer in time"):
            await visit(provider(**script.section(), **limits), Heard())


@pytest.mark.parametrize("step", SILENT)
def test_a_visit_can_be_cancelled_at_any_step_and_holds_no_thread(step: str) -> None:
    async def cancel() -> None:
        async with imap_scripted(bounce(), answers={step: None}) as script:
            smtp = provider(**script.section(), connect_seconds=0.3)
            visiting = asyncio.create_task(visit(smtp, Heard()))
            await script.asked.wait()
            visiting.cancel()
            await asyncio.gather(visiting, return_exceptions=True)
            assert visiting.cancelled()

    asyncio.run(cancel())  # which waits for the threads at its end


def test_a_visit_over_tls_can_be_cancelled(
    certificate: tuple[ssl.SSLContext, Path, Path],
) -> None:
    context, trusted, _ = certificate

    async def cancel() -> None:
        async with imap_scripted(bounce(), answers={"FETCH": None}, tls=context) as script:
            section = script.section(bounces_tls="tls", bounces_ca_file=str(trusted))
            visiting = asyncio.create_task(visit(provider(**section), Heard()))
            await script.asked.wait()
            visiting.cancel()
            await asyncio.gather(visiting, return_exceptions=True)
            assert visiting.cancelled()

    asyncio.run(cancel())


@pytest.mark.parametrize("step", SILENT)
async def test_a_connection_that_is_lost_loses_nothing(step: str) -> None:
    async with imap_scripted(bounce(), answers={step: b""}) as script:
        smtp, heard = provider(**script.section()), Heard()
        with pytest.raises(TemporaryFailure, match=r"lost|closed|reset"):
            await visit(smtp, heard)
        script.answers.clear()

        await visit(smtp, heard)

        assert heard.said == [("dlv_1", "bounced")]
        assert script.flags == {1: {"\\Seen"}}


LIES = {
    "a literal without end": b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\nabc",
    "no mail": b"TAG OK done\r\n",
    "a refusal": b"TAG NO [SERVERBUG] not now, bounce@example.org\r\n",
    "nothing for something": b"* 1 FETCH (UID 1 BODY[]<0> NIL)\r\nTAG OK done\r\n",
    "another's mail": b"* 9 FETCH (UID 9 BODY[]<0> {4}\r\nabcd)\r\nTAG OK done\r\n",
    "a broken line": b"* 1 FETCH (UID 1 BODY[]<0> {4}\r\nabcd\r\n\r\nTAG OK done\r\n",
    "a long line": b"* OK " + b"x" * 1_100_000 + b"\r\n",
    "no line": b"\r\n\r\n\xff\xfe\r\n",
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_server_that_cannot_give_a_mail_keeps_nobody_from_the_others(lie: str) -> None:
    async with imap_scripted(bounce("dlv_1"), answers={"FETCH": LIES[lie]}) as script:
        smtp, heard = provider(**script.section(), command_seconds=1), Heard()
        for _ in range(5):
            await attempt(smtp, heard)
        assert script.flags == {1: {"\\Flagged"}}
        assert not heard.updates

        script.answers.clear()
        script.mails.append(bounce("dlv_2"))
        await visit(smtp, heard)

        assert heard.said == [("dlv_2", "bounced")]


@pytest.mark.parametrize("refused", [b"TAG NO no\r\n", b"TAG OK but not done\r\n"])
async def test_what_cannot_be_marked_is_told_once(refused: bytes) -> None:
    """By one process; another one's news has no second effect."""
    answers = {"STORE": refused}
    async with imap_scripted(bounce("dlv_1"), FORGED, answers=answers) as script:
        smtp, heard = provider(**script.section()), Heard()
        for _ in range(3):
            assert await attempt(smtp, heard) in ("", "email_smtp: the mailbox: mark: refused")
        script.mails.append(bounce("dlv_3"))
        await attempt(smtp, heard)
        assert heard.said == [("dlv_1", "bounced"), ("dlv_3", "bounced")]

        script.answers.clear()
        await visit(smtp, heard)

        assert script.flags == {1: {"\\Seen"}, 2: {"\\Flagged"}, 3: {"\\Seen"}}
        assert len(heard.updates) == 2


async def test_uids_of_a_new_folder_are_other_mails() -> None:
    """RFC 3501 §2.3.1.1: with another UIDVALIDITY the same UID is another mail."""
    answers: dict[str, bytes | None] = {"STORE": b"TAG OK but not done\r\n"}
    async with imap_scripted(bounce("dlv_1"), answers=answers) as script:
        smtp, heard = provider(**script.section()), Heard()
        await visit(smtp, heard)
        script.mails[0] = bounce("dlv_2")
        await visit(smtp, heard)
        script.uidvalidity += 1
        await visit(smtp, heard)

    assert heard.said == [("dlv_1", "bounced"), ("dlv_2", "bounced")]


async def test_one_that_is_gone_keeps_nobody_from_the_others() -> None:
    async with imap_scripted(bounce("dlv_1"), bounce("dlv_2"), bounce("dlv_3")) as script:
        script.mails[1] = None
        heard = Heard()

        counts = await visit(provider(**script.section()), heard)

        assert heard.said == [("dlv_1", "bounced"), ("dlv_3", "bounced")]
        assert counts == {"bounced": 2, "missing": 1}


async def test_a_folder_that_cannot_be_written_is_not_read() -> None:
    answer = (
        b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [READ-ONLY] x\r\nTAG OK [READ-ONLY] x\r\n"
    )
    async with imap_scripted(bounce(), answers={"SELECT": answer}) as script:
        said = await refusal(**script.section())
    assert said == "email_smtp: the mailbox: open the folder (bounces_folder): it can only be read"


async def test_without_uidplus_nothing_is_expunged() -> None:
    async with imap_scripted(bounce(), capable="IMAP4rev1") as script:
        await visit(provider(**script.section(bounces_after="delete")), Heard())
        assert script.flags == {1: {"\\Deleted"}}
        assert script.said("EXPUNGE") == []


async def test_without_move_a_mail_is_copied_and_deleted() -> None:
    async with imap_scripted(bounce(), capable="IMAP4rev1 UIDPLUS") as script:
        settings = script.section(bounces_after="move", bounces_move_to='a "b" \\c')
        await visit(provider(**settings), Heard())
        assert script.said("COPY") == ['UID COPY 1 "a \\"b\\" \\\\c"']
        assert script.said("EXPUNGE") == ["UID EXPUNGE 1"]


async def test_a_look_is_read_only() -> None:
    async with imap_scripted(bounce()) as script:
        assert (await provider(**script.section()).look()).startswith("returned mail: 1 in")
        assert script.said("EXAMINE")
        assert not script.said("SELECT") + script.said("STORE")


async def test_mail_is_asked_for_in_part_only() -> None:
    async with imap_scripted(bounce()) as script:
        await visit(provider(**script.section()), Heard())
        assert script.said("FETCH") == ["UID FETCH 1 (UID BODY.PEEK[]<0.262144>)"]
