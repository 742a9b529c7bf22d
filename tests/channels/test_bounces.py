"""Mail that came back: what each server's way of saying it means; no lie kills an address."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.channels._bounces import DEAD, read_report
from angarium.channels._email_settings import EmailSmtpSettings
from angarium.channels._mail_parts import MOST_BYTES, read_mail
from angarium.channels.email_smtp import EmailSmtp
from angarium.plugins import CallbackRequest, StatusUpdate
from angarium.plugins.settings import Secret
from tests.channels.bounces.cases import ADDRESS, CASES, Case
from tests.channels.bounces.letters import LETTERS, Letter
from tests.channels.bounces.loops import COMPLAINTS, Complaint
from tests.channels.bounces.servers import SERVERS, postfix
from tests.channels.bounces.writings import WRITINGS

SECRET = "a secret of sixteen letters"
KEY = "dlv_0123456789abcdefghijkl"
SMTP = EmailSmtp(
    EmailSmtpSettings(
        host="127.0.0.1",
        sender="shop@example.org",
        return_path="bounce+{id}@example.org",
        bounce_secret=Secret(SECRET),
    )
)
assert SMTP._return_path is not None
TO = SMTP._return_path.address(KEY)
MAKERS = {**SERVERS, **WRITINGS}
SAMPLES = {
    **{
        f"{server}, {case.name}": make(case, TO)
        for server, make in MAKERS.items()
        for case in CASES
    },
    **{complaint.name: complaint.write(TO) for complaint in COMPLAINTS},
    **{letter.name: letter.text.replace("{to}", TO).encode() for letter in LETTERS},
}


def updates(raw: bytes, **request: Any) -> list[StatusUpdate]:
    headers = {"authorization": f"Bearer {SECRET}"}
    url = "https://example.org/callbacks/email_smtp"
    call = CallbackRequest(
        **{"method": "POST", "url": url, "headers": headers, "body": raw, **request}
    )
    return list(SMTP.parse_callback(call))


def check(raw: bytes, wanted: Case | Letter | Complaint) -> None:
    got = updates(raw)

    assert [(one.key, one.status, one.address_dead) for one in got] == (
        [(KEY, wanted.status, wanted.dead)] if wanted.status else []
    )
    assert ADDRESS not in repr(got)


def test_there_are_enough_samples() -> None:
    assert len(set(SAMPLES.values())) >= 400


@pytest.mark.parametrize("server", MAKERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_report_means_what_it_says(server: str, case: Case) -> None:
    check(MAKERS[server](case, TO), case)


@pytest.mark.parametrize("complaint", COMPLAINTS, ids=lambda complaint: complaint.name)
def test_a_complaint_means_what_it_says(complaint: Complaint) -> None:
    check(complaint.write(TO), complaint)


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.name)
def test_a_letter_means_what_it_says_or_nothing(letter: Letter) -> None:
    check(letter.text.replace("{to}", TO).encode(), letter)


@pytest.mark.parametrize(
    "to",
    [
        TO.upper(),
        f"<{TO}>",
        f'"bounces" <{TO}>',
        f"SRS0=HHH=TT=example.org={TO.partition('@')[0]}@forwarder.example",
    ],
)
def test_the_return_path_is_known_however_it_is_written(to: str) -> None:
    assert [one.key for one in updates(postfix(CASES[0], to))] == [KEY]


def test_the_mail_server_may_tell_where_it_was_delivered_to() -> None:
    raw = postfix(CASES[0], "postmaster@example.org")

    assert updates(raw) == []
    assert [one.key for one in updates(raw, query={"recipient": TO})] == [KEY]


FORGED = (
    f"bounce+{KEY}@example.org",
    f"bounce+{KEY}.{'a' * 16}@example.org",
    TO.replace("dlv_0", "dlv_1"),
    TO.replace(KEY, "dlv_9" * 4),
    TO.replace(".", "..", 1),
    f"x{TO.removeprefix('bounce+')}",
    f"{TO.partition('@')[0]}a@example.org",
    TO.partition(".")[2],
    "",
)


@pytest.mark.parametrize("to", FORGED)
def test_a_return_path_that_we_did_not_make_names_nobody(to: str) -> None:
    assert updates(postfix(CASES[0], to)) == []


def test_one_that_names_two_messages_names_none() -> None:
    assert SMTP._return_path is not None
    other = SMTP._return_path.address("dlv_2")

    assert updates(postfix(CASES[0], f"{TO}, {other}")) == []


def test_of_an_address_that_stands_for_several_all_must_have_failed() -> None:
    raw = postfix(CASES[0], TO)
    block = raw[
        raw.index(b"Final-Recipient") : raw.index(
            b"--0A1.1700000000/mx.example\nContent-Description: Undel"
        )
    ]
    late = block.replace(b"failed", b"delayed")
    soft = block.replace(b"5.1.1", b"4.2.2").replace(b"550", b"452")

    assert updates(raw.replace(block, block + block))[0].address_dead
    assert updates(raw.replace(block, block + late)) == []
    [mixed] = updates(raw.replace(block, block + soft))
    assert (mixed.status, mixed.address_dead) == ("undelivered", False)


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": ""}, {"authorization": SECRET}, {"authorization": "Bearer x"}],
)
def test_nobody_else_may_post_returned_mail(headers: Mapping[str, str]) -> None:
    with pytest.raises(PermissionError, match="bounce_secret"):
        updates(SAMPLES["postfix, unknown"], headers=headers)


def test_without_a_secret_nobody_may() -> None:
    smtp = EmailSmtp(EmailSmtpSettings(host="127.0.0.1", sender="shop@example.org"))
    call = CallbackRequest(
        method="POST", url="x", headers={"authorization": "Bearer "}, body=b"a: b"
    )
    with pytest.raises(PermissionError):
        smtp.parse_callback(call)


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"\n\n", b"no mail\n\nat all", b"x" * (MOST_BYTES + 1)]
)
def test_what_is_no_mail_cannot_be_read(raw: bytes) -> None:
    with pytest.raises(ValueError, match="mail"):
        updates(raw)


def nested(depth: int, *, report: bytes) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth)
    )
    return b"To: x\n" + head + report


@pytest.mark.parametrize(
    "raw",
    [
        nested(5000, report=b""),
        nested(100, report=postfix(CASES[0], TO)),
        b"Content-Type: multipart/report; boundary=b\n" + b"\n--b" * 100_000,
        b'Content-Type: multipart/report; boundary="b"\n\n--b\n' + b"--b\n\n" * 50_000,
        b"A: b\nContent-Type: " + b";a=b" * 50_000 + b"\n\n",
        b"A: b\nContent-Type: " + b';a="' * 50_000 + b"\n\n",
        b"A: b\n" + b" c\n" * 80_000,
        b"A: b\n" * 50_000,
        b"A:" + b" " * 250_000 + b"\n\n",
        postfix(CASES[0], TO).replace(b"550 5.1.1", b"550" + b" " * 200_000),
        postfix(CASES[0], TO).replace(b"\n\nFinal", b"\n \t" * 60_000 + b"Final"),
        postfix(CASES[0], TO).replace(b"To: ", b"To: " + b"a_" * 100_000 + b"."),
        b"From: mailer-daemon\nTo: x\n\n" + b"--" * 100_000,
        b"From: mailer-daemon\nX-Failed-Recipients: a\n\n" + b"----- \n" * 40_000,
    ],
)
def test_mail_that_was_written_to_cost_time_ends_soon(raw: bytes) -> None:
    assert len(updates(raw[: 256 * 1024])) <= 1


def test_boundaries_and_charsets_may_lie() -> None:
    assert updates(SAMPLES["exchange, unknown"].replace(b"_000_e1", b"\xff_000"))[0].key == KEY
    assert read_mail(b"A: \xff\xfe\nContent-Transfer-Encoding: base64\n\n=").text() == ""


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 120),
        st.binary(max_size=4).filter(lambda data: not re.search(rb"[0-9]", data))
        | st.sampled_from([b"\n", b"\n\n", b"\r\n", b"--", b'"', b";", b"\0", b": "]),
    ),
    max_size=6,
)


def edited(raw: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, data in edits:
        at = int(where * len(raw))
        raw = raw[:at] + data + raw[at + length :]
    return raw


HARMLESS = [
    name
    for name, raw in SAMPLES.items()
    # Under base64 one changed letter may be any digit.
    if not name.startswith("base64") and not any(c.encode() in raw for c in DEAD)
]


@settings(deadline=None, max_examples=300)
@given(name=st.sampled_from(sorted(SAMPLES)), edits=EDITS)
def test_mail_that_was_damaged_is_read_or_refused(
    name: str, edits: list[tuple[float, int, bytes]]
) -> None:
    try:
        got = updates(edited(SAMPLES[name], edits))
    except ValueError:
        return
    assert {one.key for one in got} <= {KEY}
    assert len(got) <= 1


@settings(deadline=None, max_examples=300)
@given(name=st.sampled_from(sorted(HARMLESS)), edits=EDITS)
def test_no_damage_kills_an_address(name: str, edits: list[tuple[float, int, bytes]]) -> None:
    try:
        report = read_report(edited(SAMPLES[name], edits), TO)
    except ValueError:
        return
    assert report is None or not report.address_dead


@settings(deadline=None)
@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        got = updates(raw)
    except ValueError:
        return
    assert got == []


@pytest.mark.parametrize("token", ["\u212a" * 16, "\u017f" * 16, "\udcff" * 16])
def test_letters_that_only_look_like_ours_are_none(token: str) -> None:
    assert updates(postfix(CASES[0], "x@y"), query={"recipient": f"bounce+{KEY}.{token}@x"}) == []
