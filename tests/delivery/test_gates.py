"""Each gate by a table of attempts, then all of them together."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from angarium.core.campaigns.hours import ActiveHours
from angarium.core.delivery import gates
from angarium.core.delivery.attempt import Attempt, CampaignRules, Person
from angarium.core.delivery.gates import ASK_AGAIN, GATES, SEND, Decision, Gate, Hold, Skip
from angarium.core.delivery.judge import judge
from angarium.core.delivery.rules import Cap, MessageRules, Received, parse_quiet_hours
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import DAY, HOUR, MINUTE
from angarium.core.events.totals import EventTotals
from angarium.core.people.app_state import Sight
from angarium.core.segments.conditions import Facts, parse_condition
from tests.delivery.examples import NOW, delivery

S = DeliveryState
RULES = CampaignRules("active")
PERSON = Person(Facts(attributes={"city": "Tehran"}, known=True), ("opted_in", "default"), "a@b.c")
IN_TEHRAN = parse_condition({"attribute": "city", "is": "Tehran"})
BOUGHT = parse_condition({"event": "Purchase", "count": {"at_least": 1}})
NINE_TO_TEN = ActiveHours("UTC", ((), (), (), (), ((540, 600),), (), ()))
"""Fridays from 09:00; NOW is a Friday, 08:00."""


def attempt(**changes: Any) -> Attempt:
    """One that passes every gate, but for `changes`; `test` is the delivery's."""
    facts: dict[str, Any] = {
        "delivery": delivery(S.CLAIMED, test=changes.pop("test", False)),
        "now": NOW,
        "campaign": RULES,
        "person": PERSON,
        "provider": "email_smtp",
    }
    return Attempt(**(facts | changes))


def rules(**changes: Any) -> CampaignRules:
    return msgspec.structs.replace(RULES, **changes)


def person(**changes: Any) -> Person:
    return msgspec.structs.replace(PERSON, **changes)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (attempt(), SEND),
        (attempt(campaign=rules(state="paused")), Hold(NOW + ASK_AGAIN, "campaign_paused")),
        (attempt(campaign=rules(state="archived")), Skip("campaign_archived")),
        (attempt(campaign=rules(state="draft")), Skip("campaign_draft")),
        (attempt(campaign=None), Skip("campaign_gone")),
        (attempt(campaign=rules(state="draft"), test=True), SEND),
    ],
)
def test_campaign(case: Attempt, expected: Decision) -> None:
    assert gates.campaign(case) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [(NOW, SEND), (NOW + HOUR - 1, SEND), (NOW + HOUR, Skip("expired"))],
)
def test_expiry(at: int, expected: Decision) -> None:
    assert gates.expiry(attempt(now=at)) == expected
    assert gates.expiry(attempt(now=at, test=True)) == expected


def test_an_erased_person_gets_nothing() -> None:
    assert gates.person(attempt()) == SEND
    assert gates.person(attempt(person=None)) == Skip("person_gone")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (attempt(), SEND),
        (attempt(campaign=rules(audience=IN_TEHRAN)), SEND),
        (
            attempt(campaign=rules(audience=IN_TEHRAN), person=person(facts=Facts())),
            Skip("left_audience"),
        ),
        (
            attempt(campaign=rules(audience=IN_TEHRAN), person=person(facts=Facts()), test=True),
            SEND,
        ),
        (attempt(campaign=rules(audience=BOUGHT)), Skip("left_audience")),
        (
            attempt(
                campaign=rules(audience=BOUGHT),
                person=person(facts=Facts(events={"Purchase": EventTotals(1, NOW, NOW)})),
            ),
            SEND,
        ),
    ],
)
def test_audience(case: Attempt, expected: Decision) -> None:
    assert gates.audience(case) == expected


