"""The shop's campaigns can be made on any instance, and read well in both languages."""

from typing import Any

import pytest

from angarium.core.campaigns.definition import parse_campaign
from angarium.core.delivery.templates import Templates, check_template
from angarium.gateway.demo.campaigns import CAMPAIGNS, DemoCampaign

EVENT: dict[str, Any] = {
    "name": "Purchase",
    "timestamp": "2026-11-21T10:00:00.000Z",
    "properties": {
        "name": "زعفران",
        "price": 990_000,
        "order": "1001-1",
        "amount": 1_410_000,
        "items": [{"name": "زعفران", "price": 990_000}, {"name": "دفتر", "price": 420_000}],
    },
}


def render(campaign: DemoCampaign, part: str, **profile: str) -> str:
    scope = {"profile": profile, "event": EVENT, "links": {"unsubscribe": "https://a.example/u/1"}}
    text = campaign.definition["content"]["email"][part]
    return Templates().render(text, scope, html=part == "html", strict=False)


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_a_campaign_is_accepted(campaign: DemoCampaign) -> None:
    parse_campaign(campaign.definition, channels=["email"], check_template=check_template)


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_persian_mail_reads_from_right_to_left_with_persian_digits(campaign: DemoCampaign) -> None:
    assert '<html lang="fa" dir="rtl">' in render(campaign, "html", locale="fa")
    text = render(campaign, "text", locale="fa", first_name="سارا")
    words = [word for word in text.split() if "://" not in word and word != "ANAR10"]
    assert not any(digit in word for word in words for digit in "0123456789")
    assert "سارا" in text


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_english_mail_reads_from_left_to_right(campaign: DemoCampaign) -> None:
    assert '<html lang="en" dir="ltr">' in render(campaign, "html", locale="en")
    assert "Hello Emma," in render(campaign, "text", locale="en", first_name="Emma")


def test_dates_are_jalali() -> None:
    [cart] = [campaign for campaign in CAMPAIGNS if campaign.name == "Abandoned cart"]

    assert "شنبه ۳۰ آبان، ساعت ۱۳:۳۰" in render(cart, "text", locale="fa")


def test_a_receipt_lists_what_was_bought_line_by_line() -> None:
    [receipt] = [campaign for campaign in CAMPAIGNS if campaign.name == "Order confirmation"]

    text = render(receipt, "text", locale="fa")
    assert "\nزعفران: ۹۹۰٬۰۰۰ تومان\nدفتر: ۴۲۰٬۰۰۰ تومان\n\nجمع: ۱٬۴۱۰٬۰۰۰ تومان" in text
    assert "۹۹۰٬۰۰۰ تومان<br>دفتر" in render(receipt, "html", locale="fa")


def test_marketing_offers_a_way_out_and_a_receipt_does_not() -> None:
    for campaign in CAMPAIGNS:
        offers = "https://a.example/u/1" in render(campaign, "html", locale="fa")

        assert offers == (campaign.definition["class"] == "marketing")
