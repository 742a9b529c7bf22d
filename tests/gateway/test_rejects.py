"""What was not stored, over HTTP (S2.12)."""

from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]


async def test_rejects_are_listed_newest_first_page_by_page(api: Api) -> None:
    for number in range(5):
        await api.seed.run("seed_reject", message_id=f"m{number}", at=NOON + number // 2)
    await api.seed.run("seed_reject", workspace="other", message_id="theirs", at=NOON)

    found = await api.pages("/v1/rejects", limit=2)

    assert [reject["messageId"] for reject in found] == ["m4", "m3", "m2", "m1", "m0"]
    assert found[4] == {
        "at": "2026-11-21T12:00:00.000Z",
        "messageId": "m0",
        "field": "email",
        "code": "bad_email",
        "reason": "write a@b.c",
        "value": "x",
    }


async def test_a_tampered_cursor_is_refused(api: Api) -> None:
    for number in range(2):
        await api.seed.run("seed_reject", message_id=f"m{number}", at=NOON)
    cursor = (await api.read("/v1/rejects", limit=1))["next_cursor"]

    assert (await api.get("/v1/rejects", cursor=cursor + "A")).status_code == 422
    assert (await api.get("/v1/profiles", cursor=cursor)).status_code == 422
