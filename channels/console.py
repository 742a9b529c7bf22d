"""Providers that print messages to standard output: to see what would be sent, and to whom.

They send nothing anywhere, so everything is accepted. Like any provider, each exists only where it
has a section in the settings: `[channels.sms_console]`, with nothing in it.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from angarium.plugins import Accepted, EmailContent, Message, Provider, PushContent, hookimpl


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to set."""


class EmailConsole(Provider):
    """Prints emails: the text, or else the HTML."""

    name: ClassVar[str] = "email_console"
    channel: ClassVar[str] = "email"
    Settings: ClassVar[type] = ConsoleSettings

    def __init__(self, settings: ConsoleSettings) -> None:
        pass

    async def send(self, message: Message) -> Accepted:
        content: EmailContent = message.content
        return _print(self.channel, message, content.subject, [content.text or content.html])


class SmsConsole(Provider):
    """Prints text messages."""

    name: ClassVar[str] = "sms_console"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = ConsoleSettings

    def __init__(self, settings: ConsoleSettings) -> None:
        pass

    async def send(self, message: Message) -> Accepted:
        return _print(self.channel, message, "", [message.content.text])


class PushConsole(Provider):
    """Prints notifications to phones."""

    name: ClassVar[str] = "push_console"
    channel: ClassVar[str] = "push"
    Settings: ClassVar[type] = ConsoleSettings

    def __init__(self, settings: ConsoleSettings) -> None:
        pass

    async def send(self, message: Message) -> Accepted:
        content: PushContent = message.content
        return _print(self.channel, message, content.title, _push_lines(content))


class WebPushConsole(PushConsole):
    """Prints notifications to browsers."""

    name: ClassVar[str] = "web_push_console"
    channel: ClassVar[str] = "web_push"


def _push_lines(content: PushContent) -> Iterator[str]:
    yield content.body
    parts: list[tuple[str, Any]] = [
        ("image", content.image),
        ("link", content.link),
        *(("button", f"{button.title} → {button.link}") for button in content.buttons),
        ("data", msgspec.json.encode(content.data).decode() if content.data else ""),
    ]
    yield from (f"{name}: {value}" for name, value in parts if value)
    if content.silent:
        yield "(silent)"
    if content.live:
        yield "(live)"


def _print(channel: str, message: Message, title: str, lines: Any) -> Accepted:
    """Print in one call, so that messages sent at once do not mingle."""
    head = f"── {channel} to {_visible(message.address)}" + (" (test)" if message.test else "")
    rows = [f"   {title}"] if title else []
    rows += [f"   {row}" for text in lines for row in text.splitlines()]
    if message.unsubscribe_url:
        rows.append(f"   unsubscribe: {message.unsubscribe_url}")
    print("\n".join([head, *map(_visible, rows)]), flush=True)
    return Accepted(provider_id=f"console-{message.key}")


def _visible(text: str) -> str:
    """Without the control characters that would move the cursor or colour the terminal."""
    return "".join(
        letter if letter.isprintable() or letter in "\u200c\u200d" else " " for letter in text
    )


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [EmailConsole, SmsConsole, PushConsole, WebPushConsole]
