import json
from typing import Any

import pytest

from angarium.core.events.message import Defaults, MessageRefused, parse_message
from angarium.core.events.times import parse_instant

RECEIVED = parse_instant("2026-11-22T10:00:00Z")
DEFAULTS = Defaults(received_at=RECEIVED)


def raw(**members: Any) -> bytes:
    message = {"type": "track", "userId": "u1", "event": "Purchase", "messageId": "m1"} | members
    return json.dumps({k: v for k, v in message.items() if v is not ...}).encode()


def refusal(body: bytes, defaults: Defaults = DEFAULTS) -> tuple[str, str]:
    with pytest.raises(MessageRefused) as caught:
        parse_message(body, defaults)
    return caught.value.code, caught.value.field


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "not_json", ""),
        (b"null", "wrong_type", ""),
        (b"[]", "wrong_type", ""),
        (b'"text"', "wrong_type", ""),
        (b'{"type": "track"', "not_json", ""),
        (b'{"type": "track"} x', "not_json", ""),
        (b'{"type": NaN}', "not_json", ""),
        (b'{"properties": {"a": 1e999}}', "wrong_type", "properties[...]"),
        (b'{"properties": {"a": "\\ud800"}}', "not_json", ""),
        (b'{"type": "\xff"}', "not_json", ""),
        (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too_deep", ""),
        (b'{"x":' + b"[" * 64 + b"]" * 64 + b"}", "too_deep", ""),
        (b'{"x": "' + b"a" * 40_000 + b'"}', "message_too_large", ""),
        (raw(properties={"a": "\0"}), "null_character", ""),
        (raw(type="sing"), "unknown_type", "type"),
        (raw(type=...), "unknown_type", "type"),
        (raw(type=5), "wrong_type", "type"),
        (raw(userId=...), "no_id", "userId"),
        (raw(userId="", anonymousId=None), "no_id", "userId"),
        (raw(userId="x" * 101), "id_too_long", "userId"),
        (raw(anonymousId="x" * 129), "id_too_long", "anonymousId"),
        (raw(userId="a\nb"), "bad_id", "userId"),
        (raw(userId={"id": 1}), "wrong_type", "userId"),
        (raw(messageId="x" * 129), "message_id_too_long", "messageId"),
        (raw(messageId="merge:prf_1"), "reserved_message_id", "messageId"),
        (raw(messageId="consent:1"), "reserved_message_id", "messageId"),
        (raw(messageId="reaction:1"), "reserved_message_id", "messageId"),
        (raw(event=...), "no_event_name", "event"),
        (raw(event="  "), "no_event_name", "event"),
        (raw(event="x" * 201), "event_name_too_long", "event"),
        (raw(event="a\r\nb"), "bad_event_name", "event"),
        (raw(timestamp="yesterday"), "bad_timestamp", "timestamp"),
        (raw(timestamp="1970-01-01T00:00:00Z"), "timestamp_out_of_range", "timestamp"),
        (raw(timestamp=0), "timestamp_out_of_range", "timestamp"),
        (raw(type="alias"), "no_id", "previousId"),
        (raw(properties=[1]), "wrong_type", "properties"),
    ],
)
def test_a_bad_message_is_refused_by_name(body: bytes, code: str, field: str) -> None:
    assert refusal(body) == (code, field)


@pytest.mark.parametrize(
    "id", [" ", "null", "undefined", "0", "[object Object]", "anonymous", "NaN", "None", "true"]
)
def test_an_id_that_stands_for_everybody_is_refused(id: str) -> None:
    assert refusal(raw(userId=id)) == ("meaningless_id", "userId")


@pytest.mark.parametrize(
    ("given", "stored"), [(5, "5"), (5.0, "5"), ("۱۲", "۱۲"), ("e\u0301", "\u00e9"), ("😀", "😀")]
)
def test_ids_are_strings_in_one_unicode_form(given: Any, stored: str) -> None:
    assert parse_message(raw(userId=given), DEFAULTS).user_id == stored


