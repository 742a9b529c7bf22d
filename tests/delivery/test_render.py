"""A message out of a campaign's content and one person's facts."""

from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from angarium.core.delivery.links import Links
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.render import Draft, Renderer, design, scope_of, with_handing
from angarium.core.delivery.status import DeliveryState
from angarium.core.delivery.templates import RenderFailed, Templates
from angarium.plugins import Channel, Message
from angarium.plugins.channel import EMAIL, PUSH, SMS, WEB_PUSH
from tests.delivery.examples import NOW, delivery

CONTEXT = (
    '{"event": {"name": "AddToCart", "properties": {"item": "a <b>"}, "timestamp": "t"},'
    ' "code": "AB12", "address": "hidden@example.org"}'
)
LINKS = Links(b"secret", "https://gw.example")


class Rendered(NamedTuple):
    message: Message
    links: list[str]


def draft(
    channel: Channel, content: dict[str, Any], *, one: Delivery | None = None, **attributes: Any
) -> Draft:
    one = one or delivery(DeliveryState.CLAIMED, context=CONTEXT)
    return Draft(design(channel, content), one, scope_of(one, "Cart rescue", attributes), "to")


def rendered(channel: Channel, content: dict[str, Any], **more: Any) -> Rendered:
    """The content for somebody, as it is sent."""
    one = draft(channel, content, **more)
    Renderer(Templates(), LINKS).render([one], NOW)
    if one.failure is not None:
        raise one.failure
    assert one.message is not None
    return Rendered(one.message, one.links)


def sms(text: str, **attributes: Any) -> str:
    return str(rendered(SMS, {"text": text}, **attributes).message.content.text)


def test_a_message_has_all_that_a_provider_needs() -> None:
    message = rendered(SMS, {"text": "hello"}).message
    assert (message.key, message.delivery, message.address) == ("dlv_1", "dlv_1", "to")
    assert (message.at, message.deadline, message.test) == (NOW, NOW + 3_600_000, False)
    assert message.unsubscribe_url == LINKS.unsubscribe("dlv_1")


def test_a_transactional_message_has_nothing_to_unsubscribe_from() -> None:
    one = delivery(DeliveryState.CLAIMED, class_="transactional")
    assert rendered(SMS, {"text": "hello"}, one=one).message.unsubscribe_url == ""


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ profile.first_name }}", "Sara"),
        ("{{ profile['Last Name'] }}", "Ahmadi"),
        ("{{ event.name }}: {{ event.properties.item }}", "AddToCart: a <b>"),
        ("{{ campaign.name }} {{ campaign.id }}", "Cart rescue cmp_1"),
        ("{{ code }}", "AB12"),
        ("{{ links.unsubscribe }}", LINKS.unsubscribe("dlv_1")),
        ("[{{ profile.nothing }}{{ address }}]", "[]"),
        ("no holes { here }", "no holes { here }"),
    ],
)
def test_what_templates_see(template: str, expected: str) -> None:
    """S1.16."""
    assert sms(template, first_name="Sara", **{"Last Name": "Ahmadi"}) == expected


def test_what_is_filled_into_html_is_escaped_and_into_text_is_not() -> None:
    content = {
        "subject": "{{ profile.n }}",
        "html": "<p>{{ profile.n }}</p>",
        "text": "{{ profile.n }}",
    }
    mail = rendered(EMAIL, content, n="<script>").message.content
    assert (mail.subject, mail.text) == ("<script>", "<script>")
    assert "<p>&lt;script&gt;</p>" in mail.html


def test_links_in_html_are_counted_and_the_one_to_unsubscribe_is_not() -> None:
    html = '<a href="https://a.example/">A</a> <a href="{{ links.unsubscribe }}">off</a>'
    found = rendered(EMAIL, {"subject": "s", "html": html})
    assert found.links == ["https://a.example/"]
    assert LINKS.click("dlv_1", 0) in found.message.content.html
    assert LINKS.unsubscribe("dlv_1") in found.message.content.html
    assert LINKS.open_pixel("dlv_1") in found.message.content.html


def test_a_mail_without_html_has_no_pixel() -> None:
    found = rendered(EMAIL, {"subject": "s", "text": "https://a.example/"})
    assert (found.links, found.message.content.html) == ([], "")


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: x", "\nBcc: x", "\x85Bcc: x", "\u2028Bcc: x", "\x0bBcc: x"]
)
def test_a_line_break_in_a_title_becomes_a_space(bad: str) -> None:
    """G13.78: collapsed, whoever wrote it."""
    content = {"subject": "Hello {{ profile.n }}", "text": "{{ profile.n }}"}
    mail = rendered(EMAIL, content, n=f"Sara{bad}").message.content
    assert mail.subject == "Hello Sara Bcc: x"
    assert mail.text.splitlines() == ["Sara", "Bcc: x"]
    fixed = rendered(EMAIL, {"subject": f"Hello{bad}", "text": "t"}).message.content
    assert fixed.subject == "Hello Bcc: x"


