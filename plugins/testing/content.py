"""What the kit sends: texts that are easily spoilt on the way."""

from typing import Any

from angarium.plugins.channel import BUILT_IN_CHANNELS
from angarium.plugins.message import EmailContent, PushContent, SmsContent

TEXTS = {
    "persian": "سلام! «می‌خواهم» ۱۲۳ — ژاله",
    "emoji": "خرید شما 🎉👩‍👩‍👧 ثبت شد",
    "markup": "<b>5 > 3</b> & \"quotes\" \\ 'and' {braces} %s",
    "dots": "first\n.\n..second\n.third",
    "long line": "ا" * 600,
}
LARGE = "متن بسیار بلند " * 20_000


def default_content(channel: str, text: str) -> Any:
    """Content of one of the four built-in channels, with this text in it."""
    kinds = {one.name: one.content for one in BUILT_IN_CHANNELS}
    kind = kinds.get(channel)
    if kind is EmailContent:
        return EmailContent(subject="A subject", text=text)
    if kind is SmsContent:
        return SmsContent(text=text)
    if kind is PushContent:
        return PushContent(title="A title", body=text)
    raise NotImplementedError(f"override content(): {channel} is no channel of ours")
