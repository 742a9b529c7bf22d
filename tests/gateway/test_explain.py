"""Why a person did or did not get a campaign (N2)."""

from angarium.core.delivery.status import DeliveryState
from tests.gateway.seed import HOUR, NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

PATH = "/v1/profiles/u1/explain"
GATES = (
    '[{"gate": "campaign", "verdict": "send", "reason": "", "saw": {}},'
    ' {"gate": "opt_in", "verdict": "skip", "reason": "opted_out", "saw": {"state": "opted_out"}}]'
)


async def test_every_decision_is_told_with_its_gates_newest_first(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.campaign("cmp_1")
    await api.seed.delivery(
        "dlv_1",
        "prf_1",
        DeliveryState.SKIPPED,
        reason="opted_out",
        gates=GATES,
        planned_at=NOON - 3 * HOUR,
        step="send",
    )
    refusal = {"profile_id": "prf_1", "campaign": "cmp_1", "reason": "not_in_audience"}
    await api.seed.run("seed_refusal", at=NOON - 2 * HOUR, count=4, **refusal)
    run = {"campaign": "cmp_1", "profile_id": "prf_1"}
    at = NOON - HOUR
    await api.seed.run(
        "seed_run", id="run_1", state="cancelled", reason="stopped", due_at=None, at=at, **run
    )
    await api.seed.run(
        "seed_run", id="run_2", state="waiting", reason=None, due_at=NOON + HOUR, at=NOON, **run
    )

    body = await api.read(PATH, campaign="cmp_1")

    waiting, cancelled, refused, skipped = body["decisions"]
    assert (waiting["outcome"], waiting["reason"]) == ("waiting", "delay")
    assert waiting["dueAt"] == "2026-11-21T13:00:00.000Z"
    assert (cancelled["outcome"], cancelled["reason"]) == ("cancelled", "stopped")
    assert (refused["outcome"], refused["count"]) == ("refused", 4)
    assert refused["gates"] == [
        {
            "gate": "entry",
            "verdict": "skip",
            "reason": "not_in_audience",
            "saw": {"audience": False},
        }
    ]
    assert (skipped["outcome"], skipped["reason"]) == ("skipped", "opted_out")
    assert skipped["delivery"] == "dlv_1"
    assert skipped["source"] == {"campaign": "cmp_1", "version": 1, "step": "send"}
    assert [gate["gate"] for gate in skipped["gates"]] == ["campaign", "opt_in"]
    assert skipped["gates"][1]["saw"] == {"state": "opted_out"}


async def test_a_delivered_message_counts_as_accepted(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.campaign("cmp_1")
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.DELIVERED)

    [decision] = (await api.read(PATH, campaign="cmp_1"))["decisions"]

    assert (decision["outcome"], decision["state"]) == ("accepted", "delivered")


async def test_a_run_that_led_to_a_delivery_is_told_once(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.campaign("cmp_1")
    await api.seed.run(
        "seed_run",
        id="run_1",
        campaign="cmp_1",
        profile_id="prf_1",
        state="cancelled",
        reason="stopped",
        due_at=None,
        at=NOON,
    )
    await api.seed.delivery("dlv_1", "prf_1", DeliveryState.CANCELLED, run="run_1")

    assert len((await api.read(PATH, campaign="cmp_1"))["decisions"]) == 1


async def test_only_the_campaign_that_was_asked_for_is_told(api: Api) -> None:
    await api.seed.person("u1", "prf_1")
    await api.seed.campaign("cmp_1")
    await api.seed.campaign("cmp_2")
    await api.seed.campaign("cmp_3", workspace="other")
    await api.seed.delivery("dlv_1", "prf_1")
    await api.seed.delivery("dlv_2", "prf_1", campaign="cmp_2")

    assert len((await api.read(PATH, campaign="cmp_2"))["decisions"]) == 1
    assert len((await api.read(PATH))["decisions"]) == 2
    assert (await api.get(PATH, campaign="cmp_3")).status_code == 404
