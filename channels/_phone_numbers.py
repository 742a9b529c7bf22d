"""Phone numbers between E.164, which is stored, and the forms that vendors speak.

No judgement of whether a number exists: that was made when it was stored.
"""

from typing import Literal

Style = Literal["plus", "digits", "zeros", "national"]
"""+98912…, 98912…, 0098912…, 0912… (only within `country`; abroad, zeros)."""


def write_number(number: str, style: Style, country: str) -> str:
    """Give an E.164 number as a vendor wants it; `country` is the calling code, "98"."""
    digits = number.removeprefix("+")
    if style == "plus":
        return f"+{digits}"
    if style == "digits":
        return digits
    if style == "national" and digits.startswith(country):
        return f"0{digits.removeprefix(country)}"
    return f"00{digits}"


def read_number(text: str, country: str) -> str:
    """Give what a vendor wrote as E.164; "" for what is no number (a sender's name)."""
    compact = text.strip().replace(" ", "").replace("-", "")
    digits = compact.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 20):
        return ""
    if compact.startswith("+"):
        return compact
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return f"+{country}{digits[1:]}" if digits.startswith("0") else f"+{digits}"
