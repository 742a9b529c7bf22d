"""What a notification to a phone holds, whichever service takes it there."""

from collections.abc import Container, Iterable
from datetime import timedelta
from typing import Any, Final

import msgspec

from angarium.plugins import Message, PermanentFailure, PushContent

MAX_BYTES: Final = 4096
"""What Apple and Google take for one notification."""

_MILLISECOND = timedelta(milliseconds=1)


def custom_data(message: Message) -> dict[str, Any]:
    """What the app reads: the campaign's own data, and `delivery`, `link`, `buttons`.

    With `delivery` it reports `Message Shown`, `Opened`, `Clicked`, `Dismissed`.
    """
    content: PushContent = message.content
    ours = {
        "delivery": message.delivery,
        "link": content.link,
        "buttons": [
            {name: text for name, text in msgspec.structs.asdict(button).items() if text}
            for button in content.buttons
        ],
    }
    return {**content.data, **{name: value for name, value in ours.items() if value}}


def carries_data_only(content: PushContent) -> bool:
    """Whether the phone shows nothing of it by itself."""
    return content.silent or content.live


def live_data(content: PushContent) -> dict[str, Any]:
    """What an app that is open finds in the data, to draw it; {} of any other message."""
    if not content.live:
        return {}
    shown = {"title": content.title, "body": content.body, "image": content.image}
    return {"live": True, **{name: text for name, text in shown.items() if text}}


def expires_at(message: Message) -> int | None:
    """The instant (ms) after which nobody need try any more; None: nobody said."""
    content: PushContent = message.content
    if content.live:
        return message.at  # a phone that closed the app meanwhile must not get it later
    ends = [message.deadline] if message.deadline else []
    if content.ttl is not None:
        ends.append(message.at + max(0, content.ttl // _MILLISECOND))
    return min(ends, default=None)


def check_shown(provider: str, content: PushContent) -> None:
    """Refuse a notification that would be an empty box. Raises PermanentFailure."""
    if not carries_data_only(content) and not content.title and not content.body:
        raise PermanentFailure(f"{provider}: the message has neither title nor body")


def check_names(
    provider: str, names: Iterable[str], *, reserved: Container[str], prefixes: tuple[str, ...] = ()
) -> None:
    """Refuse data under a name that the service keeps for itself. Raises PermanentFailure."""
    for name in names:
        if name in reserved or name.startswith(prefixes):
            raise PermanentFailure(f"{provider}: data must not be named {name[:40]!r}")


def encode(provider: str, value: object) -> bytes:
    """Compact JSON in UTF-8. Raises PermanentFailure for text that is none."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise PermanentFailure(f"{provider}: the message holds half a character") from None


def check_size(provider: str, size: int) -> None:
    """Raises PermanentFailure for what the service would refuse anyway."""
    if size > MAX_BYTES:
        raise PermanentFailure(
            f"{provider}: the notification has {size} bytes; {MAX_BYTES} is the most"
        )
