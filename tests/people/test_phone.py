import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.people.phone import normalise_mobile


@pytest.mark.parametrize(
    "written",
    [
        "09121234567",
        "9121234567",
        "989121234567",
        "+989121234567",
        "00989121234567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "٠٩١٢١٢٣٤٥٦٧",
        "+98 912 123 4567",
        "0912-123-4567",
    ],
)
def test_every_usual_way_to_write_an_iranian_mobile_gives_the_same_number(written: str) -> None:
    assert normalise_mobile(written) == "+989121234567"


@pytest.mark.parametrize(
    "written",
    ["", "+0", "1", "021 88888888", "0912ABC4567", "+989121234567890123456", "x" * 10_000],
)
def test_what_is_no_mobile_number_is_refused(written: str) -> None:
    assert normalise_mobile(written) is None


def test_a_number_of_another_country_keeps_its_code() -> None:
    assert normalise_mobile("+12025550123") == "+12025550123"


def test_the_region_is_that_of_numbers_without_a_code() -> None:
    assert normalise_mobile("0151 23456789", "DE") == "+4915123456789"


@given(st.sampled_from(["0", "+98", "0098"]), st.text("0123456789", min_size=9, max_size=11))
def test_the_short_way_of_reading_gives_what_the_long_way_gives(prefix: str, rest: str) -> None:
    assert normalise_mobile(prefix + rest) == normalise_mobile(f"{prefix} {rest}")


@given(st.text("0123456789", min_size=8, max_size=8))
def test_every_operator_s_numbers_are_read_alike_both_ways(rest: str) -> None:
    for operator in range(90, 100):
        number = f"{operator}{rest}"
        assert normalise_mobile("0" + number) == normalise_mobile("0 " + number)
