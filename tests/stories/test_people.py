"""S2.1 to S2.5: visits, logins and logouts, over HTTP on a whole instance."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.parts.instance import WRITE_KEY, Instance, ago
from tests.stories.test_published_uses import identify, person, track
from tests.stories.visits import login, rejects_of, settle, visit, visitor


async def test_three_visits_and_a_login_are_one_person(instance: Instance) -> None:
    """S2.1, S2.2, S2.3: day 1 anonymous A1, day 3 A2, day 7 login: one profile that holds all."""
    user, mail = person("seven-days")
    first, second = visitor(), visitor()

    await instance.send(visit(first, "Viewed", ago(days=7), page="hats"))
    await instance.send(
        {**visit(first, "", ago(days=7)), "type": "identify", "traits": {"city": "Shiraz"}}
    )
    await instance.send(visit(second, "Viewed", ago(days=4)), visit(second, "Liked", ago(days=4)))
    await instance.until_known(f"anonymous:{second}", "Liked")
    before = await instance.ask(f"/v1/profiles/anonymous:{first}")
    assert (before["known"], before["userId"]) == (False, None)
    await instance.send(
        login(
            user,
            second,
            ago(minutes=1),
            traits={"email": mail},
            context={"previousAnonymousIds": [first]},
        )
    )

    profile = await settle(instance, user)
    assert profile["known"]
    assert sorted(profile["anonymousIds"]) == sorted([first, second])
    assert profile["events"] == {"Viewed": 2, "Liked": 1}
    assert profile["attributes"] | {"city": "Shiraz", "email": mail} == profile["attributes"]
    for anonymous_id in (first, second):
        same = await instance.ask(f"/v1/profiles/anonymous:{anonymous_id}")
        assert same["id"] == profile["id"]
    timeline = (await instance.ask(f"/v1/profiles/{user}/timeline"))["data"]
    names = [entry["name"] for entry in timeline if entry["kind"] == "event"]
    assert (names.count("Viewed"), names.count("Liked")) == (2, 1)


@pytest.mark.parametrize("order", ["as it happened", "backwards", "the last login first"])
async def test_what_somebody_else_does_on_the_device_after_a_logout_is_theirs(
    instance: Instance, order: str
) -> None:
    """S2.5: nothing of the first person's moves, in whatever order the messages arrive."""
    (ann, _), (bob, _) = person("ann"), person("bob")
    device = visitor()
    session = [
        visit(device, "Before Ann", ago(hours=9)),
        login(ann, device, ago(hours=8)),
        {**track(ann, "Ann bought", ago(hours=7)), "anonymousId": device},
        # logout: what follows carries the anonymous id alone
        visit(device, "Before Bob", ago(hours=5)),
        login(bob, device, ago(hours=4)),
        {**track(bob, "Bob bought", ago(hours=3)), "anonymousId": device},
    ]
    if order == "backwards":
        session.reverse()
    elif order == "the last login first":
        session = session[4:] + session[:4]

    for message in session:
        await instance.send(message)

    anns, bobs = await settle(instance, ann), await settle(instance, bob)
    assert anns["events"] == {"Before Ann": 1, "Ann bought": 1}
    assert bobs["events"] == {"Before Bob": 1, "Bob bought": 1}
    assert anns["anonymousIds"] == bobs["anonymousIds"] == [device]


async def test_after_a_logout_nothing_is_added_to_the_account(instance: Instance) -> None:
    """S2.5: while nobody has logged in again, it is an anonymous visitor's."""
    user, _ = person("leaver")
    device = visitor()

    await instance.send(login(user, device, ago(hours=2)))
    await instance.send(visit(device, "After logout", ago(hours=1)))
    await instance.until_known(f"anonymous:{device}", "After logout")

    assert (await settle(instance, user))["events"] == {}
    stranger = await instance.ask(f"/v1/profiles/anonymous:{device}")
    assert (stranger["known"], set(stranger["events"])) == (False, {"After logout"})


@pytest.mark.parametrize(
    "user", ["a", "کاربر ۱", "a/b?c=d&e#f", "😀" * 100, "x" * 100, "007", "a b"]
)
async def test_any_string_of_up_to_a_hundred_characters_is_a_user_id(
    instance: Instance, user: str
) -> None:
    """S2.4"""
    await instance.send(track(user, "Named", ago(seconds=1)))

    profile = await instance.until_known(quote(user, safe=""), "Named")
    assert profile["userId"] == user


