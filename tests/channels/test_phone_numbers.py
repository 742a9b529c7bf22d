"""Numbers between E.164 and the forms that vendors speak."""

import pytest

from angarium.channels._phone_numbers import Style, read_number, write_number


@pytest.mark.parametrize(
    ("number", "style", "country", "written"),
    [
        ("+989121234567", "plus", "98", "+989121234567"),
        ("+989121234567", "digits", "98", "989121234567"),
        ("+989121234567", "zeros", "98", "00989121234567"),
        ("+989121234567", "national", "98", "09121234567"),
        ("+4915112345678", "national", "98", "004915112345678"),
        ("+4915112345678", "national", "49", "015112345678"),
    ],
)
def test_a_number_is_written_as_asked(
    number: str, style: Style, country: str, written: str
) -> None:
    assert write_number(number, style, country) == written


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+989121234567", "+989121234567"),
        ("989121234567", "+989121234567"),
        ("00989121234567", "+989121234567"),
        ("09121234567", "+989121234567"),
        (" +98 912-123 4567 ", "+989121234567"),
        ("30002626", "+30002626"),
        ("Shop", ""),
        ("", ""),
        ("+", ""),
        ("123", ""),
        ("۰۹۱۲۱۲۳۴۵۶۷", ""),
        ("+98912123456789012345678", ""),
    ],
)
def test_a_number_is_read_in_each_form(text: str, number: str) -> None:
    assert read_number(text, "98") == number


@pytest.mark.parametrize("style", ["plus", "digits", "zeros", "national"])
def test_what_is_written_is_read_back(style: Style) -> None:
    for number in ("+989121234567", "+4915112345678"):
        assert read_number(write_number(number, style, "98"), "98") == number
