"""The canary, the watch and the resolver, for each test of this folder."""

from collections.abc import AsyncIterator

import pytest

from tests.drills.ssrf.canaries import Canary, audited, canary, names, watch

__all__ = ["audited", "bird", "names", "watch"]


@pytest.fixture
async def bird() -> AsyncIterator[Canary]:
    async with canary() as running:
        yield running
