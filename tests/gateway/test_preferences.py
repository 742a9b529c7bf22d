"""The page of preferences: what it shows, what a POST changes, and what it cannot (S2.10)."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from angarium.core.bus.subjects import FEEDBACK
from angarium.core.delivery.choices import Choice
from angarium.core.delivery.status import DeliveryState
from angarium.gateway.preferences import NAMES, Chosen, ask, read_choices, thank
from tests.gateway.seed import Api
from tests.gateway.test_links import links, visit

pytest_plugins = ["tests.gateway.api_fixtures"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


async def reader_of(api: Api, **consents: bool) -> str:
    """Somebody with an email and a mobile, who got a mail; the link in it."""
    attributes = {"email": "ann@example.org", "mobile": "+989120000000"}
    said = {name: [[word, 1, 1], []] for name, word in consents.items()}
    await api.seed.person(
        "u1",
        "prf_1",
        attributes=json.dumps(attributes),
        state=json.dumps({"consents": said}),
    )
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.ACCEPTED)
    return str(links(api).unsubscribe("dlv_1"))


def boxes(response: httpx.Response) -> dict[str, bool]:
    """The checkboxes of a page: the channel, and whether it is checked."""
    found = re.findall(r'type="checkbox" name="wanted" value="(\w+)"( checked)?', response.text)
    return {name: bool(checked) for name, checked in found}


async def choose(api: Api, url: str, body: str, **headers: Any) -> httpx.Response:
    path = url.removeprefix(url[: url.index("/u/")])
    told = FORM | {"Accept-Language": "en"} | headers
    return await api.public.post(path, content=body, headers=told)


async def test_a_get_shows_what_can_reach_the_person_and_changes_nothing(live_api: Api) -> None:
    url = await reader_of(live_api, sms=False)

    response = await visit(live_api, url)

    assert response.status_code == 200
    assert boxes(response) == {"email": True, "sms": False}
    assert "Set-Cookie" not in response.headers
    for secret in ("ann@example.org", "+98912", "dlv_1", "prf_1", "u1"):
        assert secret not in response.text
    assert await live_api.unsaid(FEEDBACK) == 0


@pytest.mark.parametrize(
    ("body", "choices", "shown"),
    [
        ("offered=email&offered=sms&wanted=email", {"sms": False}, {"email": True, "sms": False}),
        (
            "offered=email&offered=sms",
            {"email": False, "sms": False},
            {"email": False, "sms": False},
        ),
        ("offered=sms", {"sms": False}, {"email": True, "sms": False}),
        ("offered=sms&wanted=sms", None, {"email": True, "sms": True}),
        ("offered=push&wanted=push&wanted=fax", None, {"email": True, "sms": True}),
    ],
)
async def test_a_post_changes_only_what_the_form_showed(
    live_api: Api, body: str, choices: dict[str, bool] | None, shown: dict[str, bool]
) -> None:
    url = await reader_of(live_api)

    response = await choose(live_api, url, body)

    assert (response.status_code, boxes(response)) == (200, shown)
    assert "Saved" in response.text
    if choices is None:
        assert await live_api.unsaid(FEEDBACK) == 0
        return
    [told] = await live_api.said(FEEDBACK)
    assert (told["kind"], told["delivery"], told["choices"]) == ("consent", "dlv_1", choices)


async def test_where_nothing_is_sent_whatever_they_want_is_no_choice(live_api: Api) -> None:
    """An SMS "STOP", a complaint, a bounce: a page that let them tick it would promise too much."""
    url = await reader_of(live_api)
    await live_api.post("/v1/suppressions", {"channel": "sms", "address": "09120000000"})

    shown = boxes(await visit(live_api, url))
    response = await choose(live_api, url, "offered=sms&offered=email&wanted=email")

    assert shown == boxes(response) == {"email": True}
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_who_left_a_channel_may_come_back(live_api: Api) -> None:
    url = await reader_of(live_api, sms=False)

    await choose(live_api, url, "offered=sms&wanted=sms")

    [told] = await live_api.said(FEEDBACK)
    assert told["choices"] == {"sms": True}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("List-Unsubscribe=One-Click", {}),
        ("", {}),
        ("offered=sms", {"Content-Type": "text/plain"}),
        ("offered=" + "x" * 5_000, {}),
        ("%ff=%ff&offered=", {}),
    ],
)
async def test_whatever_else_is_posted_is_one_click(
    live_api: Api, body: str, headers: dict[str, str]
) -> None:
    """RFC 8058, unchanged by the choices."""
    url = await reader_of(live_api)

    response = await choose(live_api, url, body, **headers)

    assert "You are unsubscribed" in response.text
    [told] = await live_api.said(FEEDBACK)
    assert (told["kind"], told["delivery"]) == ("unsubscribed", "dlv_1")


async def test_choices_that_are_not_durable_are_not_confirmed(api: Api) -> None:
    url = await reader_of(api)

    response = await choose(api, url, "offered=sms")

    assert (response.status_code, "Saved" in response.text) == (503, False)
    assert int(response.headers["Retry-After"]) > 0


async def test_of_somebody_who_is_gone_there_is_nothing_to_choose(live_api: Api) -> None:
    url = links(live_api).unsubscribe("dlv_gone")

    asked = await visit(live_api, url)
    posted = await choose(live_api, url, "offered=sms")

    assert (asked.status_code, boxes(asked)) == (200, {})
    assert '<form method="post">' in asked.text
    assert posted.status_code == 404
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_a_delivery_of_another_workspace_shows_nothing(api: Api) -> None:
    await api.seed.delivery("dlv_2", "prf_1", workspace="other")

    assert boxes(await visit(api, links(api).unsubscribe("dlv_2"))) == {}


async def test_a_forged_token_chooses_nothing(live_api: Api) -> None:
    url = await reader_of(live_api)

    response = await choose(live_api, url[:-1], "offered=sms")

    assert response.status_code == 404
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_the_page_speaks_persian_from_right_to_left(api: Api) -> None:
    url = await reader_of(api)

    response = await visit(api, url, Accept_Language="fa-IR,fa;q=0.9")

    assert '<html lang="fa" dir="rtl">' in response.text
    assert "پیامک" in response.text


def test_the_page_needs_no_script_and_names_a_plugins_channel() -> None:
    html = ask("en", [Choice("carrier_pigeon", True)]).content.decode()

    assert "carrier pigeon" in html
    assert not re.search(r"<script|src=|href=|url\(|\son\w+=", html)


@pytest.mark.parametrize("shown", [ask, thank])
def test_the_boxes_are_a_group_with_a_name(shown: Callable[..., Any]) -> None:
    """A reader of the screen says the question with each box (WCAG 1.3.1, technique H71)."""
    html = shown("fa", [Choice("email", True), Choice("sms", False)]).content.decode()

    [group] = re.findall(r"<fieldset>(.*)</fieldset>", html)
    assert group.startswith("<legend>از چه راهی")
    assert group.count("<label><input") == group.count("</label>") == 2


def test_both_languages_name_the_same_channels() -> None:
    assert NAMES["en"].keys() == NAMES["fa"].keys()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"offered=a&offered=b&wanted=b", Chosen(frozenset("ab"), frozenset("b"))),
        (b"wanted=b", None),
        (b"\xff\xfe", None),
        (b"&".join([b"offered=a"] * 101), None),
    ],
)
def test_a_form_is_read(body: bytes, expected: Chosen | None) -> None:
    assert read_choices("application/x-www-form-urlencoded; charset=utf-8", body) == expected
