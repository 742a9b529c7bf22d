"""The plain text of HTML mail, and the direction that Persian is read in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.channels._html_text import html_to_text, set_direction


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a < b &amp; c &gt; d &nbsp; e", "a < b & c > d e"),
        ("<p>سلام، «می‌خواهم»</p>\n<p>۱۲۳</p>", "سلام، «می‌خواهم»\n\n۱۲۳"),
        ("one\n two\t<b>th</b>ree", "one two three"),
        ("a<br>b<br/>c<br><br><br><br>d", "a\nb\nc\n\nd"),
        ("<div>a</div><div><div>b</div></div>", "a\nb"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ('<a href="https://e.org/?a=1&amp;b=2">here</a>!', "here (https://e.org/?a=1&b=2)!"),
        ("<a href='https://e.org'>https://e.org</a>", "https://e.org"),
        ("<a class=x href=https://e.org>a</a>", "a (https://e.org)"),
        ('<a href="mailto:a@b.co">a@b.co</a>', "a@b.co"),
        ('<a href="tel:+98912">تماس</a>', "تماس (+98912)"),
        ('<a href="#top">top</a> <a>no</a> <a href="javascript:x()">x</a>', "top no x"),
        ('<a href="https://e.org"><img src="b.png" alt="بنر"></a>', "بنر (https://e.org)"),
        ('x<a href="https://e.org"><img src="b.png"></a>y', "x https://e.orgy"),
        ('<img src="p" alt="">', ""),
        ("<ul><li>a</li><li>b</li></ul>after", "- a\n- b\n\nafter"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td> c </td></tr></table>", "a  b\nc"),
        ("<style>p{}</style><title>t</title><script>x<y</script>a", "a"),
        ("<!-- no --><!doctype html><?xml x?>a<!--[if mso]>no<![endif]-->b", "ab"),
        ("<style>never closed", ""),
        ("<!-- never closed", ""),
        ("a <b", "a"),
        ('<p title="a > b">c</p>', "c"),
        ('<p title="never closed>c</p>d', "c\n\nd"),
        ("<P>A</P><BR>B", "A\n\nB"),
        ("</a></ul></li>x", "x"),
    ],
)
def test_what_html_says(html: str, text: str) -> None:
    assert html_to_text(html) == text


@given(st.text(alphabet=st.sampled_from("<>/!-\"'= abphrefliul&#;سی\n\u200c")))
def test_any_text_can_be_read(html: str) -> None:
    assert "\n\n\n" not in html_to_text(html)
    assert html in (directed := set_direction(html)) or "<div dir=" in directed


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "<!", '<a href="', '</a ">"', "<a '>'", "<p>", "<", "<style", "&#"]
)
def test_html_that_was_written_to_cost_time_is_read_all_the_same(piece: str) -> None:
    html = piece * (60_000 // len(piece)) + "س"

    assert isinstance(html_to_text(html) + set_direction(html), str)


BEGIN = '<div dir="rtl" lang="fa">'
PERSIAN = "سلام مینا، سفارش شما گرفته شد"


@pytest.mark.parametrize(
    ("html", "directed"),
    [
        (f"<p>{PERSIAN}</p>", f'<div dir="rtl" lang="fa"><p>{PERSIAN}</p></div>'),
        (
            f"<html><body id='x'><p>{PERSIAN}</p></body></html>",
            f"<html><body id='x'>{BEGIN}<p>{PERSIAN}</p></div></body></html>",
        ),
        (
            f"<body><p>{PERSIAN}",
            f'<body><div dir="rtl" lang="fa"><p>{PERSIAN}</div>',
        ),
        ("<p>مرحبا</p>", '<div dir="rtl"><p>مرحبا</p></div>'),
        ("<p>שלום</p>", '<div dir="rtl"><p>שלום</p></div>'),
        (
            f"<style>.a{{color:red;background:green}}</style><b>{PERSIAN}</b>",
            f'<div dir="rtl" lang="fa"><style>.a{{color:red;background:green}}</style>'
            f"<b>{PERSIAN}</b></div>",
        ),
    ],
)
def test_mostly_persian_html_is_read_right_to_left(html: str, directed: str) -> None:
    assert set_direction(html) == directed


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello</p>",
        "",
        f"<p dir=ltr>{PERSIAN}</p>",
        f"<html DIR='rtl'><p>{PERSIAN}</p>",
        f'<p style="direction: rtl">{PERSIAN}</p>',
        f"<p>{PERSIAN}</p><p>and a much longer text in English that follows it</p>",
    ],
)
def test_html_that_says_its_direction_or_needs_none_stays_as_it_is(html: str) -> None:
    assert set_direction(html) == html
