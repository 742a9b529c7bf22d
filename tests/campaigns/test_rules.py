"""Campaigns as rules, found by the events that concern them."""

from typing import Any

import msgspec

from angarium.core.campaigns.rules import RuleBook, compile_rules
from tests.campaigns.examples import CART, DAY, campaign


class Stored(msgspec.Struct, frozen=True):
    """A version of a campaign as it comes from the store."""

    id: str
    definition: str
    version: int = 1
    workspace: str = "default"
    activated_at: int = 0


def stored(id: str, send_at: Any, version: int = 1, **more: Any) -> Stored:
    return Stored(id, msgspec.json.encode(campaign(send_at, **more)).decode(), version)


WELCOME = {"trigger": {"event": "Signed Up"}}
NO_LEVEL = {"trigger": {"event": "LevelUp"}, "delay": "P7D", "stop": {"event": "LevelUp"}}


def book(*campaigns: Stored, older: tuple[Stored, ...] = ()) -> RuleBook:
    return compile_rules(campaigns, older=older, zone="Asia/Tehran")


def reached(found: RuleBook) -> dict[str, list[tuple[str, int]]]:
    return {
        name: [(rule.campaign, rule.version) for rule in rules]
        for name, rules in found.by_event.items()
    }


def test_a_rule_is_reached_by_its_trigger_and_by_its_stop() -> None:
    found = book(stored("cart", CART), stored("hello", WELCOME), stored("level", NO_LEVEL))

    assert reached(found) == {
        "AddToCart": [("cart", 1)],
        "Purchase": [("cart", 1)],
        "Signed Up": [("hello", 1)],
        "LevelUp": [("level", 1)],
    }
    assert found.by_event.get("Page Viewed") is None


def test_of_an_older_version_only_the_stop_counts() -> None:
    before = stored("cart", CART)
    now = stored("cart", {**CART, "stop": {"event": "Order"}}, version=2)
    found = book(now, older=(before,))

    assert reached(found) == {
        "AddToCart": [("cart", 2)],
        "Purchase": [("cart", 1)],
        "Order": [("cart", 2)],
    }
    old, new = found.find_rule("cart", 1), found.find_rule("cart", 2)
    assert old is not None
    assert new is not None
    assert (old.entering, new.entering) == (False, True)
    assert found.find_rule("cart", 3) is None


def test_the_totals_that_a_trigger_needs_are_known() -> None:
    audience = {"all": [{"event": "Login", "count": {"at_least": 3}}, {"reachable": "sms"}]}
    found = book(stored("cart", CART, audience=audience), stored("hello", WELCOME))

    assert found.events_needed("AddToCart") == {"Purchase", "Login"}
    assert found.events_needed("Purchase") == frozenset()
    assert found.events_needed("Signed Up") == frozenset()
    assert found.events_needed("Page Viewed") == frozenset()
    assert found.asks_reachable
    assert not book(stored("cart", CART)).asks_reachable


def test_a_definition_that_cannot_be_read_harms_no_other() -> None:
    found = book(Stored("old", '{"name": 5}'), stored("cart", CART))

    assert ("name", bool(found.unreadable["old", 1])) == ("name", True)
    assert list(found.by_version) == [("cart", 1)]


def test_a_rule_has_what_the_machine_asks_for_at_hand() -> None:
    hours = {"zone": "UTC", "mon": ["09:00-10:00"]}
    found = book(stored("cart", {**CART, "retrigger": "each"}, active_hours=hours))
    rule = found.find_rule("cart", 1)

    assert rule is not None
    assert (rule.workspace, rule.delay, rule.retrigger) == ("default", DAY, "each")
    assert (rule.zone, rule.same_event, rule.leave_cancels) == ("Asia/Tehran", False, False)
    assert rule.hours is not None
    assert rule.hours.zone == "UTC"


def test_the_totals_tell_the_last_stop_only_where_any_stop_counts() -> None:
    where = {**CART, "stop": {"event": "Purchase", "where": {"property": "a", "exists": True}}}
    device = {**CART, "same_device": True}
    found = book(stored("1", CART), stored("2", where), stored("3", device), stored("4", WELCOME))

    assert [rule.stop_in_totals for rule in found.by_version.values()] == [
        True,
        False,
        False,
        False,
    ]


def test_who_leaves_an_audience_concerns_the_rules_that_say_so() -> None:
    audience = {"attribute": "city", "is": "Tehran"}
    found = book(
        stored("cart", CART, audience=audience),
        stored("hello", WELCOME, audience=audience, leave_cancels=True),
    )

    assert [rule.campaign for rule in found.leave_cancels] == ["hello"]
