"""No text of a message can change the request that it is filled into."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.channels._text_template import (
    check_body,
    check_template,
    escape_for,
    escape_header,
    escape_url,
    fill,
)

TEXT = st.text(st.characters(codec="utf-8"))
JSON = '{"to": ["{to}"], "body": {"text": "{text}", "ref": "x-{key}"}, "from": "{from}"}'


@given(TEXT, TEXT)
def test_json_holds_the_message_and_nothing_else(to: str, text: str) -> None:
    values = {"to": to, "text": text, "key": "dlv_1", "from": "{to}"}

    filled = json.loads(fill(JSON, values, escape_for("json")))

    assert filled == {"to": [to], "body": {"text": text, "ref": "x-dlv_1"}, "from": "{to}"}


@given(TEXT.filter(bool), TEXT.filter(bool))
def test_a_form_holds_the_message_and_nothing_else(to: str, text: str) -> None:
    values = {"to": to, "text": text, "key": "dlv_1", "from": ""}

    filled = fill("to={to}&text={text}&key={key}&x=1", values, escape_for("form"))

    assert parse_qs(filled) == {"to": [to], "text": [text], "key": ["dlv_1"], "x": ["1"]}


@given(TEXT.filter(bool))
def test_an_address_holds_the_message_and_leads_nowhere_else(text: str) -> None:
    filled = fill("https://gw.example/send?text={text}&a=b", {"text": text}, escape_url)

    parts = urlsplit(filled)
    assert (parts.netloc, parts.path, parts.fragment) == ("gw.example", "/send", "")
    assert parse_qs(parts.query) == {"text": [text], "a": ["b"]}


@given(TEXT)
def test_a_header_stays_one_line(text: str) -> None:
    assert escape_header(text).isprintable()
    assert " " not in escape_header(text)


def test_what_was_filled_in_is_not_read_again() -> None:
    values = {"to": "{text}", "text": "{key}", "key": "k", "from": ""}

    assert fill("{to} {text}", values, str) == "{text} {key}"


@pytest.mark.parametrize(
    "body",
    [
        '{"to": {to}, "text": "{text}"}',
        '{"to": "{to}", "text": {text}}',
        '{"to": "{to}", "text": "{text}"',
        "to={to}&text={text}",
        '"{to}" "{text}"',
    ],
)
def test_json_that_a_message_could_break_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        check_body(body, "json")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"to": "{to}"}', "{text}"),
        ('{"text": "{text}"}', "{to}"),
        ("", "{to}"),
        ('{"to": "{to}", "text": "{text}", "x": "{phone}"}', "no {phone}"),
    ],
)
def test_a_body_that_holds_no_message_is_refused(body: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_body(body, "json")


def test_every_hole_may_stand_anywhere() -> None:
    check_body(JSON, "json")
    check_template("{to}{text}{key}{from}")
