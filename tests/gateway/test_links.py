"""Opens, clicks and unsubscribing, as recipients and robots come to them (G13.97-101)."""

from urllib.parse import urlsplit

import httpx
import pytest

from angarium.core.bus.subjects import FEEDBACK
from angarium.core.delivery.links import Links
from angarium.core.delivery.status import DeliveryState
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


TARGETS = [
    "https://example.org/a?b=c&d=%20#e",
    "https://example.org/سلام دنیا",
    "javascript:alert(1)",
    "https://example.org/\r\nSet-Cookie: a=b",
]
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone)"}
ENGLISH = {"Accept-Language": "en"}


def path(url: str) -> str:
    return urlsplit(url).path


def links(api: Api) -> Links:
    made: Links = api.parts.links
    return made


async def visit(api: Api, url: str, method: str = "GET", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.public.request(method, path(url), headers=PHONE | ENGLISH | named)


async def sent(api: Api) -> None:
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.ACCEPTED, context={"links": TARGETS})


async def test_loaded_images_are_an_opening(live_api: Api) -> None:
    response = await visit(live_api, links(live_api).open_pixel("dlv_1"))

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/gif"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.content.startswith(b"GIF89a")
    assert len(response.content) == 43
    [told] = await live_api.said(FEEDBACK)
    assert (told["kind"], told["delivery"], told["at"]) == ("opened", "dlv_1", NOON)


async def test_every_opening_has_an_id_of_its_own(live_api: Api) -> None:
    for _ in range(2):
        await visit(live_api, links(live_api).open_pixel("dlv_1"))

    first, second = await live_api.said(FEEDBACK, 2)

    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("index", "location"),
    [
        (0, "https://example.org/a?b=c&d=%20#e"),
        (1, "https://example.org/%D8%B3%D9%84%D8%A7%D9%85%20%D8%AF%D9%86%DB%8C%D8%A7"),
        (3, "https://example.org/%0D%0ASet-Cookie:%20a=b"),
    ],
)
async def test_a_click_leads_where_the_delivery_says_and_is_told(
    live_api: Api, index: int, location: str
) -> None:
    await sent(live_api)

    response = await visit(live_api, links(live_api).click("dlv_1", index))

    assert (response.status_code, response.headers["Location"]) == (302, location)
    assert "Set-Cookie" not in response.headers
    [told] = await live_api.said(FEEDBACK)
    assert (told["kind"], told["delivery"], told["link"]) == ("clicked", "dlv_1", index)


@pytest.mark.parametrize("query", ["url=//evil.example", "url=%5Cevil", "u=%0d%0aSet-Cookie:x"])
async def test_the_address_cannot_lead_elsewhere(live_api: Api, query: str) -> None:
    await sent(live_api)
    url = path(links(live_api).click("dlv_1", 0))

    response = await live_api.public.get(f"{url}?{query}")

    assert response.headers["Location"] == TARGETS[0]


@pytest.mark.parametrize("index", [2, 4, 1000])
async def test_what_is_no_web_page_of_the_delivery_leads_nowhere(api: Api, index: int) -> None:
    await sent(api)

    response = await visit(api, links(api).click("dlv_1", index))

    assert (response.status_code, "Location" in response.headers) == (404, False)


async def test_a_delivery_of_another_workspace_leads_nowhere(api: Api) -> None:
    await api.seed.delivery("dlv_2", "p", workspace="other", context={"links": TARGETS})

    assert (await visit(api, links(api).click("dlv_2", 0))).status_code == 404


@pytest.mark.parametrize("kind", ["o", "c", "u"])
async def test_a_token_with_one_letter_changed_is_unknown(api: Api, kind: str) -> None:
    await sent(api)
    made = links(api)
    urls = {"o": made.open_pixel("dlv_1"), "c": made.click("dlv_1", 0)}
    urls["u"] = made.unsubscribe("dlv_1")
    token = path(urls[kind]).rpartition("/")[2].removesuffix(".gif")
    for wrong in (token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), "x" + token, "%00"):
        response = await visit(api, f"http://x/{kind}/{wrong}")
        assert response.status_code == 404
        assert response.headers["Content-Type"].startswith("text/html")
        assert "Location" not in response.headers


async def test_a_token_of_one_kind_does_nothing_of_another(api: Api) -> None:
    await sent(api)
    token = path(links(api).click("dlv_1", 0)).rpartition("/")[2]

    for url in (f"/u/{token}", f"/o/{token}.gif"):
        assert (await visit(api, url)).status_code == 404
    assert (await visit(api, f"/u/{token}", "POST")).status_code == 404


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", {"X_Purpose": "preview"}),
        ("GET", {"User_Agent": "Googlebot/2.1"}),
        ("GET", {"User_Agent": "facebookexternalhit/1.1"}),
    ],
)
async def test_robots_are_served_and_not_counted(
    live_api: Api, method: str, headers: dict[str, str]
) -> None:
    await sent(live_api)

    clicked = await visit(live_api, links(live_api).click("dlv_1", 0), method, **headers)
    opened = await visit(live_api, links(live_api).open_pixel("dlv_1"), method, **headers)

    assert (clicked.status_code, clicked.headers["Location"]) == (302, TARGETS[0])
    assert opened.status_code == 200
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_who_clicks_is_led_on_even_when_it_cannot_be_counted(api: Api) -> None:
    await sent(api)

    assert (await visit(api, links(api).click("dlv_1", 0))).status_code == 302
    assert (await visit(api, links(api).open_pixel("dlv_1"))).status_code == 200


async def test_a_get_asks_and_changes_nothing(live_api: Api) -> None:
    url = links(live_api).unsubscribe("dlv_1")

    response = await visit(live_api, url)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<form method="post">' in response.text
    assert "Set-Cookie" not in response.headers
    assert "dlv_1" not in response.text
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_a_scanner_that_only_looks_whether_a_page_is_there_changes_nothing(
    live_api: Api,
) -> None:
    url = links(live_api).unsubscribe("dlv_1")

    assert (await visit(live_api, url, "HEAD")).status_code == 200
    assert (await visit(live_api, url[:-1], "HEAD")).status_code == 404
    assert await live_api.unsaid(FEEDBACK) == 0


async def test_a_post_unsubscribes_as_often_as_it_comes(live_api: Api) -> None:
    url = links(live_api).unsubscribe("dlv_1")

    answers = [await visit(live_api, url, "POST") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    assert "unsubscribed" in answers[0].text
    for told in await live_api.said(FEEDBACK, 2):
        assert (told["kind"], told["delivery"]) == ("unsubscribed", "dlv_1")


async def test_a_mail_program_unsubscribes_with_one_post(live_api: Api) -> None:
    """RFC 8058: no cookies, no redirect, a form body that says nothing new."""
    url = path(links(live_api).unsubscribe("dlv_1"))

    response = await live_api.public.post(url, data={"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert len(await live_api.said(FEEDBACK)) == 1


async def test_an_unsubscribing_that_is_not_durable_is_not_confirmed(api: Api) -> None:
    response = await visit(api, links(api).unsubscribe("dlv_1"), "POST")

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "try again" in response.text


async def test_pages_speak_the_readers_language(api: Api) -> None:
    url = links(api).unsubscribe("dlv_1")

    english = await visit(api, url)
    persian = await visit(api, url, Accept_Language="fa-IR,fa;q=0.9")
    unknown = await visit(api, url, Accept_Language="ja")

    assert 'dir="ltr"' in english.text
    assert 'dir="rtl"' in persian.text
    assert unknown.text == persian.text  # people.region is IR
