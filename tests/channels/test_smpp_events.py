"""What a deliver_sm says, in the several dialects of service centres."""

from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from angarium.channels._smpp_events import (
    IdStyle,
    Receipt,
    Written,
    read_event,
    spell_answered,
)

TEXT = (
    "id:{id} sub:001 dlvrd:001 submit date:2611220900 done date:2611220901 stat:{word} err:{error} "
    "text:hello"
)


def event(body: bytes = b"", *, esm_class: int = 4, **fields: Any) -> smpp34.DeliverSm:
    return smpp34.DeliverSm("989121234567", "3000", body, esm_class=esm_class, **fields)


def receipt(id: str = "7", word: str = "DELIVRD", error: str = "000", **fields: Any) -> Any:
    return event(TEXT.format(id=id, word=word, error=error).encode(), **fields)


@pytest.mark.parametrize(
    ("word", "error", "read"),
    [
        ("DELIVRD", "000", Receipt("7", "delivered", "DELIVRD")),
        ("delivrd", "000", Receipt("7", "delivered", "DELIVRD")),
        ("EXPIRED", "027", Receipt("7", "expired", "EXPIRED", "27")),
        ("UNDELIV", "100", Receipt("7", "undelivered", "UNDELIV", "100")),
        ("UNDELIV", "1A", Receipt("7", "undelivered", "UNDELIV", "1A")),
        ("REJECTD", "099", Receipt("7", "undelivered", "REJECTD", "99")),
        ("ACCEPTD", "000", Receipt("7", "accepted", "ACCEPTD")),
        ("ENROUTE", "000", None),
        ("UNKNOWN", "000", None),
        ("SOMETHING", "000", None),
    ],
)
def test_a_receipt_is_read_from_its_text(word: str, error: str, read: Receipt | None) -> None:
    assert read_event(receipt(word=word, error=error)) == read


@pytest.mark.parametrize(
    "text",
    [
        "id:7 stat:DELIVRD",
        "id: 7 stat: DELIVRD",
        "id:7 submit date:26112209 stat:DELIVRD err:000",
        "id:7\nstat:DELIVRD\n",
    ],
)
def test_a_receipt_may_leave_out_what_nobody_reads(text: str) -> None:
    assert read_event(event(text.encode())) == Receipt("7", "delivered", "DELIVRD")


def test_optional_parameters_say_more_than_the_text() -> None:
    tlvs = [smpp34.Tlv(0x001E, b"abc\0"), smpp34.Tlv(0x0427, b"\x05")]

    assert read_event(receipt(tlvs=tlvs)) == Receipt("abc", "undelivered", "UNDELIV")
    assert read_event(event(tlvs=tlvs)) == Receipt("abc", "undelivered", "UNDELIV")


@pytest.mark.parametrize("state", [1, 7, 9, 200])
def test_a_state_that_ends_nothing_means_nothing(state: int) -> None:
    tlvs = [smpp34.Tlv(0x001E, b"abc"), smpp34.Tlv(0x0427, bytes([state]))]

    assert read_event(event(tlvs=tlvs)) is None


@pytest.mark.parametrize(
    ("style", "in_receipt", "in_answer"),
    [
        ("same", "00ab", "00ab"),
        ("decimal", "255", "ff"),
        ("hex", "ff", "255"),
        ("hex", "0FF", "255"),
        ("decimal", "not a number", "not"),
        ("hex", "M1", "M1"),
    ],
)
def test_an_id_is_written_as_the_answer_wrote_it(
    style: IdStyle, in_receipt: str, in_answer: str
) -> None:
    read = read_event(receipt(id=in_receipt), style)

    assert isinstance(read, Receipt)
    assert read.id == in_answer


@pytest.mark.parametrize(
    ("style", "in_text", "in_parameter", "in_answer"),
    [
        ("same", "7", "ab", "ab"),
        ("decimal", "49", "31", "31"),
        ("decimal", "49", "0031", "31"),
        ("decimal", "171", "00AB", "ab"),
        ("decimal", "171", "171", "ab"),
        ("decimal", "", "AB", "ab"),
        ("hex", "31", "49", "49"),
        ("hex", "31", "31", "49"),
    ],
)
def test_the_parameter_is_as_the_answer_wrote_the_id_unless_the_text_says_the_same(
    style: IdStyle, in_text: str, in_parameter: str, in_answer: str
) -> None:
    """SMPP 3.4 §5.3.2.12"""
    tlvs = [smpp34.Tlv(0x001E, in_parameter.encode() + b"\0"), smpp34.Tlv(0x0427, b"\x02")]
    read = read_event(receipt(id=in_text, tlvs=tlvs) if in_text else event(tlvs=tlvs), style)

    assert isinstance(read, Receipt)
    assert read.id == in_answer


@pytest.mark.parametrize(
    ("style", "in_answer", "one_spelling"),
    [
        ("same", "00AB", "00AB"),
        ("decimal", "00AB", "ab"),
        ("decimal", "M1", "M1"),
        ("hex", "0255", "255"),
        ("hex", "M1", "M1"),
    ],
)
def test_an_id_has_one_spelling_however_the_answer_writes_it(
    style: IdStyle, in_answer: str, one_spelling: str
) -> None:
    assert spell_answered(in_answer, style) == one_spelling


def test_a_long_receipt_is_read_at_once() -> None:
    """Every `id:` could begin a receipt that has no `stat:`: looked at to the end, each time."""
    body = smpp34.Tlv(0x0424, b"id:1 " * 13_000)

    assert read_event(event(tlvs=[body])) is None


@pytest.mark.parametrize(
    ("body", "fields", "text"),
    [
        (b"STOP", {}, "STOP"),
        (b"\x1be 10 \x00", {}, "€ 10 @"),
        ("سلام 🎉".encode("utf-16-be"), {"data_coding": 8}, "سلام 🎉"),
        ("é".encode("latin-1"), {"data_coding": 3}, "é"),
        (b"\x05\x00\x03\x07\x02\x01" + b"STOP", {"esm_class": 0x40}, "STOP"),
        (b"\x06\x08\x04\x00\x07\x02\x01" + b"STOP", {"esm_class": 0x40}, "STOP"),
        (b"\x05", {"esm_class": 0x40}, ""),
        (b"odd", {"data_coding": 8}, "\u6f64\ufffd"),
        (b"", {"tlvs": [smpp34.Tlv(0x0424, b"STOP")]}, "STOP"),
        (b"", {}, ""),
    ],
)
def test_what_a_person_wrote_is_read_in_its_alphabet(
    body: bytes, fields: dict[str, Any], text: str
) -> None:
    read = read_event(event(body, **{"esm_class": 0, **fields}))

    assert read == Written("989121234567", 0, text)


def test_a_number_comes_with_its_type() -> None:
    read = read_event(event(b"x", esm_class=0, source_addr_ton=1))

    assert read == Written("989121234567", 1, "x")


@given(
    st.binary(max_size=254),
    st.integers(0, 255),
    st.integers(0, 255),
    st.sampled_from(["same", "decimal", "hex"]),
)
def test_anything_can_be_read(body: bytes, esm_class: int, coding: int, style: IdStyle) -> None:
    read_event(event(body, esm_class=esm_class, data_coding=coding), style)
