"""Taking bodies apart: what is a member, what is the key, what cannot be read."""

import msgspec
import pytest

from angarium.gateway.bodies import LOST, read_sent_at, split_batch, split_single
from angarium.gateway.problems import Refusal

NOON = "2026-11-21T12:00:00Z"


def members(body: bytes) -> list[bytes]:
    return [bytes(member) for member in split_batch(body).members]


def test_members_are_the_bytes_that_came() -> None:
    body = b'{"batch": [ {"a": 1.50,  "b":"\\u0041"} , 2 ], "sentAt": "2026-11-21T12:00:00Z"}'

    assert members(body) == [b'{"a": 1.50,  "b":"\\u0041"}', b"2"]
    assert split_batch(body).sent_at == NOON


def test_a_mark_before_the_text_is_passed_over_once() -> None:
    assert members(b'\xef\xbb\xbf{"batch":[1]}') == [b"1"]
    with pytest.raises(Refusal):
        split_batch(b'\xef\xbb\xbf\xef\xbb\xbf{"batch":[1]}')


def test_of_two_members_with_one_name_the_last_counts() -> None:
    assert members(b'{"batch":[1],"batch":[2]}') == [b"2"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":[{"a":1}],"writeKey":"wk"}',
        b'{"writeKey":"wk","batch":[{"a":1,"writeKey":"wk"}]}',
        b'{"batch":[{"writeKey":"other","a":1}],"writeKey":"wk"}',
    ],
)
def test_the_key_of_a_batch_is_read_and_left_out(body: bytes) -> None:
    assert split_batch(body).key == "wk"
    assert members(body) == [b'{"a":1}']


def test_a_key_deeper_inside_a_message_belongs_to_the_sender() -> None:
    body = b'{"batch":[{"properties":{"writeKey":"theirs"}}]}'

    assert split_batch(body).key == ""
    assert members(body) == [b'{"properties":{"writeKey":"theirs"}}']


def test_the_key_of_a_single_message_is_read_and_left_out() -> None:
    single = split_single(b'{"event":"A", "writeKey":"wk", "properties":{"x" : 1e2}}')

    assert single.key == "wk"
    assert single.members == [b'{"event":"A","properties":{"x" : 1e2}}']


def test_a_single_message_without_a_key_stays_as_it_came() -> None:
    assert split_single(b' {"event" : "A"} ').members == [b' {"event" : "A"} ']


@pytest.mark.parametrize("key", [b"1", b"null", b"{}", b'["wk"]'])
def test_a_key_that_is_no_text_opens_nothing(key: bytes) -> None:
    assert split_batch(b'{"batch":[1],"writeKey":%b}' % key).key == ""
    assert split_single(b'{"event":"A","writeKey":%b}' % key).key == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"1",
        b'"batch"',
        b"{}",
        b'{"batch":null}',
        b'{"batch":{}}',
        b'{"batch":[1]',
        b'{"batch":[1]} x',
        b'{"batch":[1]}{}',
        b'{"batch":[1,]}',
        b"{'batch':[1]}",
        b'{"batch":[NaN]}',
        b'{"batch":[Infinity]}',
        b'{"batch":[-Infinity]}',
        b'{"batch":["\x00"]}',
        b'{"batch":["\xff"]}',
        b'{"batch":["\xed\xa0\x80"]}',
        '{"batch":[1]}'.encode("utf-16"),
        b'{"batch":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"batch":[1],"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        split_batch(body)

    assert refused.value.problem.status == 400
    assert refused.value.code == "unreadable_body"


def test_half_a_surrogate_pair_loses_one_member_and_no_other() -> None:
    body = b'{"batch":[{"a":1},{"a":"cut \\ud83d"},{"a":"\\ud83d\\ude00"}],"writeKey":"wk"}'

    assert split_batch(body).key == "wk"
    assert members(body) == [b'{"a":1}', LOST, '{"a":"😀"}'.encode()]


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":["\\ud83d"',
        b'{"batch":"\\ud83d"}',
        b'{"other":"\\ud83d"}',
        b'["\\ud83d"]',
        b'{"batch":["\\ud83d",NaN]}',
        b'{"batch":["\\ud83d",' + b"9" * 5_000 + b"]}",
        b'{"batch":["\\ud83d",' + b"[" * 10_000 + b"]" * 10_000 + b"]}",
    ],
)
def test_a_batch_that_is_broken_otherwise_too_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        split_batch(body)


def test_a_broken_single_message_is_left_to_whoever_checks_it() -> None:
    for body in (b"", b"[", b'{"writeKey":"wk"', b'{"writeKey":' + b"[" * 10_000):
        assert split_single(body).members == [body]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (NOON, NOON),
        ("2026-11-21T15:30:00.123+03:30", "2026-11-21T15:30:00.123+03:30"),
        ("yesterday", ""),
        ("", ""),
        ("9" * 100, ""),
        (1_795_262_400_000, ""),
        (None, ""),
        ({}, ""),
    ],
)
def test_only_an_instant_counts_as_the_time_of_sending(value: object, read: str) -> None:
    assert read_sent_at(value) == read
    assert split_batch(msgspec.json.encode({"batch": [1], "sentAt": value})).sent_at == read
