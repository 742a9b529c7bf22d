"""What a person did and was sent, in one list (S0.3)."""

from angarium.core.delivery.status import DeliveryState
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/profiles/u1/timeline"


async def test_the_timeline_shows_what_was_done_and_sent_newest_first(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.event("m1", "prf_1", NOON - 1, body='{"amount": 5}', device="d1")
    await api.seed.event("m2", "prf_1", NOON, kind="page", name="Page Viewed")
    await api.seed.event("m3", "prf_1", NOON - 2, kind="merge", name="")
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.SKIPPED, reason="opted_out")

    body = await api.read(PATH)

    assert body["next_cursor"] is None
    assert [(e["kind"], e["name"]) for e in body["data"]] == [
        ("message", "email"),  # planned because of what happened at that same instant
        ("event", "Page Viewed"),
        ("event", "Purchase"),
        ("merge", ""),
    ]
    assert body["data"][0]["properties"] == {
        "delivery": "dlv_1",
        "campaign": "cmp_1",
        "version": 1,
        "step": "",
        "channel": "email",
        "provider": "",
        "state": "skipped",
        "reason": "opted_out",
        "test": False,
    }
    assert body["data"][2] == {
        "at": "2026-11-21T11:59:59.999Z",
        "kind": "event",
        "name": "Purchase",
        "properties": {"amount": 5},
        "device": "d1",
        "messageId": "m1",
    }


async def test_pages_neither_repeat_nor_lose_what_happened_at_one_instant(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    for number in range(5):
        await api.seed.event(f"m{number}", "prf_1", NOON + number // 3)
        await api.seed.delivery(f"dlv_{number}", "prf_1", planned_at=NOON + number // 3)
    whole = (await api.read(PATH, limit=100))["data"]

    for limit in (1, 2, 3, 7):
        assert await api.pages(PATH, limit=limit) == whole
    assert len(whole) == 10


async def test_a_cursor_of_another_person_is_refused(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.person("u2", "prf_2")
    for number in range(2):
        await api.seed.event(f"m{number}", "prf_1", NOON)
    cursor = (await api.read(PATH, limit=1))["next_cursor"]

    assert (await api.get("/v1/profiles/u2/timeline", cursor=cursor)).status_code == 422
