"""How far ahead a provider is worth being served."""

from angarium.core.delivery.throughput import AHEAD, WINDOW, Throughput


def counted(ended: int, begin: int, end: int) -> int:
    throughput = Throughput()
    throughput.soon(begin)
    for _ in range(ended):
        throughput.ended()
    return throughput.soon(end)


def test_as_many_as_it_dealt_with_in_such_a_time() -> None:
    assert counted(40, 1_000, 1_000 + AHEAD) == 40
    assert counted(40, 1_000, 1_000 + 2 * AHEAD) == 20


def test_a_provider_that_hangs_gets_none_ahead() -> None:
    assert counted(0, 1_000, 5_000) == 0


def test_after_a_rest_it_begins_again() -> None:
    assert counted(1, 1_000, 3_600_000) == 0


def test_too_short_a_while_tells_nothing_yet() -> None:
    assert counted(40, 1_000, 1_000 + WINDOW - 1) == 0


def test_a_clock_that_is_set_back_does_no_harm() -> None:
    assert counted(40, 5_000, 1_000) == 0
