"""What we sign, another implementation (dkimpy) verifies; what was changed, it refuses."""

from base64 import b64encode
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.channels._dkim import Signer
from angarium.channels._mime import Mailbox, compose
from angarium.plugins import EmailContent

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
AT = 1_795_341_600_000


def pem(key: Any, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return data


def record(key: Any) -> bytes:
    """What stands in the domain's DNS."""
    public = key.public_key()
    if key is ED25519:
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b"v=DKIM1; k=ed25519; p=" + b64encode(raw)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + b64encode(der)


def verifies(message: bytes, key: Any) -> bool:
    def look_up(name: bytes, timeout: float = 5) -> bytes:
        assert name == b"news._domainkey.example.org."
        return record(key)

    return bool(dkim.verify(message, dnsfunc=look_up))


def mail(**changes: Any) -> bytes:
    content = {"subject": "۲۰٪ تخفیف", "text": "متن", "html": "<p>متن</p>"}
    content |= changes.pop("content", {})
    given: dict[str, Any] = {
        "sender": Mailbox("فروشگاه", "shop@example.org"),
        "recipient": "mina@example.net",
        "message_id": "<dlv_1@example.org>",
        "at": AT,
        "unsubscribe_url": "https://example.org/u/t0ken",
        **changes,
    }
    return compose(EmailContent(**content), **given)


@pytest.fixture(params=[RSA, ED25519], ids=["rsa", "ed25519"])
def key(request: pytest.FixtureRequest) -> Any:
    return request.param


def signed(message: bytes, key: Any, at: int = AT) -> bytes:
    return Signer("example.org", "news", pem(key)).sign(message, at)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"unsubscribe_url": ""},
        {"reply_to": Mailbox("", "help@example.org")},
        {"at": 0},
        {"content": {"html": "", "text": ""}},
        {"content": {"text": "a  b \t\r\n\r\n . \r\n\r\n\r\n"}},
        {"content": {"subject": "  a   b  " * 40}},
        {"sender": Mailbox('a  "b"\t', "shop@example.org")},
    ],
)
def test_another_implementation_verifies_it(key: Any, changes: dict[str, Any]) -> None:
    assert verifies(signed(mail(**changes), key), key)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n\r\n",
        b"a",
        b"a\r\n",
        b"a \t b\t\r\n \r\n\r\n",
        b" \r\n",
        b" a",
    ],
)
def test_any_body_verifies(key: Any, body: bytes) -> None:
    assert verifies(signed(b"From: <a@example.org>\r\nTo: <b@c.co>\r\n\r\n" + body, key), key)


@settings(deadline=None, max_examples=50)
@given(subject=st.text(max_size=100), text=st.text(max_size=300))
def test_any_text_verifies(subject: str, text: str) -> None:
    assert verifies(signed(mail(content={"subject": subject, "text": text}), ED25519), ED25519)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"To: <mina@", b"To: <nina@"),
        (b"https://example.org/u/t0ken", b"https://evil.example/u/t0ken"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"X-A: b"),
        (b"Subject: ", b"Subject: Re: "),
        (b"MIME-Version", b"From: <evil@example.org>\r\nMIME-Version"),
        (b"MIME-Version", b"Subject: evil\r\nMIME-Version"),
        (b"MIME-Version", b"Reply-To: <evil@example.org>\r\nMIME-Version"),
        (b"2YXYqtmG", b"2YXYqtmH"),
        (b"t=1795341600", b"t=1795341601"),
    ],
)
def test_what_is_changed_on_the_way_is_noticed(key: Any, old: bytes, new: bytes) -> None:
    message = signed(mail(), key)

    assert old in message
    assert not verifies(message.replace(old, new), key)


def test_what_relays_do_to_white_space_does_no_harm(key: Any) -> None:
    message = signed(mail(), key)
    changed = message.replace(b"To: <mina", b"to:   <mina").replace(b"--\r\n", b"--\r\n\r\n\r\n")

    assert changed != message
    assert verifies(changed, key)


def test_no_line_is_too_long_for_mail(key: Any) -> None:
    message = signed(mail(), key)

    assert max(map(len, message.split(b"\r\n"))) < 150


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key in PEM"),
        (pem(RSA, b"password"), "without a password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "RSA or Ed25519"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "2048 bits"),
    ],
)
def test_a_key_that_nobody_would_trust_is_refused(data: bytes, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Signer("example.org", "news", data)
