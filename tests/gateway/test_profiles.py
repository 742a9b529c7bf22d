"""People over HTTP."""

from urllib.parse import quote

import msgspec
import pytest

from angarium.core.people.attributes import Cell
from angarium.core.people.consent import Consent, Word
from angarium.core.people.devices import Address, Death, Device, Permission
from angarium.core.people.profile import State
from tests.gateway.seed import DAY, NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

STATE = State(
    cells={"email": Cell(True, NOON - DAY, 1, "a@example.org")},
    consents={"sms": Consent(known=Word(False, NOON, 1))},
)
SUBSCRIPTION = '{"endpoint": "https://push.example/secret"}'
DEVICES = {
    "d1": Device(
        NOON, 1, "web", Address(NOON - DAY, 1, SUBSCRIPTION), Permission(NOON - DAY, 1, True)
    ),
    "d0": Device(NOON - 1, 1, "ios"),
    "d2": Device(
        NOON - 2, 1, "android", Address(NOON - DAY, 1, "token-secret"), None, Death(NOON, "gone")
    ),
    "d3": Device(NOON - 3, 1, "ios", Address(NOON - DAY, 1, "token-lost", lost=True)),
}


def device(id: str, kind: str, seen: str, channel: str | None, state: str) -> dict[str, str | None]:
    named = {"id": id, "type": kind, "seenAt": f"2026-11-21T{seen}Z"}
    return {**named, "channel": channel, "state": state, "deadAt": None, "deadReason": None}


async def test_a_profile_tells_all_that_is_known(api: Api) -> None:
    state = msgspec.json.encode(STATE).decode()
    attributes = '{"email": "a@example.org", "city": "Tehran"}'
    devices = msgspec.json.encode(DEVICES).decode()
    await api.seed.person("u1", "prf_1", attributes=attributes, state=state, devices=devices)
    for anonymous_id in ("a2", "a1"):
        await api.seed.run("seed_known_as", profile_id="prf_1", anonymous_id=anonymous_id)
    totals = {"profile_id": "prf_1", "event": "Purchase", "first_at": NOON - DAY, "last_at": NOON}
    await api.seed.run("seed_totals", count=3, **totals)

    profile = await api.read("/v1/profiles/u1")

    assert profile == {
        "id": "prf_1",
        "userId": "u1",
        "anonymousIds": ["a1", "a2"],
        "known": True,
        "attributes": {"email": "a@example.org", "city": "Tehran"},
        "consents": {
            "email": {"state": "opted_in", "reason": "default", "at": "2026-11-20T12:00:00.000Z"},
            "sms": {"state": "opted_out", "reason": "explicit", "at": "2026-11-21T12:00:00.000Z"},
            "push": {"state": "unset", "reason": "none", "at": None},
            "web_push": {
                "state": "opted_in",
                "reason": "permission",
                "at": "2026-11-20T12:00:00.000Z",
            },
        },
        "devices": [
            device("d1", "web", "12:00:00.000", "web_push", "live"),
            device("d0", "ios", "11:59:59.999", None, "none"),
            device("d2", "android", "11:59:59.998", "push", "dead")
            | {"deadAt": "2026-11-21T12:00:00.000Z", "deadReason": "gone"},
            device("d3", "ios", "11:59:59.997", None, "none"),
        ],
        "events": {
            "Purchase": {
                "first": "2026-11-20T12:00:00.000Z",
                "last": "2026-11-21T12:00:00.000Z",
                "count": 3,
            }
        },
        "createdAt": "2026-11-20T12:00:00.000Z",
        "lastSeenAt": "2026-11-21T12:00:00.000Z",
    }


@pytest.mark.parametrize("user_id", ["a/b", "a%2Fb", "سلام دنیا", "x?y#z", "a/timeline", " "])
async def test_a_user_id_may_be_any_text(api: Api, user_id: str) -> None:
    await api.seed.person(user_id, "prf_1")

    profile = await api.read(f"/v1/profiles/{quote(user_id, safe='')}")

    assert profile["userId"] == user_id


async def test_a_user_id_is_found_however_its_letters_are_composed(api: Api) -> None:
    await api.seed.person("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "prf_1")

    other = quote("cafe\N{COMBINING ACUTE ACCENT}")

    assert (await api.read(f"/v1/profiles/{other}"))["id"] == "prf_1"


async def test_an_anonymous_id_names_its_open_profile(api: Api) -> None:
    await api.seed.person(None, "prf_a")
    await api.seed.person("u1", "prf_1")
    await api.seed.identity("anonymous", "a1", "prf_a", bindings=f'[[{NOON}, "u1"]]')
    await api.seed.event("m1", "prf_a", NOON, anonymous_id="a1", user_id=None)

    profile = await api.read("/v1/profiles/anonymous:a1")

    assert (profile["id"], profile["known"], profile["anonymousIds"]) == ("prf_a", False, ["a1"])


async def test_an_anonymous_id_without_a_profile_names_who_logged_in_last(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.person("u2", "prf_2")
    bindings = f'[[{NOON}, "u2"], [{NOON - 1}, "u1"]]'
    await api.seed.identity("anonymous", "a1", None, bindings=bindings)

    assert (await api.read("/v1/profiles/anonymous:a1"))["userId"] == "u2"


async def test_a_merged_profile_leads_to_the_one_it_was_merged_into(api: Api) -> None:
    await api.seed.person("u1", "prf_1", merged_into="prf_2")
    await api.seed.person("u2", "prf_2")

    assert (await api.read("/v1/profiles/u1"))["id"] == "prf_2"


async def test_people_are_listed_last_seen_first_page_by_page(api: Api) -> None:
    for number in range(7):
        await api.seed.person(f"u{number}", f"prf_{number}", last_seen_at=NOON + number // 2)
    await api.seed.person("gone", "prf_gone", merged_into="prf_1")
    await api.seed.person("theirs", "prf_theirs", workspace="other")

    found = await api.pages("/v1/profiles", limit=2)

    assert [person["userId"] for person in found] == ["u6", "u5", "u4", "u3", "u2", "u1", "u0"]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000000000", "x"])
async def test_a_page_has_1_to_100_rows(api: Api, limit: str) -> None:
    response = await api.get("/v1/profiles", limit=limit)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid"
    assert "limit" in response.text


async def test_a_tampered_cursor_is_refused(api: Api) -> None:
    response = await api.get("/v1/profiles", cursor="AAAA")

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "cursor"


@pytest.mark.parametrize("part", ["", "/timeline", "/deliveries", "/explain"])
async def test_nobody_of_another_workspace_is_found(api: Api, part: str) -> None:
    await api.seed.person("u1", "prf_1", workspace="other")

    assert (await api.get(f"/v1/profiles/u1{part}")).status_code == 404
    assert (await api.get(f"/v1/profiles/u1{part}", key="other")).status_code == 200
    assert (await api.get(f"/v1/profiles/nobody{part}")).json()["code"] == "not_found"


async def test_a_key_needs_the_scope(api: Api) -> None:
    assert (await api.get("/v1/profiles", key="reader")).status_code == 200
    assert (await api.get("/v1/events", key="reader")).status_code == 403
    assert (await api.public.get("/v1/profiles")).status_code == 401
