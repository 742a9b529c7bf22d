"""Both engines keep the contract of the store."""

from collections.abc import AsyncIterator

import pytest

from angarium.core.store.protocol import Store
from tests.contracts.store import MistakesContract, StoreContract
from tests.contracts.transactions import (
    CancellationContract,
    IsolationContract,
    RetryContract,
)
from tests.store.conftest import opened


@pytest.fixture
def store(things_store: Store) -> Store:
    return things_store


@pytest.fixture
async def rival(things_store: Store, store_url: str) -> AsyncIterator[Store]:
    async with opened(store_url) as rival:
        yield rival


class TestQueries(StoreContract):
    pass


class TestMistakes(MistakesContract):
    pass


class TestIsolation(IsolationContract):
    pass


class TestCancellation(CancellationContract):
    pass


class TestRetry(RetryContract):
    pass
