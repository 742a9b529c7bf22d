"""What we compose, the standard library reads back as it was meant."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from angarium.channels._mime import Mailbox, compose, make_message_id, parse_mailbox
from angarium.plugins import EmailContent

SHOP = Mailbox("Shop", "shop@example.org")
ANY_TEXT = st.text(max_size=200)  # surrogates included
LINES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def composed(**changes: Any) -> bytes:
    content = {"subject": "Hello", "text": "body", **changes.pop("content", {})}
    arguments: dict[str, Any] = {
        "sender": SHOP,
        "recipient": "mina@example.org",
        "message_id": "<dlv_1@example.org>",
        **changes,
    }
    return compose(EmailContent(**content), **arguments)


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert [part.defects for part in message.walk()] == [[] for _ in message.walk()]
    return message


def sendable(text: str) -> str:
    """What UTF-8 can hold: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    return sendable(LINES.sub(" ", text).strip())


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


@settings(deadline=None)
@given(subject=ANY_TEXT)
@example("a =?utf-8?q?b?= c")
@example("سلام، «مینا»! " * 20)
@example("🎉" * 40)
@example("a  b")
@example("x" * 2000)
@example("Hello\r\nBcc: all@example.org")
@example("Hello\u2028Bcc: a@b.co\x85X: y\x0bz\x0c")
@example("")
def test_any_subject_arrives_in_one_line_and_adds_no_header(subject: str) -> None:
    message = parsed(composed(content={"subject": subject}))

    assert message["subject"] == one_line(subject)
    assert set(message.keys()) == {
        "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip


@settings(deadline=None)
@given(name=ANY_TEXT)
@example('Shop, "the" \\best\\ <of> all; (really)')
@example("فروشگاه مینا")
@example("x" * 500)
@example("=?utf-8?q?hm?=")
@example("Shop\r\nBcc: all@example.org")
def test_any_name_arrives_beside_the_right_address(name: str) -> None:
    data = composed(sender=Mailbox(name, "shop@example.org"))

    # By the older parser: policy.default of 3.11 puts a space between two encoded words of a name,
    # which RFC 2047 §6.2 forbids.
    shown, address = parseaddr(message_from_bytes(data)["from"])
    assert address == "shop@example.org"
    assert str(make_header(decode_header(shown))) == one_line(name)
    assert [sender.addr_spec for sender in parsed(data)["from"].addresses] == [address]


@settings(deadline=None)
@given(text=ANY_TEXT, html=ANY_TEXT)
@example(".\n..\n.x", "<p>.</p>\r\n.\r\n")
@example("a\rb\nc\r\nd", "--=_boundary--")
def test_any_bodies_arrive_whole(text: str, html: str) -> None:
    message = parsed(composed(content={"text": text or "x", "html": html or "y"}))

    def normal(given: str) -> str:
        return sendable(given.replace("\r\n", "\n").replace("\r", "\n"))

    assert body(message, "plain") == normal(text or "x")
    assert body(message, "html") == normal(html or "y")
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@settings(deadline=None)
@given(subject=ANY_TEXT, text=ANY_TEXT, name=ANY_TEXT, url=ANY_TEXT)
def test_lines_are_ascii_short_and_ended_by_crlf(
    subject: str, text: str, name: str, url: str
) -> None:
    data = composed(
        content={"subject": subject, "text": text, "html": text},
        sender=Mailbox(name, "shop@example.org"),
        unsubscribe_url=f"https://example.org/u/{url[:60]}",
    )

    assert data.isascii()
    assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
    lines = data.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not [line for line in lines if line.startswith(b".")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [({"text": "only", "html": ""}, "plain"), ({"text": "", "html": "only"}, "html")],
)
def test_one_body_needs_no_multipart(content: dict[str, str], kind: str) -> None:
    message = parsed(composed(content=content))

    assert message.get_content_type() == f"text/{kind}"
    assert message.get_content_charset() == "utf-8"
    assert body(message, kind) == "only"


def test_unsubscribing_takes_one_click() -> None:
    data = composed(unsubscribe_url="https://example.org/u/abc?x=1&y=%20")
    message = parsed(data)

    assert message["list-unsubscribe"] == "<https://example.org/u/abc?x=1&y=%20>"
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert message["precedence"] == "bulk"
    assert b"\r\nList-Unsubscribe: <https://example.org/u/abc?x=1&y=%20>\r\n" in data


def test_a_long_unsubscribe_link_stays_on_one_line() -> None:
    link = "https://example.org/u/" + "x" * 300

    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in composed(unsubscribe_url=link)


def test_an_odd_unsubscribe_link_breaks_no_header() -> None:
    message = parsed(composed(unsubscribe_url="https://example.org/u/> x\r\nBcc: a@b.co"))

    assert message["bcc"] is None
    assert message["list-unsubscribe"] == "<https://example.org/u/%3E%20x%0D%0ABcc:%20a@b.co>"


def test_what_nobody_can_unsubscribe_from_says_nothing_of_it() -> None:
    message = parsed(composed())

    assert "list-unsubscribe" not in message
    assert "precedence" not in message


def test_the_date_is_that_of_the_message() -> None:
    message = parsed(composed(at=1_795_341_600_999))

    assert message["date"] == "Sun, 22 Nov 2026 10:00:00 -0000"
    assert parsed(composed())["date"] is None


def test_answers_go_where_they_are_wanted() -> None:
    message = parsed(composed(reply_to=Mailbox("پشتیبانی", "help@example.org")))

    [mailbox] = message["reply-to"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == ("پشتیبانی", "help@example.org")


def test_no_machine_answers_it() -> None:
    assert parsed(composed())["auto-submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("key", "message_id"),
    [
        ("dlv_abc123", "<dlv_abc123@example.org>"),
        ("a.b.c", "<a.b.c@example.org>"),
    ],
)
def test_the_message_id_shows_a_plain_key(key: str, message_id: str) -> None:
    assert make_message_id(key, "example.org") == message_id


@settings(deadline=None)
@given(key=st.text(max_size=300))
@example("a\r\nb")
@example(".a.")
@example("")
def test_any_key_gives_a_message_id_that_is_stable_and_valid(key: str) -> None:
    message_id = make_message_id(key, "example.org")

    assert message_id == make_message_id(key, "example.org")
    assert re.fullmatch(r"<[A-Za-z0-9._-]{1,260}@example\.org>", message_id)
    assert parsed(composed(message_id=message_id))["message-id"] == message_id


def test_different_keys_give_different_message_ids() -> None:
    assert make_message_id("a b", "example.org") != make_message_id("a  b", "example.org")


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("shop@example.org", Mailbox("", "shop@example.org")),
        (" shop@example.org ", Mailbox("", "shop@example.org")),
        ("<shop@example.org>", Mailbox("", "shop@example.org")),
        ("Shop <shop@example.org>", Mailbox("Shop", "shop@example.org")),
        ('"Shop, Inc." <shop@example.org>', Mailbox("Shop, Inc.", "shop@example.org")),
        (r'"The \"Shop\"" <shop@example.org>', Mailbox('The "Shop"', "shop@example.org")),
        ("فروشگاه <shop@example.org>", Mailbox("فروشگاه", "shop@example.org")),
        ("Shop\r\nBcc: x <shop@example.org>", Mailbox("Shop Bcc: x", "shop@example.org")),
        ("Shop <shop@BÜCHER.example>", Mailbox("Shop", "shop@xn--bcher-kva.example")),
    ],
)
def test_a_sender_is_read(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox


@pytest.mark.parametrize(
    "text",
    ["", "Shop", "Shop <>", "Shop <shop>", "Shop <a@b.co> x", "a@b.co, c@d.co", "<a@b.c>\r\nRSET>"],
)
def test_what_is_no_sender_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"name@example\.org"):
        parse_mailbox(text)
