"""The conformance kit: what holds for every provider, as tests that its author runs too.

Needs pytest, and anyio (whose pytest plugin runs the coroutines) with this in conftest.py:

    pytest.register_assert_rewrite("angarium.plugins.testing")

    @pytest.fixture(scope="session")
    def anyio_backend(): return "asyncio"

Inherit, say how to reach the counterpart, and run pytest:

    class TestChatBale(ProviderContract):
        provider = ChatBale
        secrets = ("the-token",)
        outcomes = (Outcome("blocked", PermanentFailure, address_dead=True),)

        @pytest.fixture
        def settings(self, bale): return {"token": "the-token", "url": bale.url}

        async def arrived(self, message): ...

`ProviderContract` is for every provider. Inherit beside it, in the same class, from
`SilenceContract` (time-outs: nobody should go without), `KeyContract` if the vendor takes the
idempotency key, and `CallbackContract` if it calls back.

`RecordingProvider` is the double for tests of everything before a provider.
"""

from angarium.plugins.testing.callbacks import CallbackContract
from angarium.plugins.testing.content import LARGE, TEXTS, default_content
from angarium.plugins.testing.contract import ProviderContract
from angarium.plugins.testing.harness import Harness, Outcome
from angarium.plugins.testing.keys import KeyContract
from angarium.plugins.testing.recording import RecordingProvider, RecordingSettings, accept
from angarium.plugins.testing.silence import SilenceContract

__all__ = [
    "LARGE",
    "TEXTS",
    "CallbackContract",
    "Harness",
    "KeyContract",
    "Outcome",
    "ProviderContract",
    "RecordingProvider",
    "RecordingSettings",
    "SilenceContract",
    "accept",
    "default_content",
]
