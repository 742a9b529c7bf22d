"""Style sheets go into the elements; Liquid comes out as it went in; the odd stays as it was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.inline import MOST_TAGS, inline_css
from angarium.core.delivery.render import design
from angarium.core.delivery.templates import LETTERS, Templates
from angarium.plugins.channel import EMAIL

NEWSLETTER = """<!doctype html>
<html dir="rtl"><head><title>{{ event.name }}</title><style>
  .price { color: {{ profile.color }} }
  td, th { padding: 4px }
  a:hover { color: red }
  @media (max-width: 600px) { td { display: block } }
</style></head><body>
<p>سلام {{ profile.first_name | default: "دوست" }}، می‌خواهم</p>
<table>{% for item in event.items %}<tr><td>{{ item.name }}</td><td class="price">x</td></tr>
{% endfor %}</table>
{% if event.total > 3 and event.total < 9 %}<p>&nbsp;5 &gt; 3 &copy;</p>{% endif %}
<a href="{{ links.unsubscribe }}">لغو</a></body></html>"""
SCOPE = {
    "profile": {"first_name": "مینا", "color": "green"},
    "event": {"name": "خرید", "total": 5, "items": [{"name": "کتاب"}, {"name": "کفش"}]},
    "links": {"unsubscribe": "https://example.org/u/t"},
}


def styled(css: str, body: str) -> str:
    return f"<html><head><style>{css}</style></head><body>{body}</body></html>"


def test_rules_stand_in_the_elements_they_style() -> None:
    inlined = inline_css(NEWSLETTER)

    assert inlined.count('<td style="padding: 4px;">{{ item.name }}</td>') == 1
    assert 'class="price" style="' in inlined
    assert "color: {{ profile.color }};" in inlined


def test_what_only_a_style_sheet_can_say_stays_in_one() -> None:
    inlined = inline_css(NEWSLETTER)

    assert "@media (max-width: 600px)" in inlined
    assert "a:hover" in inlined
    assert ".price {" not in inlined


def test_it_renders_to_the_same_words_and_links() -> None:
    templates = Templates()
    before, after = (
        templates.render(text, SCOPE, html=True) for text in (NEWSLETTER, inline_css(NEWSLETTER))
    )

    def words(html: str) -> list[str]:
        bare = re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)
        return bare.replace("&copy;", "©").split()

    assert words(after) == words(before)
    assert after.count("<tr>") == before.count("<tr>") == 2
    assert 'href="https://example.org/u/t"' in after


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>{{ a }}</p>",
        '<p style="color:red">no style sheet</p>',
        styled("{% if dark %}p{color:white}{% endif %}", "<p>"),
        styled("p{color:red}", "<p>{% if a > b"),
        styled("p{color:red}", "<p>lq0z</p>"),
        "<style>p{color:red}<p>",
        "<style>p{}</style><!-- <p>",
        styled("p{color:red}", "<b>" * MOST_TAGS),
        styled("p{color:red}" * 2000, "<p></p>" * 1500),
        styled("p{color:red}", '<p {% if a > 3 %}class="b" title="c"{% endif %}>x</p>'),
        styled("p{color:red}", "<p {% if a %} hidden {% endif %}>x</p>"),
    ],
)
def test_what_gains_nothing_or_cannot_be_understood_stays_as_it_was(html: str) -> None:
    assert inline_css(html) == html


def test_liquid_that_would_come_back_in_another_order_is_left_alone() -> None:
    html = styled("p{color:red}", '<p title="{{ a }}" class="{{ b }}">x</p>')

    assert inline_css(html) == html


def test_liquid_before_the_parts_of_a_table_stays_in_the_table() -> None:
    body = "<table><tbody>{% for x in y %}<tr><td>{{ x }}</td></tr>{% endfor %}</tbody></table>"

    assert body.replace("<td>", '<td style="color: red;">') in inline_css(
        styled("td{color:red}", body)
    )


def test_liquid_inside_a_quoted_attribute_stays_there() -> None:
    html = styled(
        "p{color:red}", '<p class="{% if a > 3 %}b{% endif %}" id="{{ c | d: "e" }}">x</p>'
    )

    assert (
        '<p class="{% if a > 3 %}b{% endif %}" id="{{ c | d: "e" }}" style="color: red;">x</p>'
        in inline_css(html)
    )


def test_a_value_may_be_a_part_of_the_style_sheet_and_stand_twice() -> None:
    inlined = inline_css(styled("p{color:{{ profile.color }}}", "<p>a</p><p>b</p>"))

    assert inlined.count('<p style="color: {{ profile.color }};">') == 2


@pytest.mark.parametrize("link", ["http://127.0.0.1:9/x.css", "file:///etc/hostname", "x.css"])
def test_no_style_sheet_is_fetched(link: str) -> None:
    html = f'<link rel="stylesheet" href="{link}">' + styled("p{color:red}", "<p>x</p>")

    assert '<p style="color: red;">x</p>' in inline_css(html)


def test_a_template_that_would_grow_too_long_stays_as_it_was() -> None:
    html = styled("p{" + "".join(f"x{n}:y;" for n in range(50)) + "}", "<p>x</p>" * 900)

    assert len(html) < LETTERS
    assert inline_css(html) == html


@pytest.mark.parametrize("piece", ["<style>", "<!--", "{{", "<title>", "<a ", "<style></style>"])
def test_text_that_was_written_to_cost_time_is_left_alone(piece: str) -> None:
    html = "<style>" + piece * (60_000 // len(piece))

    assert inline_css(html) == html


@given(st.text(alphabet=st.sampled_from("<>{}%/abp=\" '!-")))
def test_nothing_that_is_written_makes_it_fail(text: str) -> None:
    html = styled("p{color:red}", f"<p>{text}</p>")

    inlined = inline_css(html)

    assert re.findall(r"\{[{%].*?[}%]\}", inlined) == re.findall(r"\{[{%].*?[}%]\}", html)


def test_a_campaigns_content_is_inlined_when_it_is_taken_apart() -> None:
    html = styled("p{color:red}", "<p>{{ profile.name }}</p>")
    made = design(EMAIL, {"subject": "s", "html": html, "text": "<style>p{}</style>"})

    assert '<p style="color: red;">{{ profile.name }}</p>' in str(made.holes["html"])
    assert made.fixed["text"] == "<style>p{}</style>"
