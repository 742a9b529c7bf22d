import pytest

from angarium.core.delivery.templates import (
    RenderFailed,
    TemplateInvalid,
    Templates,
    check_template,
)

AT = "2026-11-22T10:00:00Z"


def render(text: str, *, html: bool = False, strict: bool = False, **scope: object) -> str:
    return Templates().render(text, scope, html=html, strict=strict)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{" * 20_000, 1),
        ("{{" * 20_000, 1),
        ("{% if " * 3_000, 1),
        ("one\ntwo {{ open", 2),
        ("{% if x %}", 1),
        ("{% nothing %}", 1),
        ("{{ x | nothing }}", 1),
        ("one\n{% include 'x' %}", 2),
        ("{% render 'x' %}", 1),
        ("x" * 70_000, None),
        ("{{ x | safe }}", 1),
        ("{{ (1..100000000) | join: ',' }}", 1),
        ("{% assign r = (1..5) %}", 1),
        ("{% for i in (1..100000000) %}{% endfor %}", 1),
        ("{% for i in (1..event.n) reversed %}{% endfor %}", 1),
    ],
)
def test_what_could_not_be_rendered_within_limits_is_not_saved(text: str, line: int | None) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        check_template(text)

    assert caught.value.line == line
    assert text[:50] not in str(caught.value) or len(text) < 50


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}",
        "{% assign s = 'x' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}",
        "{{ a | replace: 'y', a | replace: 'y', a | replace: 'y', a | size }}",
        "{{ a | split: '' | join: a | split: '' | join: a | size }}",
        "{% assign n = 10 %}{% for i in (1..40) %}{% assign n = n | times: n %}{% endfor %}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 'now' | date: '%Y' }}",
    ],
)
def test_what_grows_without_end_fails_for_this_person_only(text: str) -> None:
    with pytest.raises(RenderFailed, match=r"^template: "):
        render(text, a="y" * 1_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ profile.first_name | default: 'friend' }}", "friend"),
        ("{{ profile.city }}", "Tehran"),
        ("{{ profile.__class__ }}{{ profile.keys }}{{ profile.city.upper }}", ""),
        ("{% if profile.city == 'Tehran' %}yes{% else %}no{% endif %}", "yes"),
        ("{{ event.timestamp | date: '%Y-%m-%d' }}", "2026-11-22"),
        ("{{ event.timestamp | jalali: '%Y/%m/%d' }}", "1405/09/01"),
        ("{{ event.timestamp | jalali: '%d %B' }}", "01 آذر"),
        ("{{ '2026-11-22' | jalali }}", "1405/09/01"),
        ("{{ 'no date' | jalali }}", ""),
        ("{{ 1250000 | toman | fa_digits }}", "۱,۲۵۰,۰۰۰"),
        ("{{ 'a lot' | toman }}", "a lot"),
    ],
)
def test_personalisation(text: str, expected: str) -> None:
    assert render(text, profile={"city": "Tehran"}, event={"timestamp": AT}) == expected


def test_what_a_person_sent_is_escaped_in_html_and_left_in_text() -> None:
    profile = {"name": "<script>&"}

    assert render("{{ profile.name }}", html=True, profile=profile) == "&lt;script&gt;&amp;"
    assert render("{{ profile.name }}", profile=profile) == "<script>&"


@pytest.mark.parametrize("error", [KeyError("sara"), ValueError("sara"), SystemExit(3)])
@pytest.mark.parametrize("text", ["{{ 'a' | ill }}", "{% assign b = 'a' | ill %}{{ b }}"])
def test_a_plugins_filter_that_raises_spoils_one_message_and_tells_nothing_of_the_person(
    error: BaseException, text: str
) -> None:
    def ill(value: object) -> str:
        raise error

    with pytest.raises(RenderFailed) as caught:
        Templates(filters={"ill": ill}).render(text, {})

    assert str(caught.value) == f"template: the filter ill raised {type(error).__name__}"


def test_a_plugins_filter_replaces_none_that_there_is() -> None:
    templates = Templates(filters={"upcase": lambda value: "theirs", "escape": lambda value: value})

    assert templates.render("{{ 'a<' | upcase | escape }}", {}) == "A&lt;"


def test_a_preview_names_what_is_missing() -> None:
    with pytest.raises(RenderFailed, match="undefined"):
        render("{{ profile.name }}", strict=True, profile={})


def test_parsed_templates_are_kept_up_to_a_number() -> None:
    templates = Templates(kept=2)
    first = templates.parse("{{ a }}")

    assert templates.parse("{{ a }}") is first
    for text in ("{{ b }}", "{{ c }}"):
        templates.parse(text)
    assert templates.parse("{{ a }}") is not first
