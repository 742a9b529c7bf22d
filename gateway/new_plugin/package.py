"""Write the package of a new plugin."""

import re
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from string import Template
from typing import Final

from angarium.plugins.channel import BUILT_IN_CHANNELS
from angarium.plugins.manager import ENTRY_POINT_GROUP, is_ours

TEXTS: Final = Path(__file__).parent

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")

CONTENTS: Final[Mapping[str, tuple[str, str]]] = {
    "email": ("EmailContent", "text"),
    "sms": ("SmsContent", "text"),
    "push": ("PushContent", "body"),
    "web_push": ("PushContent", "body"),
}
"""The content of our channels, and the member that holds the text."""
IMPORTED: Final = (
    "Accepted",
    "CallbackRequest",
    "InDoubt",
    "Message",
    "PermanentFailure",
    "Provider",
    "StatusUpdate",
    "TemporaryFailure",
    "hookimpl",
)


class NameRefused(Exception):
    """A name that no provider or channel can have, or whose folder cannot be; says what to do."""


def write_package(parent: Path, name: str, channel: str | None = None) -> Path:
    """Write a package with a provider `name`, on `channel` (else as its name says), below `parent`.

    Gives its folder. Raises NameRefused, and writes nothing then.
    """
    ours = [one.name for one in BUILT_IN_CHANNELS]
    channel = channel or _channel_in(name, ours)
    _check(name, channel)
    vendor = name.removeprefix(f"{channel}_")
    folder = parent / f"angarium-{name.replace('_', '-')}"
    if folder.exists() and any(folder.iterdir()):
        raise NameRefused(f"{folder} is there already: choose another --folder, or remove it.")
    words = _words(name, channel, vendor)
    files = {
        "pyproject.toml": "pyproject.txt",
        "README.md": "readme.txt",
        f"{words['module']}.py": "provider.txt",
        "tests/conftest.py": "conftest.txt",
        f"tests/test_{words['module']}.py": "tests.txt",
    }
    added = "" if channel in ours else _text("channel.txt", words)
    try:
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_text(text, words | {"added_channel": added}), encoding="utf-8")
    except OSError as error:
        raise NameRefused(f"{folder} cannot be written: {error.strerror}.") from error
    return folder


def _channel_in(name: str, ours: list[str]) -> str:
    for channel in sorted(ours, key=len, reverse=True):
        if name.startswith(f"{channel}_"):
            return channel
    return name.partition("_")[0]


def _check(name: str, channel: str) -> None:
    if not _NAME.fullmatch(name):
        raise NameRefused(
            f"{name!r} cannot be a provider's name: write <channel>_<vendor> in small letters and "
            "digits, as chat_telegram."
        )
    if name in (point.name for point in entry_points(group=ENTRY_POINT_GROUP) if is_ours(point)):
        raise NameRefused(f"{name} comes with Angarium: two of one name cannot be used.")
    if not _CHANNEL.fullmatch(channel):
        raise NameRefused(
            f"{channel!r} cannot be a channel's name: small letters, digits and _, at most 32."
        )
    if not name.startswith(f"{channel}_"):
        raise NameRefused(
            f"A provider's name begins with its channel: call it {channel}_{name}, or leave out "
            "--channel."
        )


def _words(name: str, channel: str, vendor: str) -> dict[str, str]:
    """What stands for each word in the texts."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    own = "".join(part.capitalize() for part in channel.split("_")) + "Content"
    content, member = CONTENTS.get(channel, (own, "text"))
    return {
        "name": name,
        "channel": channel,
        "vendor": vendor,
        "module": f"angarium_{name}",
        "package": f"angarium-{name.replace('_', '-')}",
        "provider": camel,
        "content": content,
        "member": member,
        "CHANNEL": channel.upper(),
        "variable": name.upper(),
        "tested": _lines(camel, f"{camel}Settings", *([] if channel in CONTENTS else [content])),
        **_own_or_ours(channel, content, member),
    }


def _own_or_ours(channel: str, content: str, member: str) -> dict[str, str]:
    """The lines that differ between a channel of ours and one that the package brings."""
    if channel in CONTENTS:
        return {
            "imported": _imports(content),
            "tested_content": "",
            "address": {"email": "someone@example.org"}.get(channel, "+989120000000"),
            "reached": f"People are reached on the channel `{channel}`, as the gateway knows them.",
        }
    body = (
        f"\n    def content(self, text: str) -> {content}:\n"
        f"        return {content}({member}=text)\n"
    )
    return {
        "imported": _imports("Channel"),
        "tested_content": body,
        "address": "4711",
        "reached": (
            f"It brings the channel `{channel}`: people are reached by the profile attribute\n"
            f"`{channel}_id`, and only after `{channel}_opt_in` has been set to true."
        ),
    }


def _imports(more: str) -> str:
    return _lines(*IMPORTED, more)


def _lines(*names: str) -> str:
    return "\n".join(f"    {name}," for name in sorted(names))


def _text(file: str, words: Mapping[str, str]) -> str:
    return Template((TEXTS / file).read_text(encoding="utf-8")).substitute(words)