def test_every_text_of_a_push_message_is_a_template() -> None:
    content = {
        "title": "{{ profile.n }}",
        "body": "one\ntwo {{ profile.n }}",
        "link": "app://cart/{{ profile.n }}",
        "buttons": [{"id": "b", "title": "Buy {{ profile.n }}"}],
        "data": {"who": "{{ profile.n }}", "count": 3},
        "ttl": "PT1H",
    }
    push = rendered(PUSH, content, n="Sara").message.content
    assert (push.title, push.body, push.link) == ("Sara", "one\ntwo Sara", "app://cart/Sara")
    assert push.buttons[0].title == "Buy Sara"
    assert push.data == {"who": "Sara", "count": 3}
    assert push.ttl == timedelta(hours=1)


NOTICE: dict[str, Any] = {
    "title": "Hello",
    "link": "https://shop.example/{{ profile.n }}",
    "buttons": [
        {"id": "buy", "title": "Buy", "link": "https://shop.example/buy"},
        {"id": "app", "title": "Open", "link": "shop://cart"},
        {"id": "no", "title": "No"},
    ],
    "image": "https://shop.example/a.png",
    "data": {"link": "https://shop.example/data"},
}


@pytest.mark.parametrize("channel", [PUSH, WEB_PUSH])
def test_web_links_of_a_notification_are_counted_and_deep_links_lead_straight(
    channel: Channel,
) -> None:
    """S1.17"""
    found = rendered(channel, NOTICE, n="Sara")
    push = found.message.content

    assert found.links == ["https://shop.example/Sara", "https://shop.example/buy"]
    assert push.link == LINKS.click("dlv_1", 0)
    assert [button.link for button in push.buttons] == [LINKS.click("dlv_1", 1), "shop://cart", ""]
    assert (push.image, push.data) == (NOTICE["image"], NOTICE["data"])
    assert rendered(channel, NOTICE, n="Reza").links[0] == "https://shop.example/Reza"


def test_an_app_that_opens_web_addresses_itself_gets_them_as_they_are() -> None:
    found = rendered(PUSH, {**NOTICE, "track": False}, n="Sara")

    assert found.links == []
    assert found.message.content.link == "https://shop.example/Sara"
    assert found.message.content.buttons[0].link == "https://shop.example/buy"


@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("bad", ["javascript:alert(1)", " Java\tScript:x", "data:text/html,x"])
def test_a_link_that_somebodys_event_turned_into_a_script_is_not_sent(
    bad: str, track: bool
) -> None:
    for content in (
        {"title": "x", "link": "{{ profile.n }}"},
        {"title": "x", "buttons": [{"id": "a", "title": "A", "link": "{{ profile.n }}"}]},
    ):
        with pytest.raises(RenderFailed, match="bad_link"):
            rendered(PUSH, {**content, "track": track}, n=bad)


def test_a_sender_in_the_campaign_goes_along() -> None:
    content = {"subject": "s", "text": "t", "from": "Shop <shop@example.org>"}
    assert rendered(EMAIL, content).message.content.sender == "Shop <shop@example.org>"


@pytest.mark.parametrize(
    "text", ["", "  \n", "{{ profile.nothing }}", " {% if false %}x{% endif %} "]
)
def test_a_message_that_says_nothing_is_not_made(text: str) -> None:
    """G13.79."""
    with pytest.raises(RenderFailed, match="empty_message"):
        sms(text)


def test_a_silent_push_may_carry_data_only() -> None:
    push = rendered(PUSH, {"silent": True, "data": {"sync": "1"}}).message.content
    assert push.silent
    with pytest.raises(RenderFailed, match="empty_message"):
        rendered(PUSH, {"silent": True})


def test_a_message_that_is_too_large_is_not_made() -> None:
    with pytest.raises(RenderFailed, match="limit"):
        sms("{{ profile.n }}", n="🎉" * 300_000)


def test_a_template_that_fails_says_so() -> None:
    with pytest.raises(RenderFailed):
        sms("{{ 1 | divided_by: profile.n }}", n=0)


@pytest.mark.parametrize("content", [{"txt": "x"}, {"text": 5}, {}])
def test_a_content_that_is_not_the_channels_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"te?xt"):
        design(SMS, content)


def test_one_message_that_cannot_be_made_spoils_no_other() -> None:
    drafts = [draft(SMS, {"text": "{{ 6 | divided_by: profile.n }}"}, n=n) for n in (1, 0, 3)]
    drafts.append(draft(EMAIL, {"subject": "{{ profile.n }}", "text": "t"}, n=4))
    Renderer(Templates(), LINKS).render(drafts, NOW)
    assert [one.message.content.text if one.message else None for one in drafts] == [
        "6",
        None,
        "2",
        "t",
    ]
    assert [one.failure is None for one in drafts] == [True, False, True, True]


def test_the_record_keeps_the_address_and_the_targets_beside_what_was_planned() -> None:
    text = with_handing(
        delivery(context='{"event": {"name": "E"}}'), "a@b.c", ["https://a.example"]
    )
    assert msgspec.json.decode(text) == {
        "event": {"name": "E"},
        "links": ["https://a.example"],
        "address": "a@b.c",
    }
