"""What would be sent is shown, whatever is in it, and nothing leaves the machine."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from angarium.channels.console import EmailConsole, PushConsole, SmsConsole, WebPushConsole
from angarium.plugins import Accepted, EmailContent, Message, PushContent, SmsContent
from angarium.plugins.manager import load_plugins
from angarium.plugins.message import Button
from angarium.plugins.settings import SettingsInvalid
from angarium.plugins.testing import ProviderContract

TITLES = ("A subject", "A title")
NAMES = ("email_console", "sms_console", "push_console", "web_push_console")


def send(name: str, content: Any, **changes: Any) -> Accepted:
    provider = load_plugins().create_provider(name, {})
    message = Message(key="dlv_1", address="to whom", content=content, **changes)
    return asyncio.run(provider.send(message))


@pytest.mark.parametrize(
    ("name", "content", "changes", "printed"),
    [
        (
            "email_console",
            EmailContent(subject="سلام", text="خط یک\nخط دو", html="<p>"),
            {"unsubscribe_url": "https://x/u"},
            "── email to to whom\n   سلام\n   خط یک\n   خط دو\n   unsubscribe: https://x/u\n",
        ),
        (
            "email_console",
            EmailContent(subject="s", html="<p>only</p>"),
            {"test": True},
            "── email to to whom (test)\n   s\n   <p>only</p>\n",
        ),
        ("sms_console", SmsContent(text="کد ۱۲"), {}, "── sms to to whom\n   کد ۱۲\n"),
        (
            "push_console",
            PushContent(
                title="t",
                body="b",
                link="app://x",
                buttons=(Button(id="1", title="go", link="app://y"),),
                data={"a": 1},
            ),
            {},
            "── push to to whom\n   t\n   b\n   link: app://x\n   button: go → app://y\n"
            '   data: {"a":1}\n',
        ),
        (
            "web_push_console",
            PushContent(silent=True),
            {},
            "── web_push to to whom\n   (silent)\n",
        ),
    ],
)
def test_a_message_is_printed(
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: Any,
    changes: dict[str, Any],
    printed: str,
) -> None:
    accepted = send(name, content, **changes)

    assert accepted == Accepted(provider_id="console-dlv_1")
    assert capsys.readouterr().out == printed


def test_a_text_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    send("sms_console", SmsContent(text="a\x1b[2Jb\x07c می‌خواهم"))

    assert capsys.readouterr().out.endswith("   a [2Jb c می‌خواهم\n")


@pytest.mark.parametrize("name", NAMES)
def test_there_is_nothing_to_set(name: str) -> None:
    with pytest.raises(SettingsInvalid, match="unknown setting; it has no settings"):
        load_plugins().create_provider(name, {"color": True})


def test_none_is_built_without_a_section() -> None:
    assert load_plugins().create_providers({}) == {}


class Conformance(ProviderContract):
    """What arrives is what stands on the screen under the address."""

    @pytest.fixture
    def settings(self, capsys: pytest.CaptureFixture[str]) -> Mapping[str, object]:
        self.screen, self.seen = capsys, ""
        return {}

    def message(self, text: str = "hello", *, address: str = "", key: str = "dlv_1") -> Message:
        return super().message(text, address=address or f"to {key}", key=key)

    async def arrived(self, message: Message) -> str:
        self.seen += self.screen.readouterr().out
        blocks = [block.splitlines() for block in self.seen.split("── ")]
        [rows] = [rows[1:] for rows in blocks if rows and rows[0].endswith(f" {message.address}")]
        lines = [row.removeprefix("   ") for row in rows]
        return "\n".join(lines[1:] if lines[0] in TITLES else lines)

    async def test_it_says_what_became_of_a_message(self, opened: Any) -> None:
        """In place of the kit's: there is nobody to refuse anything."""
        assert (await opened.send(self.message(address="nobody"))).provider_id


class TestEmail(Conformance):
    provider = EmailConsole


class TestSms(Conformance):
    provider = SmsConsole


class TestPush(Conformance):
    provider = PushConsole


class TestWebPush(Conformance):
    provider = WebPushConsole
