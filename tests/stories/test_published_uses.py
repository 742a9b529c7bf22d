"""S1.5 and S1.6: the four published uses of automated messages, on a whole instance.

The delays are as published. Senders report what happened a day or more ago, as phones do that
were offline, and events are judged by their own time: so a day's delay ends within the test.
"""

from typing import Any
from uuid import uuid4

from tests.parts.instance import Instance, ago


def person(name: str) -> tuple[str, str]:
    user = f"{name}-{uuid4().hex[:8]}"
    return user, f"{user}@example.com"


def identify(user: str, email: str, **traits: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": user,
        "messageId": uuid4().hex,
        "traits": {"email": email, "firstName": user} | traits,
        "timestamp": ago(days=40),
    }


def track(user: str, event: str, timestamp: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": user,
        "messageId": uuid4().hex,
        "event": event,
        "properties": properties,
        "timestamp": timestamp,
    }


async def test_abandoned_cart(instance: Instance) -> None:
    """Who adds to the cart and has not bought a day later is reminded; who bought is not."""
    campaign = await instance.campaign(
        "Abandoned cart",
        {"trigger": {"event": "AddToCart"}, "delay": "P1D", "stop": {"event": "Purchase"}},
    )
    leaver, leavers_mail = person("leaver")
    buyer, buyers_mail = person("buyer")
    added = ago(days=1, seconds=-2)

    await instance.send(
        identify(leaver, leavers_mail),
        identify(buyer, buyers_mail),
        track(leaver, "AddToCart", added, product="shoes"),
        track(buyer, "AddToCart", added, product="hat"),
    )
    await instance.send(track(buyer, "Purchase", ago(hours=20), amount=5))

    stats = await instance.until_stats(campaign, accepted=1, waiting_runs=0)
    assert (stats["enrolled"], stats["cancelled_by_stop"]) == (2, 1)
    assert len(instance.mails(leavers_mail)) == 1
    assert instance.mails(buyers_mail) == []


async def test_a_purchase_that_is_told_before_the_cart_counts_all_the_same(
    instance: Instance,
) -> None:
    """S1.11: a stop after the trigger by event time cancels, in whatever order both arrive."""
    campaign = await instance.campaign(
        "Cart, out of order",
        {"trigger": {"event": "CartFilled"}, "delay": "P1D", "stop": {"event": "CartBought"}},
    )
    user, mail = person("early")

    await instance.send(identify(user, mail), track(user, "CartBought", ago(hours=23)))
    await instance.send(track(user, "CartFilled", ago(hours=23, minutes=30)))

    await instance.until_known(user, "CartFilled")
    stats = await instance.stats(campaign)
    assert (stats["enrolled"], stats["totals"]["planned"]) == (0, 0)
    explained = await instance.ask(f"/v1/profiles/{user}/explain", campaign=campaign)
    assert explained["decisions"][0]["reason"] == "stopped"


async def test_reengagement(instance: Instance) -> None:
    """S1.6: trigger and stop are one event; each level starts the clock again."""
    campaign = await instance.campaign(
        "Come back and play",
        {"trigger": {"event": "LevelUp"}, "delay": "P3D", "stop": {"event": "LevelUp"}},
    )
    idle, idle_mail = person("idle")
    active, active_mail = person("active")

    await instance.send(
        identify(idle, idle_mail),
        identify(active, active_mail),
        track(idle, "LevelUp", ago(days=4), level=1),
        track(idle, "LevelUp", ago(days=3, seconds=-2), level=2),
        track(active, "LevelUp", ago(days=3, seconds=-2), level=1),
        track(active, "LevelUp", ago(hours=1), level=2),
    )

    await instance.until_stats(campaign, accepted=1, waiting_runs=1)
    assert len(instance.mails(idle_mail)) == 1
    assert instance.mails(active_mail) == []


async def test_reminder(instance: Instance) -> None:
    """Saved an article and did not read that kind of thing for days; properties are looked at."""
    campaign = await instance.campaign(
        "You saved an article",
        {
            "trigger": {"event": "Saved", "where": {"property": "kind", "is": "article"}},
            "delay": "P2D",
            "stop": {"event": "Read", "where": {"property": "kind", "is": "article"}},
        },
    )
    forgetful, forgetful_mail = person("forgetful")
    reader, readers_mail = person("reader")
    saved = ago(days=2, seconds=-2)

    await instance.send(
        identify(forgetful, forgetful_mail),
        identify(reader, readers_mail),
        track(forgetful, "Saved", saved, kind="article"),
        track(forgetful, "Saved", ago(hours=4), kind="video"),
        track(forgetful, "Read", ago(hours=3), kind="video"),
        track(reader, "Saved", saved, kind="article"),
        track(reader, "Read", ago(hours=3), kind="article"),
    )

    stats = await instance.until_stats(campaign, accepted=1, waiting_runs=0)
    assert stats["cancelled_by_stop"] == 1
    assert len(instance.mails(forgetful_mail)) == 1
    assert instance.mails(readers_mail) == []


async def test_welcome(instance: Instance) -> None:
    """First visit: the audience looks at the count of the event that triggers."""
    campaign = await instance.campaign(
        "Welcome",
        {"trigger": {"event": "Visited"}},
        audience={"event": "Visited", "count": {"is": 1}},
    )
    user, mail = person("newcomer")

    await instance.send(identify(user, mail), track(user, "Visited", ago(seconds=5)))
    await instance.until_stats(campaign, accepted=1)
    await instance.send(track(user, "Visited", ago(seconds=1)))
    await instance.until_known(user, "Visited", 2)

    stats = await instance.stats(campaign)
    assert (stats["enrolled"], stats["totals"]["planned"]) == (1, 1)
    assert len(instance.mails(mail)) == 1


async def test_a_campaign_does_not_answer_what_was_over_when_it_began(instance: Instance) -> None:
    """S1.1, N2: its history, sent later, sets nothing off, and can be explained."""
    campaign = await instance.campaign("Order confirmation", {"trigger": {"event": "Ordered"}})
    user, mail = person("imported")

    old = [track(user, "Ordered", ago(hours=hours)) for hours in (1, 2, 3)]
    await instance.send(identify(user, mail), *old)
    await instance.send(track(user, "Ordered", ago()))

    stats = await instance.until_stats(campaign, accepted=1)
    assert (stats["enrolled"], stats["totals"]["planned"]) == (1, 1)
    explained = await instance.ask(f"/v1/profiles/{user}/explain", campaign=campaign)
    (refused,) = [one for one in explained["decisions"] if one["outcome"] == "refused"]
    assert (refused["reason"], refused["count"]) == ("before_activation", 3)


async def test_who_opted_out_gets_nothing(instance: Instance) -> None:
    """S2.10, N2: the opt-out holds, is counted by reason, and can be explained."""
    campaign = await instance.campaign("Sale", {"trigger": {"event": "SaleSeen"}})
    user, mail = person("quiet")

    await instance.send(
        identify(user, mail, email_opt_in=False), track(user, "SaleSeen", ago(seconds=1))
    )

    await instance.until_stats(campaign, skipped=1)
    stats = await instance.ask("/v1/deliveries/stats", campaign=campaign, group_by="reason")
    assert [group["reason"] for group in stats["groups"]] == ["opted_out"]
    explained = await instance.ask(f"/v1/profiles/{user}/explain", campaign=campaign)
    decision = explained["decisions"][0]
    gate = next(gate for gate in decision["gates"] if gate["verdict"] != "send")
    assert (decision["outcome"], gate["gate"]) == ("skipped", "opt_in")
    assert instance.mails(mail) == []