@pytest.mark.parametrize("test", [False, True])
@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        (("opted_in", "default"), SEND),
        (("opted_in", "explicit"), SEND),
        (("opted_out", "explicit"), Skip("opted_out")),
        (("unset", "none"), Skip("not_opted_in")),
        (("unset", "no_address"), Skip("no_address")),
        (("anything else", ""), Skip("not_opted_in")),
    ],
)
def test_opt_in(consent: tuple[str, str], expected: Decision, test: bool) -> None:
    """S2.10: whatever path asked."""
    assert gates.opt_in(attempt(person=person(consent=consent), test=test)) == expected


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (person(), SEND),
        (person(address=""), Skip("no_address")),
        (person(address="", bad_address="has no domain"), Skip("bad_address")),
        (None, Skip("no_address")),
    ],
)
def test_address(who: Person | None, expected: Decision) -> None:
    assert gates.address(attempt(person=who)) == expected


def test_suppression() -> None:
    assert gates.suppression(attempt()) == SEND
    suppressed = person(suppressed="bounced")
    assert gates.suppression(attempt(person=suppressed)) == Skip("suppressed")
    assert gates.suppression(attempt(person=suppressed, test=True)) == Skip("suppressed")


@pytest.mark.parametrize("test", [False, True])
@pytest.mark.parametrize(
    ("live", "sight", "expected"),
    [
        (False, None, SEND),
        (False, Sight(False, NOW), SEND),
        (True, Sight(True, NOW), SEND),
        (True, Sight(True, NOW - 10 * MINUTE), SEND),
        (True, Sight(True, NOW - 10 * MINUTE - 1), Skip("app_closed")),
        (True, Sight(False, NOW), Skip("app_closed")),
        (True, Sight(None, NOW), Skip("app_closed")),
        (True, None, Skip("app_closed")),
    ],
)
def test_app(live: bool, sight: Sight | None, expected: Decision, test: bool) -> None:
    """S1.15: who does not have the app open at this moment gets nothing, now or later."""
    case = attempt(campaign=rules(live=live), person=person(app=sight), test=test)
    assert gates.app(case) == expected


def test_how_long_an_app_counts_as_open_is_the_operators_word() -> None:
    seen = {"campaign": rules(live=True), "person": person(app=Sight(True, NOW - MINUTE))}
    assert gates.app(attempt(**seen, rules=MessageRules(app_open=MINUTE))) == SEND
    assert gates.app(attempt(**seen, rules=MessageRules(app_open=MINUTE - 1))) != SEND
    assert gates.app(attempt(campaign=rules(live=True), person=None)) == Skip("app_closed")


@pytest.mark.parametrize(
    ("sight", "saw"),
    [
        (None, {}),
        (Sight(None, NOW), {"said": "nothing", "heardAt": "2027-01-15T08:00:00.000Z"}),
        (Sight(False, NOW), {"said": "closed", "heardAt": "2027-01-15T08:00:00.000Z"}),
    ],
)
def test_explain_says_what_is_known_of_the_app(sight: Sight | None, saw: Mapping[str, Any]) -> None:
    judgement = judge(attempt(campaign=rules(live=True), person=person(app=sight)))
    (verdict,) = [v for v in judgement.verdicts if v.gate == "app"]
    assert (verdict.verdict, verdict.reason) == ("skip", "app_closed")
    assert verdict.saw == {**saw, "withinSeconds": 600}
    (usual,) = [v for v in judge(attempt()).verdicts if v.gate == "app"]
    assert usual.saw == {}


@pytest.mark.parametrize(
    ("recent", "test", "expected"),
    [
        (0, False, SEND),
        (1, False, SEND),
        (2, False, Skip("limit_reached")),
        (9, False, Skip("limit_reached")),
        (9, True, SEND),
    ],
)
def test_limit(recent: int, test: bool, expected: Decision) -> None:
    limited = rules(limit=(2, DAY))
    assert gates.limit(attempt(campaign=limited, recent=recent, test=test)) == expected
    assert gates.limit(attempt(recent=recent, test=test)) == SEND


