"""What a provider is given may be logged, and has the shape of a campaign's content."""

from datetime import timedelta

import msgspec
import pytest

import angarium.plugins
from angarium.plugins import Channel, EmailContent, Message, PushContent, SmsContent


def test_plugin_authors_find_exactly_these_names() -> None:
    assert angarium.plugins.__all__ == [
        "Accepted",
        "CallbackRequest",
        "Channel",
        "EmailContent",
        "InDoubt",
        "Message",
        "PermanentFailure",
        "Provider",
        "PushContent",
        "SmsContent",
        "StatusUpdate",
        "TemporaryFailure",
        "hookimpl",
    ]
    assert all(hasattr(angarium.plugins, name) for name in angarium.plugins.__all__)


def test_a_message_shows_neither_address_nor_content() -> None:
    message = Message(
        key="k1", delivery="dlv_1", address="mina@example.org", content=SmsContent(text="hello")
    )

    assert repr(message) == "Message(key='k1', delivery='dlv_1', content=<SmsContent>)"
    assert list(message.__rich_repr__()) == [("key", "k1"), ("delivery", "dlv_1")]


def test_content_is_decoded_from_what_a_campaign_says() -> None:
    email = msgspec.convert({"subject": "s", "html": "h", "from": "a@b.co"}, EmailContent)
    push = msgspec.convert(
        {"title": "t", "buttons": [{"id": "1", "title": "go"}], "data": {"a": 1}, "ttl": "PT1H"},
        PushContent,
    )

    assert email.sender == "a@b.co"
    assert push.ttl == timedelta(hours=1)
    assert push.buttons[0].title == "go"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"subject": "s", "sender": "a@b.co"}, EmailContent),
        ({"html": "h"}, EmailContent),
        ({"text": "t", "title": "t"}, SmsContent),
        ({"title": "t", "button": []}, PushContent),
    ],
)
def test_content_with_unknown_or_missing_fields_is_refused(
    content: dict[str, object], kind: type
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(content, kind)


@pytest.mark.parametrize("name", ["", "Email", "web push", "e-mail", "1st", "x" * 33, "چت"])
def test_a_channel_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="lower case letters, digits and underscores"):
        Channel(
            name=name,
            consent_attribute="x_opt_in",
            consent_default="unset",
            address_kind="x",
            content=SmsContent,
        )
