"""An email address can be read in one way only, or it is refused."""

import email_validator
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from angarium.plugins.addresses import parse_email

LOCAL_64 = "a" * 64


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("mina@example.org", "mina@example.org"),
        ("Mina.O'Neil+tag@EXAMPLE.Org", "Mina.O'Neil+tag@example.org"),
        ("!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org"),
        (f"{LOCAL_64}@example.org", f"{LOCAL_64}@example.org"),
        ("mina@bücher.example", "mina@xn--bcher-kva.example"),
        ("mina@مثال.ایران", "mina@xn--mgbh0fb.xn--mgba3a4f16a"),
        ("mina@xn--mgbh0fb.xn--mgba3a4f16a", "mina@xn--mgbh0fb.xn--mgba3a4f16a"),
        ("a@intranet.local", "a@intranet.local"),
    ],
)
def test_an_address_is_stored_as_it_is_sent(given_text: str, stored: str) -> None:
    assert parse_email(given_text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mina",
        "@example.org",
        "mina@",
        "a@b.c>\r\nRSET",
        "a@b.co\r\n",
        "a@b.co\n",
        "a@b.co, c@d.co",
        "a@b.co;c@d.co",
        "a@b.co c@d.co",
        "a@@b.co",
        "a@b@c.co",
        "a@b.co(comment)",
        "(comment)a@b.co",
        "Mina <a@b.co>",
        "<a@b.co>",
        '"quoted local"@b.co',
        '"a"@b.co',
        " a@b.co",
        "a@b.co ",
        "a b@c.co",
        "a@b.co.",
        "a@.b.co",
        "a@b..co",
        ".a@b.co",
        "a.@b.co",
        "a..b@c.co",
        "a@-b.co",
        "a@b-.co",
        "a@b_c.co",
        "a@localhost",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@b.co\x00",
        "a\x00@b.co",
        "a\u2028@b.co",
        "a@b\u2028.co",
        "a@b.co\x85",
        "مینا@example.org",
        "mina@exa mple.org",
        "mina@\u202eexample.org",
        "mina@example\u3002org\r",
        f"{LOCAL_64}a@example.org",
        f"a@{'b' * 64}.org",
        f"a@{'b.' * 130}org",
        f"{'a' * 60}@{'b' * 63}.{'c' * 63}.{'d' * 63}.org",
        "a@" + "ü" * 60 + ".org",
    ],
)
def test_what_could_be_read_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|domain|@"):
        parse_email(text)


@settings(deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"[a-z.]{1,8}@[a-zü.\-]{1,20}", fullmatch=True))
@example("a@b.c>\r\nRSET")
def test_whatever_is_accepted_is_stable_and_safe_to_put_into_a_command(text: str) -> None:
    try:
        stored = parse_email(text)
    except ValueError:
        return

    assert parse_email(stored) == stored
    assert stored.isascii()
    assert stored.isprintable()
    assert not set(stored) & set(' <>()[],;:\\"')
    assert stored.count("@") == 1


@settings(deadline=None)
@given(
    st.from_regex(
        r"[a-zA-Z0-9.+_]{1,10}@([a-z0-9](-?[a-z0-9]){0,6}\.){1,3}[a-z]{2,6}", fullmatch=True
    )
)
def test_an_independent_judge_accepts_what_we_accept(text: str) -> None:
    try:
        stored = parse_email(text)
    except ValueError:
        return

    judged = email_validator.validate_email(
        text, check_deliverability=False, globally_deliverable=False
    )

    assert judged.ascii_email == stored
