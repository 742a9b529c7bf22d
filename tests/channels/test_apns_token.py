"""The provider token: good for an hour at Apple's, and made no more often than every 20 minutes."""

import json
from base64 import urlsafe_b64decode
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from angarium.channels._apns_token import ProviderToken, parse_key
from tests.channels.push_messages import AT, MINUTE
from tests.counterparts.apns import private_pem

KEY = ec.generate_private_key(ec.SECP256R1())


def made() -> ProviderToken:
    return ProviderToken(KEY, key_id="ABC123DEFG", team_id="TEAM123456")


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def issued(token: str) -> int:
    return int(json.loads(decoded(token.split(".")[1]))["iat"])


def test_it_says_who_we_are_and_is_signed() -> None:
    head, claims, signature = made().text(AT).split(".")

    assert json.loads(decoded(head)) == {"alg": "ES256", "kid": "ABC123DEFG"}
    assert json.loads(decoded(claims)) == {"iss": "TEAM123456", "iat": AT // 1000}
    raw = decoded(signature)
    both = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    KEY.public_key().verify(both, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert len(raw) == 64


@given(st.lists(st.integers(0, 3 * MINUTE), min_size=1, max_size=60), st.data())
def test_it_is_never_an_hour_old_nor_made_twice_in_20_minutes(
    steps: list[int], data: st.DataObject
) -> None:
    token = made()
    now, seen = AT, list[int]()
    for step in steps:
        now += step
        text = token.text(now)
        if not seen or issued(text) != seen[-1]:
            seen.append(issued(text))
        assert now // 1000 - issued(text) <= 50 * 60
        if data.draw(st.booleans()):
            token.refuse(text)
    assert all(late - early >= 20 * 60 - 1 for early, late in pairwise(seen))


def test_one_that_was_refused_is_made_anew_as_soon_as_that_is_allowed() -> None:
    token = made()
    first = token.text(AT)
    token.refuse(first)

    assert token.wait(AT + 5 * MINUTE) == 15 * 60
    assert token.text(AT + 19 * MINUTE) == first
    assert token.wait(AT + 20 * MINUTE) == 0
    second = token.text(AT + 20 * MINUTE)
    assert second != first

    token.refuse(first)  # an answer that comes late
    assert token.wait(AT + 21 * MINUTE) == 0


def test_messages_that_are_a_little_older_use_the_same_token() -> None:
    token = made()

    assert token.text(AT) == token.text(AT - 5000)


def test_a_clock_that_was_set_back_gets_a_token_of_its_time() -> None:
    token = made()
    token.text(AT)

    assert issued(token.text(AT - 600 * MINUTE)) == (AT - 600 * MINUTE) // 1000


def test_only_a_key_as_apple_gives_them_is_taken() -> None:
    assert isinstance(parse_key(private_pem(KEY).encode()), ec.EllipticCurvePrivateKey)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ValueError, match="P-256"):
        parse_key(pem)
    with pytest.raises(ValueError, match="P-256"):
        parse_key(private_pem(ec.generate_private_key(ec.SECP384R1())).encode())
    for text in (
        b"",
        b"secret",
        KEY.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    ):
        with pytest.raises(ValueError, match=r"\.p8"):
            parse_key(text)