@pytest.mark.parametrize(
    ("zone", "own", "minutes", "expected"),
    [
        ("UTC", None, 0, Hold(NOW + HOUR, "active_hours")),  # 08:00: opens at 09:00
        ("UTC", None, 60, SEND),  # 09:00
        ("UTC", None, 119, SEND),  # 09:59
        ("UTC", None, 120, Skip("expires_before_active_hours")),  # 10:00: opens in a week
        ("Europe/Paris", None, 0, SEND),  # 09:00 there
        ("UTC", "Europe/Paris", 0, SEND),  # the person's own zone goes first
        ("UTC", "Mars/Olympus", 0, Hold(NOW + HOUR, "active_hours")),
    ],
)
def test_active_hours(zone: str, own: str | None, minutes: int, expected: Decision) -> None:
    """S1.9."""
    hours = msgspec.structs.replace(NINE_TO_TEN, zone="person")
    case = attempt(
        campaign=rules(hours=hours),
        person=person(facts=Facts(attributes={"timezone": own} if own else {})),
        delivery=delivery(S.CLAIMED, expires_at=NOW + 3 * HOUR),
        zone=zone,
        now=NOW + minutes * MINUTE,
    )
    assert gates.active_hours(case) == expected


QUIET = MessageRules(parse_quiet_hours("22:00-09:00"))
CAPPED = MessageRules(caps=(Cap(2, DAY, "marketing"),))


@pytest.mark.parametrize(
    ("own", "hours", "expected"),
    [
        (None, 0, Hold(NOW + HOUR, "quiet_hours")),  # 08:00 in UTC
        (None, 1, SEND),
        ("Asia/Tehran", 0, SEND),  # 11:30
        ("Asia/Tehran", 11, Hold(NOW + 21 * HOUR + HOUR // 2, "quiet_hours")),  # 22:30 to 09:00
        ("America/New_York", 0, Hold(NOW + 6 * HOUR, "quiet_hours")),  # 03:00
    ],
)
def test_quiet_hours(own: str | None, hours: int, expected: Decision) -> None:
    """Hold, not drop: until the person's morning."""
    case = attempt(
        rules=QUIET,
        now=NOW + hours * HOUR,
        person=person(facts=Facts(attributes={"timezone": own} if own else {})),
        delivery=delivery(S.CLAIMED, expires_at=NOW + DAY),
    )
    assert gates.quiet_hours(case) == expected


def test_what_will_be_of_no_use_after_the_quiet_hours_is_skipped_with_that_reason() -> None:
    early = delivery(S.CLAIMED, expires_at=NOW + HOUR)
    assert gates.quiet_hours(attempt(rules=QUIET, delivery=early)) == Skip("expires_in_quiet_hours")


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ([], SEND),
        ([(HOUR, "marketing")], SEND),
        ([(HOUR, "marketing"), (0, "marketing")], Hold(NOW + 23 * HOUR + 1, "frequency_cap")),
        ([(HOUR, "marketing"), (0, "transactional")], SEND),
    ],
)
def test_frequency_cap(received: list[tuple[int, str]], expected: Decision) -> None:
    """S1.9"""
    got = [Received(NOW - ago, class_) for ago, class_ in received]
    assert gates.frequency_cap(attempt(rules=CAPPED, received=got)) == expected


def test_a_class_that_no_rule_names_passes() -> None:
    receipt = delivery(S.CLAIMED, class_="transactional", expires_at=NOW + DAY)
    got = [Received(NOW, "marketing")] * 9
    held = attempt(rules=CAPPED, received=got, delivery=receipt)
    assert gates.frequency_cap(held) == SEND
    assert gates.quiet_hours(attempt(rules=QUIET, delivery=receipt)) == SEND


def test_who_reacted_to_the_message_before_needs_no_other() -> None:
    """S1.14"""
    assert gates.fallback(attempt()) == SEND
    assert gates.fallback(attempt(reacted="opened")) == Skip("reacted")


