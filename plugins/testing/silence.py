"""What holds when the vendor is silent, or away."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

import pytest

from angarium.plugins.failures import InDoubt, TemporaryFailure
from angarium.plugins.provider import Provider
from angarium.plugins.testing.harness import Harness

PATIENCE_SECONDS = 0.3
LIMIT_SECONDS = 10.0
"""After which a send that should pass is held up."""


class SilenceContract(Harness):
    """Set `silent`; give the fixture `unreachable`."""

    silent: ClassVar[str]
    """An address for which the counterpart takes the message, and never answers."""

    @pytest.fixture
    def unreachable(self) -> Mapping[str, object]:
        """The provider's section, pointing at a port of this machine where nobody listens."""
        raise NotImplementedError("give a fixture named unreachable")

    async def test_a_send_without_an_answer_ends_when_its_caller_loses_patience(
        self, opened: Provider
    ) -> None:
        with pytest.raises((TimeoutError, InDoubt)):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await opened.send(self.message(address=self.silent))

        async with asyncio.timeout(LIMIT_SECONDS):
            await opened.send(self.message("afterwards", key="dlv_2"))
        assert await self.arrived(self.message("afterwards", key="dlv_2")) == "afterwards"

    async def test_those_without_an_answer_hold_up_no_other(self, opened: Provider) -> None:
        waiting = [
            asyncio.ensure_future(opened.send(self.message(address=self.silent, key=f"dlv_s{n}")))
            for n in range(8)
        ]
        message = self.message("passes", key="dlv_2")

        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await opened.send(message)
        finally:
            for send in waiting:
                send.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

        assert await self.arrived(message) == "passes"

    async def test_a_vendor_that_is_away_leaves_no_doubt(
        self, unreachable: Mapping[str, object]
    ) -> None:
        provider = self.build(unreachable)
        await provider.open()

        with pytest.raises(TemporaryFailure) as caught:
            await provider.send(self.message())
        await provider.close()

        assert caught.value.pause, "every message would fare the same: say pause=True"