async def test_a_longer_user_id_is_refused_and_listed(instance: Instance) -> None:
    """S2.4, S2.12"""
    message = track("x" * 101, "Named", ago(seconds=1))

    answer = await instance.send(message)

    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(0, "id_too_long")]
    user, _ = person("later")
    await settle(instance, user)
    listed = (await instance.ask("/v1/rejects"))["data"]
    assert [row["field"] for row in listed if row["code"] == "id_too_long"]


async def test_a_write_key_cannot_join_two_known_people(instance: Instance) -> None:
    """G13.38: an alias from one known person to another is not taken from a browser's key."""
    (ann, _), (bob, _) = person("ann"), person("bob")
    await instance.send(track(ann, "Ann's", ago(hours=2)), track(bob, "Bob's", ago(hours=2)))
    alias = join(ann, bob)

    answer = await instance.http.post("/v1/alias", json=alias, auth=(WRITE_KEY, ""))

    assert answer.status_code in (200, 403)
    assert (await settle(instance, ann))["events"] == {"Ann's": 1}
    assert (await settle(instance, bob))["events"] == {"Bob's": 1}
    assert await rejects_of(instance, alias) == [("previousId", "needs_admin_key")]


async def test_an_admin_key_joins_two_known_people(instance: Instance) -> None:
    """S2.3, N2: with all that waits for them; one stop is enough, and the history shows it."""
    (ann, ann_mail), (bob, _) = person("ann"), person("bob")
    event = f"Left {uuid4().hex}"
    campaign = await instance.campaign(
        "Come back", {"trigger": {"event": event}, "delay": "P1D", "stop": {"event": "Back"}}
    )
    await instance.send(identify(ann, ann_mail, email_opt_in=False), identify(bob, "b@example.com"))
    await instance.send(track(ann, event, ago(minutes=9)), track(bob, "Bob's", ago(hours=2)))
    await instance.until_stats(campaign, waiting_runs=1)

    await instance.tell("/v1/alias", join(ann, bob))

    one = await settle(instance, bob)
    assert one["events"] == {event: 1, "Bob's": 1}
    assert one["consents"]["email"]["state"] == "opted_out"
    assert (await instance.ask(f"/v1/profiles/{ann}"))["id"] == one["id"]
    timeline = (await instance.ask(f"/v1/profiles/{bob}/timeline"))["data"]
    assert [e["properties"] for e in timeline if e["kind"] == "merge"] == [{"userId": ann}]
    await instance.send(track(bob, "Back", ago(seconds=1)))
    stats = await instance.until_stats(campaign, waiting_runs=0)
    assert stats["cancelled_by_stop"] == 1


async def test_a_decision_for_one_who_was_joined_reaches_the_person(instance: Instance) -> None:
    (ann, _), (bob, mail) = person("ann"), person("bob")
    campaign = await instance.campaign("Paid", {"trigger": {"event": "Nobody ever does this"}})
    await instance.send(track(ann, "Ann's", ago(hours=2)), identify(bob, mail))
    await instance.tell("/v1/alias", join(ann, bob))
    await settle(instance, bob)

    decision = {"decisionId": uuid4().hex, "campaign": campaign, "userId": ann}
    await instance.tell("/v1/decisions", decision)

    await instance.until_stats(campaign, accepted=1)
    assert len(instance.mails(mail)) == 1


async def test_an_admin_key_without_the_scope_joins_nobody(instance: Instance) -> None:
    (ann, _), (bob, _) = person("ann"), person("bob")
    await instance.send(track(ann, "Ann's", ago(hours=2)), track(bob, "Bob's", ago(hours=2)))
    wanted = {"kind": "admin", "name": "Reader", "scopes": ["profiles:read"]}
    key = (await instance.tell("/v1/keys", wanted))["key"]
    alias = join(ann, bob)

    headers = {"Authorization": f"Bearer {key}"}
    await instance.http.post("/v1/alias", json=alias, headers=headers)

    assert (await settle(instance, bob))["events"] == {"Bob's": 1}
    assert await rejects_of(instance, alias) == [("previousId", "needs_admin_key")]


def join(previous: str, user: str) -> dict[str, str]:
    return {
        "type": "alias",
        "messageId": uuid4().hex,
        "previousId": previous,
        "userId": user,
        "timestamp": ago(minutes=1),
    }
