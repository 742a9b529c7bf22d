"""S1.14: when the time to react is over, and what the message on the next channel knows."""

from typing import Any

import msgspec
import pytest

from angarium.core.delivery.fallback import EARLIER, EXPIRES, ask_at, earlier_than, in_its_place
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.status import DeliveryState
from angarium.core.events.times import HOUR, MINUTE
from tests.delivery.examples import NOW, delivery

S = DeliveryState
EVENT = {"name": "Visit", "properties": {}, "timestamp": "now"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (delivery(S.ACCEPTED, handed_at=NOW - HOUR), NOW),
        (delivery(S.ACCEPTED, handed_at=NOW - MINUTE), NOW + 59 * MINUTE),
        (delivery(S.DELIVERED, handed_at=NOW - 2 * HOUR), NOW - HOUR),
        (delivery(S.IN_DOUBT, handed_at=NOW - HOUR), NOW),
        (delivery(S.BOUNCED, handed_at=NOW), NOW + HOUR),
        (delivery(S.PLANNED, due_at=NOW - 9 * HOUR), NOW + HOUR),
        (delivery(S.HELD, due_at=NOW + 9 * HOUR), NOW + 10 * HOUR),
        (delivery(S.CLAIMED), NOW + HOUR),
        (delivery(S.SKIPPED), NOW),
        (delivery(S.FAILED, handed_at=NOW), NOW),
        (delivery(S.CANCELLED), None),
    ],
)
def test_the_time_runs_from_the_hand_over(row: Delivery, expected: int | None) -> None:
    assert ask_at(row, HOUR, NOW) == expected


def made_of(**context: Any) -> Delivery:
    text = msgspec.json.encode(context).decode()
    return delivery(S.ACCEPTED, context=text, device="d1", request_id="r1")


def test_each_knows_all_before_it_and_nothing_of_their_sending() -> None:
    first = made_of(event=EVENT, links=["https://a.example"], address="a@b.example")
    second = in_its_place(first, "sms", NOW, NOW + HOUR, MINUTE)
    row = delivery(S.ACCEPTED, id=second.id, context=msgspec.json.encode(second.context).decode())
    third = in_its_place(row, "push", NOW, NOW + HOUR, None)

    assert second.context == {"event": EVENT, EARLIER: ["dlv_1"]}
    assert third.context == {"event": EVENT, EARLIER: ["dlv_1", second.id]}
    assert (second.device, second.request_id, second.fallback_after) == ("d1", "r1", MINUTE)
    assert third.fallback_after is None
    assert (earlier_than(first), earlier_than(row)) == ((), ("dlv_1",))


def test_the_same_message_in_the_same_place_is_one() -> None:
    row = made_of(event=EVENT)
    ids = {
        in_its_place(row, channel, NOW + n, NOW, 1).id
        for channel in ("sms", "push")
        for n in (0, 1)
    }
    assert len(ids) == 2


@pytest.mark.parametrize(("said", "expected"), [(None, NOW + HOUR), (NOW + 9, NOW + 9)])
def test_the_end_that_a_service_set_holds_for_all(said: int | None, expected: int) -> None:
    row = made_of(data={}, **({EXPIRES: said} if said else {}))
    new = in_its_place(row, "sms", NOW, NOW + HOUR, None)
    assert (new.expires_at, new.context.get(EXPIRES)) == (expected, said)


def test_a_persons_data_cannot_pose_as_an_earlier_message() -> None:
    assert earlier_than(made_of(data={EARLIER: ["dlv_9"]})) == ()
