"""A notification as FCM's HTTP v1 interface takes it, for Android and iOS in one.

FCM knows which kind of phone a token is of, and uses the parts for that kind.
"""

from typing import Any, Final

import msgspec

from angarium.channels import _apns_payload as ios
from angarium.channels._push_content import (
    carries_data_only,
    check_names,
    check_shown,
    check_size,
    custom_data,
    encode,
    expires_at,
    live_data,
)
from angarium.plugins import Message, PushContent

MAX_TTL_SECONDS: Final = 2_419_200
"""Four weeks: the longest that FCM keeps a message."""

_NAME = "push_fcm"
_RESERVED = ("aps", "from", "message_type")
_PREFIXES = ("google", "gcm")


class Style(msgspec.Struct, frozen=True):
    """How Android shows notifications: by itself, under `channel`, or by the app."""

    drawn_by_app: bool = False
    channel: str = ""


def compose(message: Message, style: Style) -> bytes:
    """The body of messages:send. Raises PermanentFailure for what FCM would not take."""
    content: PushContent = message.content
    check_shown(_NAME, content)
    shown = _shown(content)
    data = _data(message, shown if style.drawn_by_app else {})
    payload: dict[str, Any] = {"data": data}
    if shown and not style.drawn_by_app:
        payload["notification"] = shown
    aps = ios.aps(content)
    check_size(_NAME, len(encode(_NAME, payload)))
    check_size(_NAME, len(encode(_NAME, {**data, "aps": aps})))
    if "notification" in payload:
        del aps["alert"]  # FCM makes it from `notification`
    parts = {"android": _android(message, style), "apns": _apns(message, aps)}
    return encode(_NAME, {"message": {"token": message.address, **payload, **parts}})


def _shown(content: PushContent) -> dict[str, str]:
    if carries_data_only(content):
        return {}
    texts = {"title": content.title, "body": content.body, "image": content.image}
    return {name: text for name, text in texts.items() if text}


def _data(message: Message, shown: dict[str, str]) -> dict[str, str]:
    """FCM's data holds text only: anything else travels as JSON."""
    data = {**custom_data(message), **live_data(message.content), **shown}
    check_names(_NAME, data, reserved=_RESERVED, prefixes=_PREFIXES)
    return {
        name: value if isinstance(value, str) else encode(_NAME, value).decode()
        for name, value in data.items()
    }


def _android(message: Message, style: Style) -> dict[str, Any]:
    content: PushContent = message.content
    data_only = carries_data_only(content)
    # An app that is open gets either at once; no phone is woken for what it would not show.
    android: dict[str, Any] = {"priority": "NORMAL" if data_only else "HIGH"}
    expires = expires_at(message)
    if expires is not None:
        seconds = max(0, expires - message.at) // 1000
        android["ttl"] = f"{min(seconds, MAX_TTL_SECONDS)}s"
    if content.collapse:
        android["collapse_key"] = content.collapse
    if not data_only and not style.drawn_by_app:
        # The same tag replaces: a message that came twice is seen once.
        notification = {"tag": content.collapse or message.key, "channel_id": style.channel}
        android["notification"] = {name: text for name, text in notification.items() if text}
    return android


def _apns(message: Message, aps: dict[str, Any]) -> dict[str, Any]:
    content: PushContent = message.content
    parts: dict[str, Any] = {"headers": ios.headers(message), "payload": {"aps": aps}}
    if content.image and not carries_data_only(content):
        parts["fcm_options"] = {"image": content.image}
    return parts
