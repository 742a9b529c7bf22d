"""Mobile numbers, brought to E.164 (S2.11)."""

import unicodedata

import phonenumbers
from phonenumbers import PhoneNumberType

MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def normalise_mobile(text: str, region: str = "IR") -> str | None:
    """`+989121234567` for every usual way to write that number, or None where it is no mobile.

    Persian and Arabic digits, spaces and dashes are taken; `region` (ISO 3166) is that of numbers
    without a country code.
    """
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
