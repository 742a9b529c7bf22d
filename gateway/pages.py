"""The few pages that recipients see: small, without scripts, cookies or personal data."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final, Literal

from litestar import Response

Language = Literal["en", "fa"]
Text = Literal["unsubscribe", "unsubscribed", "unknown", "later"]

TEXTS: Final[dict[Language, dict[Text, tuple[str, str]]]] = {
    "en": {
        "unsubscribe": ("Unsubscribe", "Do you want to stop receiving these messages?"),
        "unsubscribed": ("You are unsubscribed", "You will not receive these messages any more."),
        "unknown": ("This link is not valid", "It may be incomplete. Nothing was changed."),
        "later": ("Not now", "Nothing was changed. Please try again in a moment."),
    },
    "fa": {
        "unsubscribe": ("لغو دریافت", "آیا می‌خواهید دیگر این پیام‌ها را دریافت نکنید؟"),
        "unsubscribed": ("لغو شد", "دیگر این پیام‌ها را دریافت نخواهید کرد."),
        "unknown": ("این پیوند معتبر نیست", "شاید کامل نباشد. چیزی تغییر نکرد."),
        "later": ("اکنون نه", "چیزی تغییر نکرد. لطفاً چند لحظهٔ دیگر دوباره تلاش کنید."),
    },
}
BUTTON: Final[dict[Language, str]] = {"en": "Unsubscribe", "fa": "لغو دریافت"}

STYLE: Final = (
    "body{font:1.1rem/1.7 system-ui,Tahoma,sans-serif;max-width:32rem;margin:15vh auto;"
    "padding:0 1.5rem;color:#222;background:#fff}h1{font-size:1.5rem}"
    "button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;color:#fff;"
    "background:#14532d;cursor:pointer}"
    "fieldset{border:0;margin:0;padding:0}legend{padding:0}"
    "label{display:block;padding:.5rem 0}input{width:1.2rem;height:1.2rem;vertical-align:middle}"
    "hr{margin:2.5rem 0 1.5rem;border:0;border-top:1px solid #888}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#111}}"
)
_STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}


def page(language: Language, text: Text, status: int = 200, seconds: int = 0) -> Response[bytes]:
    """One page; `seconds`: when to come back, 0 not told. The question is the one with a form."""
    title, words = TEXTS[language][text]
    form = unsubscribe_form(language) if text == "unsubscribe" else ""
    return document(language, title, f"<p>{escape(words)}</p>{form}", status, seconds)


def unsubscribe_form(language: Language) -> str:
    """One button. It posts to the page's own address: the token stands there and nowhere else."""
    return f'<form method="post"><button>{escape(BUTTON[language])}</button></form>'


def document(
    language: Language, title: str, body: str, status: int = 200, seconds: int = 0
) -> Response[bytes]:
    """A whole page around `body`, which is HTML."""
    content = (
        f'<!doctype html><html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">'
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {**HEADERS, "Content-Language": language}
    if seconds:
        headers["Retry-After"] = str(seconds)
    # Its charset is added by Litestar.
    return Response(content.encode(), status_code=status, media_type="text/html", headers=headers)


def choose_language(accept: str, usual: Language) -> Language:
    """The language of these two that `Accept-Language` puts first; else `usual`."""
    best: Language = usual
    weight = 0.0
    for part in accept.split(",")[:20]:
        name, _, parameter = part.strip().partition(";")
        primary = name.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if quality > weight and primary in ("en", "fa"):
            best, weight = ("fa" if primary == "fa" else "en"), quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
