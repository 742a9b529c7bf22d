"""The cryptography of web push against RFC 8291's own example, and against others' code."""

import asyncio
import json
import os
from typing import Any
from urllib.parse import urlsplit

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from py_vapid import Vapid02
from pywebpush import WebPusher, webpush

from angarium.channels._web_push_crypto import (
    MOST_HEADERS,
    OVERHEAD_BYTES,
    RECORD_BYTES,
    Vapid,
    decode,
    encode,
    encrypt,
    make_private_key,
    public_key,
    read_point,
    read_private_key,
    write_point,
)
from tests.counterparts.web_push import Browser, push_service

AT = 1_790_000_000_000
HOUR = 3_600_000

# RFC 8291 §5 and Appendix A.
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER_PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
PLAINTEXT = b"When I grow up, I want to be a watermelon"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6"
    "TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4"
    "a-fN"
)


def test_the_example_of_the_rfc() -> None:
    body = encrypt(
        PLAINTEXT,
        read_point(decode(RECEIVER_PUBLIC)),
        decode(AUTH),
        sender=read_private_key(SENDER),
        salt=decode(SALT),
    )

    assert encode(body) == BODY


def test_a_private_key_has_the_public_key_that_the_rfc_says() -> None:
    assert public_key(RECEIVER) == RECEIVER_PUBLIC


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=RECORD_BYTES - OVERHEAD_BYTES), st.binary(min_size=16, max_size=16))
def test_http_ece_reads_what_was_encrypted(plaintext: bytes, auth: bytes) -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    body = encrypt(plaintext, key.public_key(), auth)

    assert len(body) == len(plaintext) + OVERHEAD_BYTES <= 4096
    assert http_ece.decrypt(body, private_key=key, auth_secret=auth) == plaintext


def test_only_the_browsers_own_key_and_secret_read_it() -> None:
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    auth = os.urandom(16)
    body = encrypt(PLAINTEXT, key.public_key(), auth)

    for private_key, secret in ((other, auth), (key, os.urandom(16))):
        with pytest.raises(Exception, match=r"Decryption error|InvalidTag"):
            http_ece.decrypt(body, private_key=private_key, auth_secret=secret)


def test_pywebpush_makes_bodies_of_the_same_form() -> None:
    browser = Browser("https://push.example.org/a")
    theirs = WebPusher(browser.json).encode(b'{"a":1}', "aes128gcm")["body"]
    keys = browser.json["keys"]
    ours = encrypt(b'{"a":1}', read_point(decode(keys["p256dh"])), decode(keys["auth"]))

    assert browser.read(ours) == browser.read(theirs) == {"a": 1}
    assert len(ours) == len(theirs)
    assert ours[16:22] == theirs[16:22]  # record size, length of the key, its form


def test_py_vapid_verifies_the_sender() -> None:
    header = Vapid(RECEIVER, "mailto:ops@example.org").header("https://push.example.org", AT)
    tight = header.replace(", ", ",")  # it does not read the space that RFC 8292 has there

    assert Vapid02.verify(tight)
    assert not Vapid02.verify(tight.replace("t=eyJ0", "t=eyJ1"))


def test_a_header_is_good_for_less_than_a_day_and_made_anew_at_half_time() -> None:
    vapid = Vapid(RECEIVER, "mailto:ops@example.org")

    first = vapid.header("https://a", AT)
    assert vapid.header("https://a", AT + 6 * HOUR - 1) == first
    later = vapid.header("https://a", AT + 6 * HOUR)

    assert claims(first)["exp"] == AT // 1000 + 12 * 3600
    assert claims(later)["exp"] == AT // 1000 + 18 * 3600
    assert vapid.header("https://b", AT) != first


def test_headers_of_many_services_take_no_more_than_so_much_room() -> None:
    vapid = Vapid(RECEIVER, "mailto:ops@example.org")
    first = vapid.header("https://0", AT)
    assert vapid.header("https://0", AT) == first

    for number in range(1, MOST_HEADERS + 1):
        vapid.header(f"https://{number}", AT)

    assert vapid.header("https://0", AT) != first  # ECDSA signs no text the same way twice


def claims(header: str) -> dict[str, Any]:
    token = header.removeprefix("vapid t=").partition(",")[0]
    read: dict[str, Any] = json.loads(decode(token.split(".")[1]))
    return read


async def test_what_pywebpush_sends_passes_the_same_push_service() -> None:
    """The counterpart is no tighter and no looser than others' senders need."""
    key = make_private_key()
    async with push_service() as service:
        browser = service.subscribe(key=public_key(key))
        answer = await asyncio.to_thread(
            webpush,
            subscription_info=browser.json,
            data='{"a":1}',
            vapid_private_key=key,
            vapid_claims={"sub": "mailto:ops@example.org"},
            ttl=60,
            headers={"Content-Type": "application/octet-stream"},
        )

    assert answer.status_code == 201
    [pushed] = service.pushed
    assert browser.read(pushed.body) == {"a": 1}
    assert urlsplit(pushed.claims["aud"]).netloc == urlsplit(service.url).netloc


@pytest.mark.parametrize(
    "text", ["", "AA", encode(bytes(32)), encode(b"\xff" * 32), "!" * 43, "é" * 43, "A\n" * 21]
)
def test_what_is_no_private_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not a private key") as caught:
        read_private_key(text)

    assert not text or text not in str(caught.value)


def test_keys_that_are_made_can_be_read() -> None:
    made = [make_private_key() for _ in range(20)]

    assert len(set(made)) == 20
    for text in made:
        point = decode(public_key(text))
        assert write_point(read_point(point)) == point
