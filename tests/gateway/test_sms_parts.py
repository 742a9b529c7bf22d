"""What a text message will cost, before anybody is sent it."""

from typing import Any

import pytest

from angarium.config.settings import Settings, Sms
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/sms/parts"
GREETING = "سلام {{ profile.first_name }}، "


@pytest.fixture
def settings() -> Settings:
    return Settings(sms=Sms(part_price=120.5, currency="IRR"))


@pytest.fixture
async def shop(api: Api) -> Api:
    await api.seed.person("u1", "prf_1", attributes='{"first_name": "Ali"}')
    await api.seed.person("u2", "prf_2", attributes='{"first_name": "شهرزاد"}')
    return api


async def ask(api: Api, text: str, **more: Any) -> list[dict[str, Any]]:
    answer = await api.request("POST", PATH, json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def test_a_text_is_counted_and_priced(shop: Api) -> None:
    assert await ask(shop, "س" * 135) == [
        {
            "userId": None,
            "text": "س" * 135,
            "alphabet": "ucs2",
            "parts": 3,
            "cost": 361.5,
            "currency": "IRR",
        }
    ]


@pytest.mark.parametrize(
    ("text", "alphabet", "parts"),
    [
        ("a" * 160, "gsm7", 1),
        ("a" * 1000, "gsm7", 7),
        ("a" * 152 + "€" + "a" * 10, "gsm7", 2),
        ("س" * 71, "ucs2", 2),
        ("a" * 66 + "🎉" + "a" * 10, "ucs2", 2),
        (" \n", "gsm7", 0),
        ("{{ code }}", "gsm7", 1),
    ],
)
async def test_parts_are_those_that_will_be_paid_for(
    shop: Api, text: str, alphabet: str, parts: int
) -> None:
    [row] = await ask(shop, text)

    assert (row["alphabet"], row["parts"], row["cost"]) == (alphabet, parts, parts * 120.5)


async def test_each_person_has_a_text_of_their_own(shop: Api) -> None:
    text = GREETING + "س" * 58
    rows = await ask(shop, text, to=["u1", "u2", "u1"])

    assert [(row["userId"], row["parts"]) for row in rows] == [("u1", 1), ("u2", 2)]
    assert rows[1]["text"] == "سلام شهرزاد، " + "س" * 58


async def test_a_link_to_unsubscribe_counts_as_long_as_it_will_be(shop: Api) -> None:
    link = shop.parts.links.unsubscribe("dlv_" + "a" * 24)
    [row] = await ask(shop, "{{ links.unsubscribe }}")

    assert len(row["text"]) == len(link)


async def test_people_who_are_not_there_are_named(shop: Api) -> None:
    body = {"text": "hello", "to": ["u1", "nobody", "\0"]}
    answer = await shop.request("POST", PATH, json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/to/1", "/to/2"]


@pytest.mark.parametrize(
    "text", ["{{ profile.name", "{% nothing %}", "{{ 'a' | jalali: 1 }}", "{{ 1 | nothing }}"]
)
async def test_a_template_that_cannot_be_filled_in_is_refused(shop: Api, text: str) -> None:
    answer = await shop.request("POST", PATH, json={"text": text})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/text"]


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": "a" * 65_537}, {"text": "a", "to": []}, {"text": "a", "of": 1}],
)
async def test_a_question_that_makes_no_sense_is_refused(shop: Api, body: Any) -> None:
    assert (await shop.request("POST", PATH, json=body)).status_code in (400, 422)


class TestWithoutAPrice:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings()

    async def test_no_cost_is_shown(self, shop: Api) -> None:
        [row] = await ask(shop, "hello")

        assert (row["parts"], row["cost"], row["currency"]) == (1, None, None)
