"""The pages that recipients see."""

import re

import pytest

from angarium.gateway.pages import HEADERS, TEXTS, Language, choose_language, page


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "fa"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fa-IR,fa;q=0.9,en;q=0.8", "fa"),
        ("en;q=0.2, fa;q=0.7", "fa"),
        ("de,fr;q=0.8", "fa"),
        ("de, EN;q=0.1", "en"),
        ("en;q=0", "fa"),
        ("en;q=x, *", "fa"),
        ("," * 10_000, "fa"),
    ],
)
def test_the_language_is_the_readers_own(accept: str, language: Language) -> None:
    assert choose_language(accept, "fa") == language


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fa", "rtl")])
def test_every_page_stands_alone(language: Language, direction: str) -> None:
    for text in TEXTS[language]:
        response = page(language, text)
        html = response.content.decode()
        assert f'<html lang="{language}" dir="{direction}">' in html
        assert ("<form" in html) == (text == "unsubscribe")
        assert not re.search(r"<script|src=|href=|url\(", html)


def test_both_languages_say_the_same() -> None:
    assert TEXTS["en"].keys() == TEXTS["fa"].keys()


def test_a_page_allows_nothing_but_its_own_style() -> None:
    policy = HEADERS["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert HEADERS["Referrer-Policy"] == "no-referrer"  # the token stands in the address