@pytest.mark.parametrize("absent", [None, "", ...])
def test_null_and_empty_and_absent_ids_are_all_none(absent: Any) -> None:
    message = parse_message(raw(userId=absent, anonymousId="a1"), DEFAULTS)

    assert (message.user_id, message.anonymous_id) == (None, "a1")


@pytest.mark.parametrize(
    ("members", "sent_at", "at"),
    [
        ({}, None, "2026-11-22T10:00:00Z"),
        ({"timestamp": "2026-11-22T09:00:00Z"}, None, "2026-11-22T09:00:00Z"),
        ({"originalTimestamp": "2026-11-22T09:00:00Z"}, None, "2026-11-22T09:00:00Z"),
        # The sender's clock is an hour slow: what it calls 8:30 was 9:30.
        (
            {"timestamp": "2026-11-22T08:30:00Z", "sentAt": "2026-11-22T09:00:00Z"},
            None,
            "2026-11-22T09:30:00Z",
        ),
        ({"timestamp": "2026-11-22T08:30:00Z"}, "2026-11-22T09:00:00Z", "2026-11-22T09:30:00Z"),
        # Two seconds are the time that the request took, not an error of the clock.
        (
            {"timestamp": "2026-11-22T09:00:00Z", "sentAt": "2026-11-22T09:59:58Z"},
            None,
            "2026-11-22T09:00:00Z",
        ),
        # A clock ten years ahead without sentAt: the receipt is the latest that can be.
        ({"timestamp": "2036-11-22T10:00:00Z"}, None, "2026-11-22T10:00:00Z"),
        ({"timestamp": RECEIVED - 1000}, None, "2026-11-22T09:59:59Z"),
        ({"timestamp": RECEIVED // 1000 - 60}, None, "2026-11-22T09:59:00Z"),
    ],
)
def test_event_time(members: dict[str, Any], sent_at: str | None, at: str) -> None:
    defaults = Defaults(RECEIVED, sent_at=None if sent_at is None else parse_instant(sent_at))

    assert parse_message(raw(**members), defaults).at == parse_instant(at)


def test_the_envelope_may_give_the_type() -> None:
    message = parse_message(raw(type=...), Defaults(RECEIVED, type="track", request_id="r1"))

    assert (message.kind, message.request_id) == ("track", "r1")


@pytest.mark.parametrize(
    ("members", "traits"),
    [
        ({"traits": {"a": 1}}, {"a": 1}),
        ({"context": {"traits": {"a": 1}}}, {"a": 1}),
        ({"traits": {"a": 1}, "context": {"traits": {"a": 2, "b": 3}}}, {"a": 1, "b": 3}),
    ],
)
def test_traits_are_read_from_both_places(members: dict[str, Any], traits: dict[str, Any]) -> None:
    assert parse_message(raw(type="identify", **members), DEFAULTS).traits == traits


@pytest.mark.parametrize(("kind", "name"), [("page", "Page Viewed"), ("screen", "Screen Viewed")])
def test_a_view_is_an_event_with_its_name_as_a_property(kind: str, name: str) -> None:
    message = parse_message(raw(type=kind, name="Home", properties={"url": "/"}), DEFAULTS)

    assert (message.name, message.properties) == (name, {"name": "Home", "url": "/"})


def test_odd_keys_are_plain_data() -> None:
    properties = {"__proto__": 1, "constructor": 2, "$where": 3}

    assert parse_message(raw(properties=properties), DEFAULTS).properties == properties


def test_the_device_is_the_anonymous_id_unless_the_sender_names_one() -> None:
    plain = parse_message(raw(anonymousId="a1"), DEFAULTS)
    phone = parse_message(
        raw(anonymousId="a1", context={"device": {"id": "d1", "type": "ios", "token": "t"}}),
        DEFAULTS,
    )

    assert (plain.device_id, phone.device_id) == ("a1", "d1")
