"""One service centre for all tests of a file, as new for each."""

from collections.abc import AsyncGenerator

import pytest

from tests.counterparts.smsc import Smsc, smsc


@pytest.fixture(scope="module")
async def running() -> AsyncGenerator[Smsc, None]:
    async with smsc() as running:
        yield running


@pytest.fixture
async def centre(running: Smsc) -> Smsc:
    await running.reset()
    return running
