import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.links import LINKS_TRACKED, Links, LinkTarget, track_html, track_link

LINKS = Links(b"s" * 32, "https://g.example/")
DELIVERY = "dlv_abcdefghijklmnopqrstuvwx"


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1].removesuffix(".gif")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (LINKS.open_pixel(DELIVERY), LinkTarget("open", DELIVERY)),
        (LINKS.click(DELIVERY, 7), LinkTarget("click", DELIVERY, 7)),
        (LINKS.unsubscribe(DELIVERY), LinkTarget("unsubscribe", DELIVERY)),
    ],
)
def test_a_token_reads_back_as_what_it_stands_for(url: str, target: LinkTarget) -> None:
    assert url.startswith("https://g.example/")
    assert LINKS.read(token_of(url)) == target


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_token_with_any_bit_changed_is_not_read(place: int, change: int) -> None:
    token = token_of(LINKS.click(DELIVERY, 7))
    place %= len(token)
    changed = token[:place] + chr(33 + (ord(token[place]) + change) % 90) + token[place + 1 :]

    assert changed == token or LINKS.read(changed) is None


@given(st.text())
def test_no_other_text_is_read(text: str) -> None:
    assert LINKS.read(text) is None


def test_a_token_of_another_instance_is_not_read() -> None:
    other = Links(b"t" * 32, "https://g.example")

    assert other.read(token_of(LINKS.click(DELIVERY, 1))) is None


def test_web_links_are_counted_and_lead_where_the_record_says() -> None:
    html = (
        '<body><a class="x" href="https://a.example/?a=1&amp;b=2">one</a>'
        "<a href='https://c.example'>two</a><a href=\"https://c.example\">again</a></body>"
    )

    tracked, targets = track_html(html, DELIVERY, LINKS, LINKS.unsubscribe(DELIVERY))

    assert targets == ["https://a.example/?a=1&b=2", "https://c.example"]
    assert tracked.count(LINKS.click(DELIVERY, 1)) == 2
    assert tracked.endswith("</body>")
    assert LINKS.open_pixel(DELIVERY) in tracked


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "mailto:a@b.example", "#top", "", LINKS.unsubscribe(DELIVERY)]
)
def test_other_links_stay_as_they_are(href: str) -> None:
    html = f'<a href="{href}">x</a>'

    tracked, targets = track_html(html, DELIVERY, LINKS, LINKS.unsubscribe(DELIVERY))

    assert targets == []
    assert tracked.startswith(html)


@pytest.mark.parametrize(
    ("link", "counted"),
    [
        ("https://shop.example/cart?a=1", True),
        ("HTTP://shop.example", True),
        ("shop://cart", False),
        ("tel:+982112345678", False),
        ("", False),
        (LINKS.unsubscribe(DELIVERY), False),
    ],
)
def test_a_web_link_of_a_notification_is_counted_and_a_deep_link_is_not(
    link: str, counted: bool
) -> None:
    """S1.17"""
    targets = ["https://a.example"]
    found = track_link(link, DELIVERY, LINKS, LINKS.unsubscribe(DELIVERY), targets)

    assert found == (LINKS.click(DELIVERY, 1) if counted else link)
    assert targets == (["https://a.example", link] if counted else ["https://a.example"])


def test_one_link_twice_is_one_target_and_there_is_an_end_to_them() -> None:
    targets = [f"https://a.example/{n}" for n in range(LINKS_TRACKED)]

    again = track_link(targets[3], DELIVERY, LINKS, "", targets)
    beyond = track_link("https://b.example", DELIVERY, LINKS, "", targets)

    assert again == LINKS.click(DELIVERY, 3)
    assert (beyond, len(targets)) == ("https://b.example", LINKS_TRACKED)
