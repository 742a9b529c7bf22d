import pytest

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
