"""The template filters that we add, and those of Liquid's own that we change (S1.16).

`jalali: "%Y/%m/%d"` writes an instant or date in the Persian calendar, `fa_digits` writes Persian
digits, `toman` writes an amount with its thousands parted.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liquid.exceptions import FilterArgumentError
from persiantools import digits
from persiantools.jdatetime import JalaliDate, JalaliDateTime

from angarium.core.events.values import is_list

DEFAULT_ZONE = "Asia/Tehran"
PATTERN_LETTERS = 1_000
TEXT_LETTERS = 512_000
"""No filter makes longer text: `replace` and `join` multiply, and two would fill the memory."""
NUMBER_BITS = 4_096

Filter = Callable[..., Any]


def jalali(value: Any, pattern: str = "%Y/%m/%d", zone: str = DEFAULT_ZONE) -> str:
    """The date or instant `value` (ISO) in the Persian calendar; "" for what is neither.

    `pattern` is strftime's. Names of months and weekdays are Persian, digits are not: see
    `fa_digits`.
    """
    if len(pattern) > PATTERN_LETTERS:
        raise FilterArgumentError("jalali: the pattern is too long", token=None)
    moment = _moment(value)
    if moment is None:
        return ""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        moment = moment.astimezone(_zone(zone))
    calendar: Any = JalaliDateTime if isinstance(moment, datetime) else JalaliDate
    return str(digits.fa_to_en(calendar.to_jalali(moment).strftime(pattern, locale="fa")))


def fa_digits(value: Any) -> str:
    """`value` with Persian digits."""
    return str(digits.en_to_fa(_text(value)))


def toman(value: Any) -> str:
    """`1250000` as `1,250,000`; what is no number stays as it is."""
    try:
        amount = float(value)
    except (TypeError, ValueError):
        return _text(value)
    return f"{amount:,.0f}"


def bounded(filters: Mapping[str, Filter]) -> dict[str, Filter]:
    """Those of Liquid's own filters that make something huge of something small, with limits."""
    return {name: _bounded(filters[name], size) for name, size in _SIZES.items()}


def _bounded(original: Filter, size: Callable[..., int]) -> Filter:
    @wraps(original)
    def limited(value: Any, *args: Any, **kwargs: Any) -> Any:
        if size(value, *args) > TEXT_LETTERS:
            raise FilterArgumentError("the text grows too long", token=None)
        return original(value, *args, **kwargs)

    return limited


def _size_of_replace(value: Any, old: Any = "", new: Any = "", *_: Any) -> int:
    text = _text(value)
    return len(text) + (text.count(_text(old)) if old else len(text) + 1) * len(_text(new))


def _size_of_join(value: Any, between: Any = " ", *_: Any) -> int:
    items = value if is_list(value) else [value]
    return sum(len(_text(item)) for item in items) + len(items) * len(_text(between))


def _size_of_sum(value: Any, *args: Any) -> int:
    return len(_text(value)) + sum(len(_text(arg)) for arg in args)


def _size_of_product(value: Any, factor: Any = 1, *_: Any) -> int:
    bits = sum(abs(n).bit_length() for n in (value, factor) if isinstance(n, int))
    return TEXT_LETTERS + 1 if bits > NUMBER_BITS else 0


_SIZES: Mapping[str, Callable[..., int]] = {
    "replace": _size_of_replace,
    "replace_first": _size_of_replace,
    "replace_last": _size_of_replace,
    "join": _size_of_join,
    "append": _size_of_sum,
    "prepend": _size_of_sum,
    "times": _size_of_product,
}


def _moment(value: Any) -> datetime | date | None:
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-11-22"):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    earliest = datetime(622, 3, 23, tzinfo=moment.tzinfo)
    return moment if moment - earliest > timedelta(0) else None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FilterArgumentError(f"jalali: there is no zone {name!r}", token=None) from error


def _text(value: Any) -> str:
    return "" if value is None else str(value)
