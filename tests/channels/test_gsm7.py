"""GSM-7, against the tables of another implementation (smpplib)."""

from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import gsm_encode

from angarium.channels._gsm7 import decode_gsm7, encode_gsm7
from angarium.plugins.sms import GSM_EXTENSION, GSM_LETTERS

LETTERS = GSM_LETTERS.replace("\x1b", "") + "".join(GSM_EXTENSION)


def test_every_letter_has_the_code_that_others_give_it() -> None:
    known = [letter for letter in LETTERS if letter not in "§\f"]  # smpplib lacks these

    assert {one: encode_gsm7(one) for one in known} == {one: gsm_encode(one) for one in known}
    assert encode_gsm7("§\f") == b"\x5f\x1b\x0a"


@given(st.text(st.sampled_from(LETTERS)))
def test_what_is_encoded_is_decoded(text: str) -> None:
    assert decode_gsm7(encode_gsm7(text)) == text


@given(st.binary())
def test_anything_can_be_decoded(data: bytes) -> None:
    assert len(decode_gsm7(data)) <= len(data)


def test_an_unknown_extension_is_the_letter_itself() -> None:
    assert decode_gsm7(b"\x1bA\x1b") == "A"
