"""Mobile numbers, brought to E.164 (S2.11)."""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def normalise_mobile(text: str, region: str = "IR") -> str | None:
    """`+989121234567` for every usual way to write that number, or None where it is no mobile.

    Persian and Arabic digits, spaces and dashes are taken; `region` (ISO 3166) is that of numbers
    without a country code.
    """
    usual = _usual(region)
    if usual is not None and (found := usual[1].fullmatch(text)):
        return usual[0] + found[1]
    digits = "".join(_latin(letter) for letter in text.strip())
    if len(digits) > 40 or any(letter.isalpha() for letter in digits):
        return None
    for attempt in _readings(digits, region):
        try:
            number = phonenumbers.parse(attempt, region)
        except phonenumbers.NumberParseException:
            continue
        usable = phonenumbers.is_valid_number(number) and not number.extension
        if usable and phonenumbers.number_type(number) in MOBILE:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


@lru_cache(maxsize=300)
def _usual(region: str) -> tuple[str, re.Pattern[str]] | None:
    """The prefix and the pattern by which most numbers of a region are read, at a hundredth of
    the library's cost; None where other countries share the region's code."""
    code = phonenumbers.country_code_for_region(region)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    mobile = metadata.mobile if metadata is not None else None
    alone = len(phonenumbers.region_codes_for_country_code(code)) == 1
    if metadata is None or mobile is None or not alone:
        return None
    trunk = metadata.national_prefix or ""
    number = mobile.national_number_pattern
    return f"+{code}", re.compile(rf"(?:\+{code}|00{code}|{trunk})({number})", re.ASCII)


def _latin(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


def _readings(digits: str, region: str) -> tuple[str, ...]:
    if digits.startswith("+"):
        return (digits,)
    if digits.startswith("00"):
        return ("+" + digits[2:],)
    code = str(phonenumbers.country_code_for_region(region))
    return (digits, "+" + digits) if digits.startswith(code) else (digits,)
