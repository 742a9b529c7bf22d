"""The shop's campaigns, as they are sent to POST /v1/campaigns.

Each greets people in their own language: a right-to-left mail with Jalali dates and Persian digits,
or an English one.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from angarium.gateway.demo.diary import SHOP


class Wording(msgspec.Struct, frozen=True):
    """One language of a mail: its paragraphs are Liquid. link: the words of the link."""

    subject: str
    paragraphs: Sequence[str]
    link: str
    goodbye: str = ""


class DemoCampaign(msgspec.Struct, frozen=True):
    """A definition. today: it begins only after the fortnight's history has been told."""

    definition: dict[str, Any]
    today: bool = False

    @property
    def name(self) -> str:
        return str(self.definition["name"])


VIP_SUM: Final = 12_000_000
"""Toman that somebody has spent before the shop thanks them."""

LEAVE_FA: Final = "دیگر این نامه‌ها را نمی‌خواهم"
LEAVE_EN: Final = "Unsubscribe"

_HTML: Final = (
    '<!doctype html><html lang="{lang}" dir="{dir}"><body style="font:16px/1.9 {font};'
    'margin:0 auto;max-width:34rem;padding:1.5rem;color:#222">{body}</body></html>'
)
_BUTTON: Final = (
    '<p><a href="{href}" style="background:#9f1239;color:#fff;border-radius:6px;'
    'padding:.5rem 1.2rem;text-decoration:none">{words}</a></p>'
)


def mail(fa: Wording, en: Wording, path: str) -> dict[str, str]:
    """Subject, text and HTML of a mail in both languages; the link leads to the shop's `path`."""
    return {
        "subject": _either(fa.subject, en.subject),
        "text": _either(_text(fa, path), _text(en, path)),
        "html": _either(
            _html(fa, path, "fa", "rtl", "Vazirmatn,Tahoma,sans-serif"),
            _html(en, path, "en", "ltr", "system-ui,sans-serif"),
        ),
    }


def _either(fa: str, en: str) -> str:
    return '{% if profile.locale == "en" %}' + en + "{% else %}" + fa + "{% endif %}"


def _text(wording: Wording, path: str) -> str:
    goodbye = [f"{wording.goodbye}: {{{{ links.unsubscribe }}}}"] if wording.goodbye else []
    return "\n\n".join([*wording.paragraphs, f"{wording.link}: {SHOP}{path}", *goodbye])


def _html(wording: Wording, path: str, lang: str, direction: str, font: str) -> str:
    body = "".join(f"<p>{line}</p>" for line in wording.paragraphs).replace("\n", "<br>")
    body += _BUTTON.format(href=SHOP + path, words=wording.link)
    if wording.goodbye:
        leave = '<p><small><a href="{{ links.unsubscribe }}">' + wording.goodbye
        body += leave + "</a></small></p>"
    return _HTML.format(lang=lang, dir=direction, font=font, body=body)


HELLO_FA: Final = "سلام {{ profile.first_name | default: 'دوست عزیز' }}،"
HELLO_EN: Final = "Hello {{ profile.first_name | default: 'there' }},"

