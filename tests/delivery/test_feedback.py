"""What recipients and providers say, one piece at a time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.delivery.feedback import (
    Feedback,
    Reactions,
    address_of,
    feedback_of,
    hear,
    parse_feedback,
)
from angarium.core.delivery.promises import after_acceptance
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.status import DeliveryState
from angarium.plugins import StatusUpdate
from tests.delivery.examples import NOW, delivery

S = DeliveryState
WORDS = (
    "accepted",
    "delivered",
    "undelivered",
    "bounced",
    "expired",
    "failed",
    "opened",
    "clicked",
)


def sent(state: DeliveryState = S.ACCEPTED, **changes: Any) -> Delivery:
    return delivery(state, handed_at=NOW, generation=1, attempt=1, **changes)


def says(word: str, at: int = NOW, **facts: Any) -> Feedback:
    if word in ("opened", "clicked", "complained"):
        return Feedback(kind=word, at=at, delivery="dlv_1", **facts)
    return Feedback(kind="status", status=word, at=at, delivery="dlv_1", **facts)


def test_a_message_of_the_stream_is_read() -> None:
    body = (
        b'{"delivery":"dlv_1","kind":"status","status":"bounced","at":5,"id":"x","providerId":"m"}'
    )
    found = parse_feedback(body)
    assert (found.word, found.provider_id, found.at) == ("bounced", "m", 5)
    body = b'{"delivery":"dlv_1","kind":"clicked","at":5,"id":"x","link":3,"more":"things"}'
    assert parse_feedback(body).word == "clicked"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"kind":"opened"}',
        b'{"kind":"opened","at":"now"}',
        b'{"kind":"danced","at":5}',
        b'{"kind":"status","status":"planned","at":5}',
        b'{"kind":"status","at":5}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        parse_feedback(body)


@pytest.mark.parametrize(
    ("state", "word", "expected"),
    [
        (S.HANDED, "delivered", S.DELIVERED),  # before the provider's own answer
        (S.HANDED, "failed", S.FAILED),
        (S.HANDED, "opened", S.ACCEPTED),
        (S.IN_DOUBT, "accepted", S.ACCEPTED),
        (S.IN_DOUBT, "failed", S.FAILED),
        (S.IN_DOUBT, "clicked", S.ACCEPTED),
        (S.ACCEPTED, "failed", S.UNDELIVERED),  # it had taken it
        (S.ACCEPTED, "accepted", S.ACCEPTED),
        (S.DELIVERED, "undelivered", S.DELIVERED),
        (S.DELIVERED, "bounced", S.BOUNCED),
        (S.BOUNCED, "delivered", S.BOUNCED),
        (S.FAILED, "delivered", S.FAILED),
        (S.HELD, "failed", S.HELD),  # it will be tried again
        (S.HELD, "delivered", S.DELIVERED),  # and this makes that needless
    ],
)
def test_what_news_does(state: DeliveryState, word: str, expected: DeliveryState) -> None:
    heard = hear(sent(state), {}, says(word))
    assert heard is not None
    assert heard.new.state is expected
    assert (heard.new is heard.old) is (state is expected)


def test_news_of_what_was_never_handed_over_cannot_be_true() -> None:
    assert hear(delivery(S.PLANNED), {}, says("delivered")) is None
    assert hear(delivery(S.PLANNED), {}, says("opened")) is None


def test_a_settled_resend_is_taken_from_whoever_has_claimed_it() -> None:
    heard = hear(sent(S.CLAIMED, worker="w1"), {}, says("delivered"))
    assert heard is not None
    assert (heard.new.generation, heard.new.worker) == (2, None)


def test_the_first_reaction_of_a_kind_is_told_from_the_rest() -> None:
    reactions: Reactions = {}
    firsts = [hear(sent(), reactions, says("opened", NOW + n)) for n in (5, 3, 9)]
    assert [heard.first for heard in firsts if heard] == [True, False, False]
    assert reactions == {"opened": [NOW + 3, 3]}


def test_what_a_vendor_writes_is_cleaned() -> None:
    heard = hear(sent(), {}, says("bounced", reason="5.1.1\x00\r\nno such user" + "x" * 500))
    assert heard is not None
    assert heard.new.reason.startswith("5.1.1no such user")
    assert len(heard.new.reason) == 200


@given(st.lists(st.sampled_from(WORDS[:5] + WORDS[6:]), max_size=8), st.randoms())
def test_in_whatever_order_news_comes_the_end_is_the_same(words: list[str], random: Any) -> None:
    """G13.91."""
    shuffled = words.copy()
    random.shuffle(shuffled)
    assert _after(words) == _after(shuffled) == _after([*words, *shuffled])


def _after(words: list[str]) -> DeliveryState:
    now = sent(S.HANDED)
    for word in words:
        heard = hear(now, {}, says(word))
        assert heard is not None
        now = heard.new
    return now.state


def test_the_address_is_that_of_the_handing() -> None:
    assert address_of('{"address": "a@b.c", "links": []}') == "a@b.c"
    assert address_of("{}") == ""


@pytest.mark.parametrize("given_id", ["x" * 300, "a\x00b", "plain"])
def test_a_provider_names_a_message_as_the_ledger_keeps_that_name(given_id: str) -> None:
    accepted = after_acceptance(sent(S.HANDED), given_id, NOW)
    update = StatusUpdate(status="delivered", provider_id=given_id)

    assert feedback_of("x_y", "email", update, NOW).provider_id == accepted.provider_id
