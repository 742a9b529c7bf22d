"""Updates that a provider hears over its own connection cross one by one, each kept first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from angarium.gateway.isolation.provider import IsolatedListening
from angarium.plugins import StatusUpdate, TemporaryFailure
from angarium.plugins.provider import Listening, platforms_of
from tests.gateway.isolation.conftest import Load

Open = Callable[[], Awaitable[IsolatedListening]]


@pytest.fixture
async def open_live(load: Load) -> AsyncIterator[Open]:
    opened: list[IsolatedListening] = []

    async def make() -> IsolatedListening:
        provider = load().create_provider("sms_live", {})
        assert isinstance(provider, IsolatedListening)
        opened.append(provider)
        return provider

    yield make
    for provider in opened:
        await provider.close()


async def test_what_is_heard_is_reported_in_order(open_live: Open) -> None:
    live, heard = await open_live(), list[StatusUpdate]()

    async def report(update: StatusUpdate) -> None:
        await asyncio.sleep(0.01)
        heard.append(update)

    await live.listen(report)

    assert [one.provider_id for one in heard] == ["0", "1", "2"]
    assert heard[0] == StatusUpdate(status="delivered", provider_id="0", at=5)


async def test_one_that_cannot_be_kept_is_told_to_the_plugin(open_live: Open) -> None:
    live = await open_live()

    async def report(update: StatusUpdate) -> None:
        raise OSError("no room")

    with pytest.raises(TemporaryFailure, match="listen raised RuntimeError"):
        await live.listen(report)


async def test_only_one_that_listens_is_asked_to(open_live: Open, load: Load) -> None:
    live = await open_live()

    assert isinstance(live, Listening)
    assert not isinstance(load().create_provider("sms_rogue", {}), Listening)


async def test_it_is_given_messages_to_its_own_platforms_only(open_live: Open) -> None:
    assert platforms_of(await open_live()) == ("android",)


async def test_its_process_may_end_while_it_listens(load: Load) -> None:
    live = load().create_provider("sms_live", {"opening": "hang"})
    assert isinstance(live, IsolatedListening)
    heard = asyncio.Event()

    async def report(update: StatusUpdate) -> None:
        heard.set()

    listening = asyncio.ensure_future(live.listen(report))
    await heard.wait()
    await live.close()

    with pytest.raises(TemporaryFailure, match="its process was stopped"):
        await listening