def test_a_test_send_goes_out_at_any_hour() -> None:
    assert gates.active_hours(attempt(campaign=rules(hours=NINE_TO_TEN), test=True)) == SEND
    assert gates.quiet_hours(attempt(rules=QUIET, test=True)) == SEND
    got = [Received(NOW, "marketing")] * 9
    assert gates.frequency_cap(attempt(rules=CAPPED, received=got, test=True)) == SEND


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, SEND),
        ({"provider": ""}, Hold(NOW + ASK_AGAIN, "no_provider")),
        ({"paused_until": NOW}, SEND),
        ({"paused_until": NOW + 5}, Hold(NOW + 5, "provider_paused")),
    ],
)
def test_provider(changes: Mapping[str, Any], expected: Decision) -> None:
    assert gates.provider(attempt(**changes)) == expected


def test_who_passes_every_gate_is_sent_to() -> None:
    judgement = judge(attempt())
    assert judgement.decision == SEND
    assert [(v.gate, v.verdict) for v in judgement.verdicts] == [(g.name, "send") for g in GATES]


def test_the_first_refusal_wins_and_the_rest_are_not_asked() -> None:
    judgement = judge(attempt(person=person(consent=("opted_out", "explicit"), address="")))
    assert judgement.decision == Skip("opted_out")
    found = {verdict.gate: verdict for verdict in judgement.verdicts}
    assert list(found) == [gate.name for gate in GATES]
    assert (found["opt_in"].verdict, found["opt_in"].reason) == ("skip", "opted_out")
    assert found["opt_in"].saw == {"state": "opted_out", "reason": "explicit"}
    assert found["audience"].verdict == "send"
    assert found["address"].verdict == "not_asked"


def test_a_hold_says_what_it_waits_for() -> None:
    patient = delivery(S.CLAIMED, expires_at=NOW + DAY)
    judgement = judge(attempt(campaign=rules(hours=NINE_TO_TEN), delivery=patient))
    assert judgement.decision == Hold(NOW + HOUR, "active_hours")
    (verdict,) = [v for v in judgement.verdicts if v.gate == "active_hours"]
    assert (verdict.verdict, verdict.reason) == ("hold", "active_hours")
    assert verdict.saw == {"zone": "UTC", "opensAt": "2027-01-15T09:00:00.000Z"}


def _broken(_: Attempt) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize("mistake", ["decide", "saw"])
def test_a_gate_that_fails_holds_the_message(mistake: str) -> None:
    """B3: fails closed."""
    parts: dict[str, Callable[[Attempt], Any]] = {"decide": lambda _: SEND, "saw": lambda _: {}}
    broken = Gate("broken", **(parts | {mistake: _broken}))
    judgement = judge(attempt(), (broken, *GATES))
    assert judgement.decision == Hold(NOW + ASK_AGAIN, "gate_error")
    assert isinstance(judgement.error, ZeroDivisionError)
    assert judgement.verdicts[0].reason == "gate_error"
    assert {verdict.verdict for verdict in judgement.verdicts[1:]} == {"not_asked"}


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_no_gate_lets_through_what_nothing_is_known_of(gate: Gate) -> None:
    """Whatever is missing, the gates together do not send."""
    empty = Attempt(delivery(S.CLAIMED), NOW, None, None)
    assert gate.decide(empty) in (SEND, gate.decide(empty))
    assert judge(empty).decision == Skip("campaign_gone")
    assert judge(empty, [each for each in GATES if each.name != "campaign"]).decision != SEND


def test_what_gates_saw_can_be_stored_and_holds_no_address() -> None:
    full = attempt(
        campaign=rules(audience=IN_TEHRAN, hours=NINE_TO_TEN, limit=(2, DAY)),
        person=person(suppressed="", address="secret@example.org"),
        now=NOW + HOUR,
        delivery=delivery(S.CLAIMED, expires_at=NOW + DAY),
    )
    text = msgspec.json.encode(judge(full).verdicts).decode()
    assert '"sent":0,"most":2,"withinSeconds":86400' in text
    assert "secret" not in text
