import asyncio
from collections.abc import Awaitable, Callable

from angarium.core.bus import subjects
from angarium.core.bus.bus import Bus
from tests.parts.nats import NatsServer

EMAIL = subjects.deliver_subject("email")
SMS = subjects.deliver_subject("sms")

Connect = Callable[[], Awaitable[Bus]]


async def test_a_wake_up_is_heard_by_another_process(connect: Connect) -> None:
    here, there = await connect(), await connect()

    async with there.listen(EMAIL) as wake_ups:
        await here.notify(EMAIL, b"dlv_1")
        assert await anext(wake_ups) == b"dlv_1"


async def test_a_wake_up_for_another_channel_is_not_heard(connect: Connect) -> None:
    bus = await connect()

    async with bus.listen(EMAIL) as wake_ups:
        await bus.notify(SMS, b"no")
        await bus.notify(EMAIL, b"yes")
        assert await anext(wake_ups) == b"yes"


async def test_all_channels_can_be_heard_at_once(connect: Connect) -> None:
    bus = await connect()

    async with bus.listen("angarium.deliver.*") as wake_ups:
        await bus.notify(SMS, b"1")
        await bus.notify(EMAIL, b"2")
        assert [await anext(wake_ups), await anext(wake_ups)] == [b"1", b"2"]


async def test_one_of_a_queue_hears_each_wake_up(connect: Connect) -> None:
    bus = await connect()
    heard: list[bytes] = []
    done = asyncio.Event()

    async def hear(listener: Bus) -> None:
        async with listener.listen(EMAIL, queue="workers") as wake_ups:
            ready.release()
            async for body in wake_ups:
                heard.append(body)
                if len(heard) == 20:
                    done.set()

    ready = asyncio.Semaphore(0)
    listeners = [await connect() for _ in range(2)]
    tasks = [asyncio.create_task(hear(listener)) for listener in listeners]
    for _ in tasks:
        await ready.acquire()
    for number in range(20):
        await bus.notify(EMAIL, b"%d" % number)
    await done.wait()
    for listener in listeners:
        await listener.close()
    await asyncio.gather(*tasks)

    assert sorted(heard) == sorted(b"%d" % number for number in range(20))


async def test_listening_goes_on_after_the_server_was_killed(
    connect: Connect, nats_server: NatsServer
) -> None:
    bus = await connect()

    async with bus.listen(EMAIL) as wake_ups:
        await nats_server.restart()
        hearing = asyncio.create_task(anext(wake_ups))
        while not hearing.done():
            await bus.notify(EMAIL, b"again")
            await asyncio.sleep(0.02)
        assert hearing.result() == b"again"


async def test_a_wake_up_without_a_server_is_lost_without_an_error(
    connect: Connect, nats_server: NatsServer
) -> None:
    bus = await connect()
    await nats_server.kill()

    await bus.notify(EMAIL, b"lost")


async def test_waiting_for_a_wake_up_can_be_given_up_and_taken_up_again(connect: Connect) -> None:
    bus = await connect()

    async with bus.listen(EMAIL) as wake_ups:
        waiting = asyncio.create_task(anext(wake_ups))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await bus.notify(EMAIL, b"later")
        assert await anext(wake_ups) == b"later"


async def test_a_closed_bus_ends_the_listening(connect: Connect) -> None:
    bus = await connect()

    async with bus.listen(EMAIL) as wake_ups:
        await bus.close()
        assert [body async for body in wake_ups] == []


async def test_a_slow_listener_hears_the_latest(connect: Connect) -> None:
    bus = await connect()

    async with bus.listen(EMAIL) as wake_ups:
        for number in range(1500):
            await bus.notify(EMAIL, b"%d" % number)
        await bus.notify(EMAIL, b"last")
        bodies = [await anext(wake_ups)]
        while bodies[-1] != b"last":
            bodies.append(await anext(wake_ups))

    assert len(bodies) <= 1501
