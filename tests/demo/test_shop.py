"""The traffic is data: the same for the same seed, and like a shop's."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import pytest

from angarium.core.events.message import Defaults, Message, MessageRefused, parse_message
from angarium.core.events.times import DAY, HOUR, SECOND, format_instant, parse_instant
from angarium.gateway.demo.diary import Said
from angarium.gateway.demo.shop import DUE, SIZE, Batch, Shop, count_events, open_shop

NOW = parse_instant("2026-11-22T10:00:00Z")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return open_shop(1, NOW)


def told(shop: Shop) -> Iterator[Said]:
    for batch in (*shop.history, *shop.today):
        yield from batch


def read(said: Said) -> Message:
    sent_at = said.at if said.at > NOW else NOW
    return parse_message(msgspec.json.encode(said.body), Defaults(NOW, sent_at=sent_at))


def of_habit(shop: Shop, habit: str) -> set[str]:
    return {person.user_id for person in shop.people if person.habit == habit}


def test_the_same_seed_makes_the_same_shop(shop: Shop) -> None:
    assert open_shop(1, NOW) == shop


def test_another_seed_makes_another_shop(shop: Shop) -> None:
    other = open_shop(2, NOW)

    assert other.people != shop.people
    assert other.history != shop.history


def test_a_tag_sets_people_and_messages_apart_from_those_of_an_earlier_run(shop: Shop) -> None:
    later = open_shop(1, NOW + HOUR, tag="-x1")

    def ids(of: Shop) -> set[str]:
        names = {name for person in of.people for name in (person.user_id, *person.browsers)}
        mails = {str(person.traits.get("email")) for person in of.people}
        messages = {str(said.body.get("messageId")) for said in told(of)}
        return (names | mails | messages) - {"", "None"}

    assert ids(later) & ids(shop) == set()


def test_it_has_a_few_hundred_people_and_some_thousand_events(shop: Shop) -> None:
    events = count_events([*shop.history, *shop.today])

    assert len(shop.people) == SIZE
    assert 4_000 < events.total() < 8_000
    assert set(events) == {
        "Page Viewed",
        "Product Viewed",
        "Searched",
        "AddToCart",
        "Purchase",
        "Signed Up",
        "Logged In",
    }


def test_people_look_more_than_they_put_into_carts_and_buy_less_than_that(shop: Shop) -> None:
    events = count_events([*shop.history, *shop.today])

    assert events["Page Viewed"] > events["Product Viewed"] > 3 * events["AddToCart"]
    assert events["AddToCart"] > events["Purchase"] > 100


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_most_read_persian_and_some_english(seed: int) -> None:
    people = open_shop(seed, NOW).people

    share = Counter(person.locale for person in people)["fa"] / len(people)
    assert 0.65 < share < 0.9


def test_every_habit_has_its_people(shop: Shop) -> None:
    habits = Counter(person.habit for person in shop.people)

    assert len(habits) == 8
    assert min(habits.values()) > 10
    assert 0.2 < habits["visitor"] / len(shop.people) < 0.35


def test_nobody_has_an_address_that_could_be_real(shop: Shop) -> None:
    mails = [str(person.traits["email"]) for person in shop.people if "email" in person.traits]

    assert all(mail.endswith("@example.com") for mail in mails)
    assert len(set(mails)) == len(mails) > 200


def test_visitors_never_say_who_they_are_and_all_others_do(shop: Shop) -> None:
    known = {said.body.get("userId") for said in told(shop)}

    members = {person.user_id for person in shop.people if person.habit != "visitor"}
    assert members <= known
    assert all(not person.user_id for person in shop.people if person.habit == "visitor")


def test_many_were_visitors_in_two_browsers_before_they_logged_in(shop: Shop) -> None:
    logins = [
        said.body for said in told(shop) if "previousAnonymousIds" in said.body.get("context", {})
    ]
    earlier = {
        said.body["anonymousId"]
        for said in told(shop)
        if "userId" not in said.body and not said.faulty
    }

    joined = [name for body in logins for name in body["context"]["previousAnonymousIds"]]
    assert len(set(joined) & earlier) > 20


def test_nothing_is_said_in_the_future_or_longer_ago_than_a_month(shop: Shop) -> None:
    times = [said.at for said in told(shop)]

    assert max(times) < NOW + max(DUE)
    assert min(times) > NOW - 30 * DAY


def test_what_is_sound_can_be_read_and_what_is_faulty_is_refused(shop: Shop) -> None:
    refused = 0
    for said in told(shop):
        if said.faulty:
            refused += 1
            with pytest.raises(MessageRefused):
                read(said)
        else:
            assert abs(read(said).at - said.at) < SECOND
    assert refused == 4


def test_only_repeated_requests_bring_a_message_twice(shop: Shop) -> None:
    batches = [*shop.history, *shop.today]
    twice = [batch for batch, after in pairwise(batches) if batch == after]

    once = [said.body["messageId"] for said in told(shop)]
    assert len(twice) == 3
    assert len(once) - len(set(once)) == sum(map(len, twice))


def test_requests_are_of_the_size_that_sdks_send(shop: Shop) -> None:
    sizes = [len(batch) for batch in (*shop.history, *shop.today)]

    assert max(sizes) <= 100
    assert sum(sizes) / len(sizes) > 20


def test_days_of_waiting_end_within_seconds(shop: Shop) -> None:
    """Carts left a day ago and purchases of a fortnight ago are due in three to nine seconds."""

    def due(event: str, delay: int, users: set[str]) -> list[int]:
        return [
            said.at + delay - NOW
            for said in told(shop)
            if said.event == event and said.body.get("userId") in users
        ]

    left = due("AddToCart", DAY, of_habit(shop, "abandoner"))
    bought = due("Purchase", 14 * DAY, of_habit(shop, "lapsed"))
    soon = [wait for wait in left if DUE[0] <= wait <= DUE[1]]
    assert len(soon) > len(left) / 2
    assert all(wait > DUE[1] for wait in left if wait not in soon)
    assert bought
    assert all(DUE[0] <= wait <= DUE[1] for wait in bought)


def test_who_came_back_for_the_cart_bought_after_leaving_it(shop: Shop) -> None:
    def times(event: str, user: str) -> list[int]:
        return [s.at for s in told(shop) if s.event == event and s.body.get("userId") == user]

    for user in of_habit(shop, "rescued"):
        assert times("Purchase", user)[-1] > times("AddToCart", user)[-1]


def test_some_change_their_mind_about_mail_before_the_day_is_over(shop: Shop) -> None:
    leavers = {
        said.body["userId"]
        for said in told(shop)
        if said.body.get("traits") == {"email_opt_in": False}
    }

    assert len(leavers & of_habit(shop, "abandoner")) >= 2
    assert len(leavers) < len(shop.people) / 5


def test_events_are_counted_once_however_often_they_are_sent() -> None:
    def page(name: str, *, faulty: bool = False) -> Said:
        return Said(NOW, {"type": "page", "messageId": name}, faulty)

    first: Batch = (page("1"), Said(NOW, {"type": "identify", "messageId": "2"}))
    second: Sequence[Said] = (page("1"), page("3"), page("4", faulty=True))

    assert count_events([first, first, second]) == Counter({"Page Viewed": 2})


def test_times_are_written_as_sdks_write_them(shop: Shop) -> None:
    for said in shop.today[0]:
        assert said.body["timestamp"] == format_instant(said.at)
