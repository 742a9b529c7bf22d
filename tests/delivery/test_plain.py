"""The quick way of filling a template gives what Liquid gives, letter by letter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquid import Environment

from angarium.core.delivery.plain import Uncommon, compile_plain

NAMES = ("city", "first name", "نام", "orders", "size", "inner")
TEXT = st.text(st.sampled_from(" \n<>&\"'aب1"), max_size=6)
VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.0, 1.5, 1e30]) | TEXT
SCOPES = st.fixed_dictionaries(
    {
        "profile": st.dictionaries(
            st.sampled_from(NAMES),
            VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(TEXT, VALUES, max_size=2),
        )
    },
    optional={"code": VALUES},
)
PLACES = st.sampled_from(
    [
        "profile.city",
        "profile['first name']",
        "profile.نام",
        "profile.orders",
        "profile.inner.city",
        "profile.size",
        "profile",
        "code",
        "code.length",
        "nobody",
        "now",
    ]
)
HOLES = st.builds("{{{{ {} }}}}".format, PLACES) | st.builds(
    "{{{{ {} | default: '{}' }}}}".format, PLACES, st.text(" <&aب", max_size=4)
)
PIECES = st.deferred(lambda: st.lists(TEXT | HOLES | CHOICES, max_size=4).map("".join))
CHOICES = st.builds(
    "{{%{0} if {1} {0}%}}{2}{{% else %}}{3}{{%{0} endif %}}".format,
    st.sampled_from(["", "-"]),
    PLACES,
    PIECES,
    PIECES,
) | st.builds("{{% if {0} %}}{1}{{% endif %}}".format, PLACES, PIECES)


@given(PIECES, SCOPES, st.booleans())
def test_both_ways_give_the_same_text(text: str, scope: dict[str, Any], html: bool) -> None:
    template = Environment(autoescape=html).from_string(text)
    plain = compile_plain(template, html=html)
    if plain is None:
        return

    try:
        found = plain(scope)
    except Uncommon:
        return

    assert found == template.render(**scope)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "Hello {{ profile.first_name }}",
        "{{ profile.first_name | default: 'you' }}, welcome",
        "{% if profile.city %}In {{ profile.city }}{% else %}Somewhere{% endif %}",
    ],
)
def test_what_most_campaigns_write_is_plain(text: str) -> None:
    plain = compile_plain(Environment().from_string(text), html=False)

    assert plain is not None
    assert plain({"profile": {}}) == Environment().from_string(text).render(profile={})


@pytest.mark.parametrize(
    "text",
    [
        "{% for item in event.items %}{{ item }}{% endfor %}",
        "{{ profile.name | upcase }}",
        "{% assign a = 1 %}{{ a }}",
        "{% if profile.orders > 3 %}many{% endif %}",
        "{{ profile.size }}",
    ],
)
def test_the_rest_is_liquid_s_own(text: str) -> None:
    assert compile_plain(Environment().from_string(text), html=False) is None


def test_a_very_long_text_is_left_to_liquid_and_its_limits() -> None:
    plain = compile_plain(Environment().from_string("{{ profile.a }}" * 20), html=False)

    assert plain is not None
    with pytest.raises(Uncommon):
        plain({"profile": {"a": "x" * 10_000}})
