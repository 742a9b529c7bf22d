"""What a provider is given may be logged, and has the shape of a campaign's content."""

from datetime import timedelta
from typing import Any

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


class Sparse(msgspec.Struct, omit_defaults=True):
    text: str = ""


async def read_slowly(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"name": "order"}, "has a member of this name"),
        ({"consent_attribute": ""}, "consent_attribute has 1 to 50 letters"),
        ({"consent_attribute": "x" * 51}, "consent_attribute has 1 to 50 letters"),
        ({"consent_attribute": "chat_id"}, "must differ"),
        ({"consent_default": "yes"}, "opted_in or unset"),
        ({"content": dict}, "must be a msgspec struct"),
        ({"content": Sparse}, "neither array_like nor omit_defaults"),
        ({"html_fields": ("htm",)}, "html_fields names htm, which is no field of SmsContent"),
        ({"link_fields": ("href",)}, "link_fields names href"),
        ({"parse_address": read_slowly}, "must be a plain function"),
    ],
)
def test_a_channel_that_could_not_work_is_refused_where_it_is_made(
    mistake: dict[str, object], told: str
) -> None:
    good: dict[str, Any] = {"name": "chat", "consent_attribute": "ok", "consent_default": "unset"}
    good |= {"address_attribute": "chat_id", "address_kind": "chat_id", "content": SmsContent}
    Channel(**good)

    with pytest.raises(ValueError, match=told):
        Channel(**(good | mistake))


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
