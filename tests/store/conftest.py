"""Stores with the tables that the contract is tried on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from angarium.core.store.catalogue import QUERIES
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from tests.contracts import THINGS


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await open_store(url, queries=(QUERIES, THINGS))
    yield store
    await store.close()


@asynccontextmanager
async def with_things(url: str) -> AsyncIterator[Store]:
    async with opened(url) as store:
        async with store.transaction() as tx:
            await tx.run("create_things")
            await tx.run("create_others")
        yield store


@pytest.fixture
async def things_store(store_url: str) -> AsyncIterator[Store]:
    async with with_things(store_url) as store:
        yield store


@pytest.fixture
async def sqlite_things(sqlite_url: str) -> AsyncIterator[Store]:
    async with with_things(sqlite_url) as store:
        yield store


@pytest.fixture
async def postgres_things(postgres_url: str) -> AsyncIterator[Store]:
    async with with_things(postgres_url) as store:
        yield store
