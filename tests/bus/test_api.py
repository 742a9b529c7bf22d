import pytest

from angarium.core.bus import api
from angarium.core.bus.bus import Bus
from angarium.core.bus.errors import (
    BatchSpoilt,
    BusError,
    BusFull,
    BusRefused,
    BusUnavailable,
    MessageTooLarge,
)
from angarium.core.bus.link import Link


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (10077, BusFull),
        (10047, BusFull),
        (10023, BusFull),
        (10176, BatchSpoilt),
        (10175, BatchSpoilt),
        (10210, BusUnavailable),
        (10008, BusUnavailable),
        (10054, MessageTooLarge),
        (10201, BusRefused),
        (10059, BusRefused),
        (0, BusRefused),
    ],
)
def test_a_refusal_becomes_the_error_that_says_what_to_do(code: int, error: type[BusError]) -> None:
    fault = api.Fault(code=400, err_code=code, description="because")

    assert type(api.fault_error(fault, "publish")) is error
    assert "publish: because" in str(api.fault_error(fault, "publish"))


def test_what_heals_a_full_stream_is_in_the_text() -> None:
    text = str(api.fault_error(api.Fault(503, 10077, "maximum bytes exceeded"), "publish"))

    assert "nats.max_bytes" in text
    assert "restart nats-server" in text


@pytest.mark.parametrize("error", [BusError, BusUnavailable, BusFull, MessageTooLarge])
def test_an_error_without_a_text_says_what_it_is(error: type[BusError]) -> None:
    assert str(error()) == (error.__doc__ or "").splitlines()[0]


async def test_a_request_is_refused_with_the_server_s_code(bus: Bus, link: Link) -> None:
    with pytest.raises(BusRefused) as refusal:
        await api.ask(link.session, "STREAM.INFO.NONE")

    assert refusal.value.code == api.STREAM_NOT_FOUND


async def test_the_state_of_a_stream_tells_its_size_and_rule(bus: Bus) -> None:
    state = await bus.stream_state("EVENTS")

    assert (state.messages, state.last_sequence, state.size) == (0, 0, 0)
    assert state.max_size == 2 * 2**30
    assert state.stored_as is not None
    assert state.epoch.endswith("Z")
