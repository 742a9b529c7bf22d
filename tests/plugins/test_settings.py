"""Raw sections become structs, or every mistake is named and no secret shown."""

import logging
from typing import Annotated, Any, Literal

import msgspec
import pytest

from angarium.plugins.settings import Secret, SettingsInvalid, decode_settings


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 25
    verify: bool = True
    tls: Literal["none", "starttls"] = "none"
    password: Secret = Secret()
    sender: str = msgspec.field(default="", name="from")


def test_names_are_those_of_the_file() -> None:
    sample = decode_settings(Sample, {"host": "mail", "from": "a"}, "channels.x")

    assert sample.sender == "a"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"port": "2525"}, ("port", 2525)),
        ({"verify": "false"}, ("verify", False)),
        ({"verify": "0"}, ("verify", False)),
        ({"host": "12"}, ("host", "12")),
    ],
)
def test_text_from_the_environment_is_taken_for_numbers_and_booleans(
    given: dict[str, object], expected: tuple[str, Any]
) -> None:
    sample = decode_settings(Sample, {"host": "mail", **given}, "channels.x")

    assert getattr(sample, expected[0]) == expected[1]


def test_every_mistake_is_named_and_no_value_is_repeated() -> None:
    section = {"port": 70_000, "tls": "hunter1", "password": 12345678, "hots": "hunter2"}

    with pytest.raises(SettingsInvalid) as invalid:
        decode_settings(Sample, section, "channels.x")

    assert invalid.value.errors == [
        ("channels.x.hots", "unknown setting; did you mean host?"),
        ("channels.x.host", "missing, and it has no default"),
        ("channels.x.port", "Expected int <= 65535"),
        ("channels.x.tls", "must be one of none, starttls"),
        ("channels.x.password", "must be text"),
    ]
    for value in ("hunter", "12345678", "70000"):
        assert value not in str(invalid.value)


def test_a_pattern_is_told_by_its_name() -> None:
    class Named(msgspec.Struct):
        id: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", extra={"form": "three capitals"})]

    with pytest.raises(SettingsInvalid, match=r"channels\.x\.id: must be three capitals$"):
        decode_settings(Named, {"id": "hunter2"}, "channels.x")


def test_text_is_no_table() -> None:
    class Table(msgspec.Struct):
        words: dict[str, str]

    with pytest.raises(SettingsInvalid, match=r"words: must be a table, which only the file"):
        decode_settings(Table, {"words": '{"a": "b"}'}, "channels.x")


def test_an_unknown_setting_that_resembles_nothing_lists_what_there_is() -> None:
    with pytest.raises(SettingsInvalid, match="there are: host, port, verify"):
        decode_settings(Sample, {"host": "mail", "zzz": 1}, "channels.x")


def test_a_setting_of_a_type_that_no_file_can_hold_is_a_mistake_too() -> None:
    class Odd(msgspec.Struct):
        handler: logging.Handler

    with pytest.raises(SettingsInvalid, match="a setting cannot be a Handler"):
        decode_settings(Odd, {"handler": "x"}, "channels.x")


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2")
    sample = decode_settings(Sample, {"host": "mail", "password": "hunter2"}, "channels.x")

    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret, repr(sample)]  # noqa: UP031 — old formatting is what log calls use
    assert not [text for text in shown if "hunter2" in text]
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a")
    assert not Secret()
