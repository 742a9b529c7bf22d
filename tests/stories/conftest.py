"""One instance for all stories of a module: each story brings its own people and campaigns."""

from collections.abc import AsyncIterator

import pytest

from tests.parts.instance import Instance, running_instance


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    async with running_instance(tmp_path_factory.mktemp("instance")) as running:
        yield running