CART: Final = mail(
    Wording(
        "{{ profile.first_name | default: 'دوست عزیز' }}، سبد خریدتان هنوز اینجاست",
        (
            HELLO_FA,
            '{{ event.timestamp | jalali: "%A %d %B، ساعت %H:%M" | fa_digits }} '
            "«{{ event.properties.name }}» را به سبد خرید افزودید. هنوز برایتان نگهش داشته‌ایم.",
            "قیمت: {{ event.properties.price | toman | fa_digits | replace: ',', '٬' }} تومان",
        ),
        "رفتن به سبد خرید",
        LEAVE_FA,
    ),
    Wording(
        "{{ profile.first_name | default: 'Hello' }}, your cart is still here",
        (
            HELLO_EN,
            'On {{ event.timestamp | date: "%A, %d %B" }} you put “{{ event.properties.name }}” '
            "into your cart. We have kept it for you.",
            "Price: {{ event.properties.price | toman }} toman",
        ),
        "Go to your cart",
        LEAVE_EN,
    ),
    "/cart",
)
WELCOME: Final = mail(
    Wording(
        "{{ profile.first_name | default: 'دوست عزیز' }}، به فروشگاه انار خوش آمدید",
        (
            HELLO_FA,
            "از امروز، {{ event.timestamp | jalali: '%d %B %Y' | fa_digits }}، حساب شما فعال است.",
        ),
        "تازه‌ها را ببینید",
        LEAVE_FA,
    ),
    Wording(
        "Welcome to Anar, {{ profile.first_name | default: 'friend' }}",
        (HELLO_EN, "your account is ready since today."),
        "See what is new",
        LEAVE_EN,
    ),
    "/new",
)
WIN_BACK: Final = mail(
    Wording(
        "{{ profile.first_name | default: 'دوست عزیز' }}، دلمان برایتان تنگ شده",
        (
            HELLO_FA,
            "آخرین خریدتان {{ event.timestamp | jalali: '%A %d %B' | fa_digits }} بود: "
            "{% for item in event.properties.items %}{{ item.name }}"
            "{% unless forloop.last %}، {% endunless %}{% endfor %}.",
            "با کد ANAR10 ده درصد تخفیف بگیرید.",
        ),
        "سری به فروشگاه بزنید",
        LEAVE_FA,
    ),
    Wording(
        "{{ profile.first_name | default: 'Hello' }}, we have missed you",
        (
            HELLO_EN,
            "it has been a while since you bought {{ event.properties.items[0].name }}.",
            "ANAR10 takes ten per cent off your next order.",
        ),
        "Visit the shop",
        LEAVE_EN,
    ),
    "/new",
)
THANKS: Final = mail(
    Wording(
        "{{ profile.first_name | default: 'دوست عزیز' }}، ارسال همیشه رایگان برای شما",
        (HELLO_FA, "شما از بهترین مشتریان انار هستید. از امروز هزینهٔ ارسال با ماست."),
        "دیدن فروشگاه",
        LEAVE_FA,
    ),
    Wording(
        "{{ profile.first_name | default: 'Hello' }}, delivery is on us from now on",
        (HELLO_EN, "you are one of our best customers: from today we pay for delivery."),
        "Visit the shop",
        LEAVE_EN,
    ),
    "/delivery",
)
RECEIPT: Final = mail(
    Wording(
        "سفارش {{ event.properties.order | fa_digits }} ثبت شد",
        (
            HELLO_FA,
            "سفارش شما {{ event.timestamp | jalali: '%Y/%m/%d ساعت %H:%M' | fa_digits }} ثبت شد:"
            "{% for item in event.properties.items %}\n{{ item.name }}: "
            "{{ item.price | toman | fa_digits | replace: ',', '٬' }} تومان{% endfor %}",
            "جمع: {{ event.properties.amount | toman | fa_digits | replace: ',', '٬' }} تومان",
        ),
        "پیگیری سفارش",
    ),
    Wording(
        "Order {{ event.properties.order }} is confirmed",
        (
            HELLO_EN,
            "thank you for your order:{% for item in event.properties.items %}\n{{ item.name }}: "
            "{{ item.price | toman }} toman{% endfor %}",
            "Total: {{ event.properties.amount | toman }} toman",
        ),
        "Track your order",
    ),
    "/orders",
)

CAMPAIGNS: Final[Sequence[DemoCampaign]] = (
    DemoCampaign(
        {
            "name": "Abandoned cart",
            "class": "marketing",
            "send_at": {
                "trigger": {"event": "AddToCart"},
                "delay": "P1D",
                "stop": {"event": "Purchase"},
            },
            "limit": {"per_person": 2, "within": "P7D"},
            "content": {"email": CART},
        }
    ),
    DemoCampaign(
        {
            "name": "Win back after 14 days",
            "class": "marketing",
            "send_at": {
                "trigger": {"event": "Purchase"},
                "delay": "P14D",
                "stop": {"event": "Purchase"},
            },
            "content": {"email": WIN_BACK},
        }
    ),
    DemoCampaign(
        {
            "name": "Welcome",
            "class": "marketing",
            "send_at": {"trigger": {"event": "Signed Up"}},
            "content": {"email": WELCOME},
        },
        today=True,
    ),
    DemoCampaign(
        {
            "name": "Thanks to our best customers",
            "class": "marketing",
            "audience": {
                "all": [
                    {"known": True},
                    {"event": "Purchase", "property": "amount", "sum": {"at_least": VIP_SUM}},
                ]
            },
            "send_at": {"trigger": {"event": "Purchase"}},
            "limit": {"per_person": 1, "within": "P30D"},
            "content": {"email": THANKS},
        },
        today=True,
    ),
    DemoCampaign(
        {
            "name": "Order confirmation",
            "class": "transactional",
            "send_at": {"trigger": {"event": "Purchase"}, "retrigger": "each"},
            "content": {"email": RECEIPT},
        },
        today=True,
    ),
)
