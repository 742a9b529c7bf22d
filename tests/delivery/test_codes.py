"""Which messages need a promo code, which they have, and under whose id it is kept."""

from typing import Any

import msgspec
import pytest

from angarium.core.delivery.codes import CODE_GATE, SAMPLE, code_of, owner_of
from angarium.core.delivery.gates import ASK_AGAIN, SEND, Hold
from angarium.core.delivery.render import design, scope_of, uses, with_handing
from angarium.core.delivery.templates import names_in
from angarium.plugins.channel import EMAIL, PUSH
from tests.delivery.examples import NOW, delivery
from tests.delivery.test_gates import attempt


def with_context(**context: Any) -> Any:
    return delivery(context=msgspec.json.encode(context).decode())


@pytest.mark.parametrize(
    ("code", "answer"),
    [("SPRING-1", SEND), (None, SEND), ("", Hold(NOW + ASK_AGAIN, "no_code"))],
)
def test_a_message_waits_where_there_is_no_code_for_it(code: str | None, answer: object) -> None:
    asked = msgspec.structs.replace(attempt(), codes="Spring", code=code)

    assert CODE_GATE.decide(asked) == answer
    assert CODE_GATE.saw(asked) == {"list": "Spring", "found": bool(code)}


def test_a_delivery_has_the_code_with_which_it_was_handed_over() -> None:
    first = delivery(context='{"event": {"name": "Visit"}}')
    handed = delivery(context=with_handing(first, "to", [], "SPRING-1"))

    assert (code_of(first), code_of(handed)) == (None, "SPRING-1")
    assert scope_of(handed, "Spring", {})["code"] == "SPRING-1"
    assert scope_of(first, "Spring", {}, "SPRING-2")["code"] == "SPRING-2"


@pytest.mark.parametrize("data", [{"code": "mine"}, {"code": 5}])
def test_a_code_in_somebodys_data_is_not_ours(data: dict[str, Any]) -> None:
    assert code_of(with_context(data=data)) is None
    assert "code" not in scope_of(with_context(data=data), "Spring", {})


def test_a_test_shows_a_sample() -> None:
    assert code_of(delivery(test=True)) == SAMPLE


def test_a_message_in_anothers_place_has_the_code_of_the_first() -> None:
    assert owner_of(delivery()) == "dlv_1"
    assert owner_of(with_context(inPlaceOf=["dlv_0", "dlv_00"])) == "dlv_0"


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("Your code: {{ code }}", True),
        ("{% if code %}{{ code | upcase }}{% endif %}", True),
        ("{{ profile.code }} {{ event.properties.code }}", False),
        ("{% assign code = 'X' %}{{ code }}", False),
        ("code", False),
        ("{{ 'code' }}", False),
        ("{{ code", False),
    ],
)
def test_only_a_template_that_reads_the_name_needs_one(text: str, reads: bool) -> None:
    assert uses("code", text) is reads


def test_names_are_those_that_a_template_expects() -> None:
    assert names_in("{{ profile.name }} {% for a in data.items %}{{ a }}{% endfor %}") == {
        "profile",
        "data",
    }


def test_a_channels_content_needs_one_if_any_part_does() -> None:
    plain = {"title": "Hello {{ profile.name }}", "data": {"a": "{{ event.name }}"}}
    deep = {"title": "Hello", "data": {"a": "{{ code }}"}}

    assert not design(PUSH, plain).uses_code
    assert design(PUSH, deep).uses_code
    assert design(EMAIL, {"subject": "Hi", "html": "<b>{{ code }}</b>"}).uses_code
