"""A provider's health, answer by answer."""

from angarium.core.delivery.pauses import FIRST_PAUSE, LONGEST_PAUSE, TROUBLE, Health

NOW = 1_000_000


def failing(times: int, health: Health | None = None, now: int = NOW) -> Health:
    health = health or Health()
    for _ in range(times):
        health = health.failed(now)
    return health


def test_a_few_failures_are_the_messages_own() -> None:
    assert failing(TROUBLE - 1).allowance(64, NOW) == 64


def test_a_success_forgets_failures() -> None:
    health = failing(TROUBLE - 1).succeeded()
    assert failing(TROUBLE - 1, health).allowance(64, NOW) == 64


def test_many_failures_in_a_row_pause_it_and_then_one_message_tries() -> None:
    health = failing(TROUBLE)
    assert health.allowance(64, NOW) == 0
    assert health.allowance(64, NOW + FIRST_PAUSE - 1) == 0
    assert health.allowance(64, NOW + FIRST_PAUSE) == 1
    assert health.succeeded().allowance(64, NOW + FIRST_PAUSE) == 64


def test_each_pause_without_a_success_is_twice_as_long_up_to_a_minute() -> None:
    health, lengths = failing(TROUBLE), [FIRST_PAUSE]
    for _ in range(8):
        now = health.paused_until
        health = health.failed(now)
        lengths.append(health.paused_until - now)
    assert lengths == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, *[LONGEST_PAUSE] * 3]


def test_failures_of_what_was_under_way_when_the_pause_began_do_not_lengthen_it() -> None:
    health = failing(TROUBLE)
    assert failing(50, health).paused_until == health.paused_until


def test_a_pause_that_is_asked_for_is_kept() -> None:
    health = Health().asked_to_pause(NOW, 3_600_000)
    assert health.allowance(64, NOW + 3_599_999) == 0
    assert health.allowance(64, NOW + 3_600_000) == 1
    later = health.asked_to_pause(NOW + 1, 3_600_000)
    assert later.paused_until == NOW + 1 + 3_600_000
    assert health.asked_to_pause(NOW + 1, 5_000).paused_until == health.paused_until


def test_what_was_under_way_when_a_pause_was_asked_for_does_not_end_it() -> None:
    """Retry-After is obeyed, though a message that was sent before it is taken after it."""
    health = Health().asked_to_pause(NOW, 60_000).succeeded()
    assert health.allowance(64, NOW + 59_999) == 0
    assert health.allowance(64, NOW + 60_000) == 64


def test_a_pause_of_no_length_is_short_not_none() -> None:
    assert Health().asked_to_pause(NOW, 0).paused_until == NOW + FIRST_PAUSE
    assert Health().asked_to_pause(NOW, None).paused_until == NOW + FIRST_PAUSE
