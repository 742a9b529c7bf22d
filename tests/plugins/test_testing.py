"""The kit passes a good provider, and fails the mistakes that it is there to find."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pytest

from angarium.plugins import (
    Accepted,
    CallbackRequest,
    Message,
    PermanentFailure,
    Provider,
    StatusUpdate,
    TemporaryFailure,
)
from angarium.plugins.testing import (
    Outcome,
    ProviderContract,
    RecordingProvider,
    RecordingSettings,
    default_content,
)

pytest_plugins = ["pytester"]


class Scripted(RecordingProvider):
    """Answers by address, and remembers across instances what arrived."""

    name: ClassVar[str] = "email_scripted"

    async def send(self, message: Message) -> Accepted:
        await super().send(message)
        if message.address == "busy@example.org":
            raise TemporaryFailure("email_scripted: busy", 5)
        if message.address == "dead@example.org":
            raise PermanentFailure("email_scripted: gone", address_dead=True)
        if len(message.content.text) > 100_000:
            raise PermanentFailure("email_scripted: too large")
        return Accepted(provider_id=message.key)


class TestScripted(ProviderContract):
    provider = Scripted
    outcomes: ClassVar[Sequence[Outcome]] = (
        Outcome("busy@example.org", TemporaryFailure),
        Outcome("dead@example.org", PermanentFailure, address_dead=True),
    )

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        return {}

    async def arrived(self, message: Message) -> str:
        text: str = message.content.text
        return text


MISTAKES = {
    "raises what is no answer": "raise KeyError('x')",
    "gives no id": "return Accepted(provider_id='')",
    "loses letters": "self.texts[message.key] = message.content.text.encode('ascii', 'ignore')",
    "mingles": "self.texts = dict.fromkeys([*self.texts, message.key], message.content.text)",
    "shows the secret": "print('using', self.settings.token.reveal())",
}
SUITE = """
import asyncio, msgspec, pytest
from typing import ClassVar
from angarium.plugins import Accepted, Provider
from angarium.plugins.settings import Secret
from angarium.plugins.testing import ProviderContract

class Settings(msgspec.Struct, forbid_unknown_fields=True):
    token: Secret

class Mistaken(Provider):
    name: ClassVar[str] = "email_mistaken"
    channel: ClassVar[str] = "email"
    Settings: ClassVar[type] = Settings
    texts = {}
    def __init__(self, settings): self.settings = settings
    async def send(self, message):
        await asyncio.sleep(0)
        self.texts[message.key] = message.content.text
        MISTAKE
        return Accepted(provider_id=message.key)

@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"

class TestMistaken(ProviderContract):
    provider = Mistaken
    secrets = ("hunter2",)
    @pytest.fixture
    def settings(self): return {"token": "hunter2"}
    async def arrived(self, message):
        await asyncio.sleep(0)
        return Mistaken.texts[message.key]
"""


def run_kit(pytester: pytest.Pytester, mistake: str) -> dict[str, int]:
    pytester.makepyfile(SUITE.replace("MISTAKE", mistake))
    return pytester.runpytest_inprocess(
        "-p", "no:randomly", "-p", "no:cacheprovider"
    ).parseoutcomes()


def test_a_provider_without_a_mistake_passes(pytester: pytest.Pytester) -> None:
    assert "failed" not in run_kit(pytester, "pass")


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_the_kit_finds_a_mistake(pytester: pytest.Pytester, mistake: str) -> None:
    assert run_kit(pytester, mistake)["failed"] >= 1


def test_a_secret_that_the_tests_do_not_name_is_found_in_the_settings(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        SUITE.replace("MISTAKE", MISTAKES["shows the secret"]).replace(
            'secrets = ("hunter2",)', "secrets = ()"
        )
    )

    done = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    assert done.parseoutcomes()["failed"] == 1


async def test_the_recorder_remembers_and_answers_as_told() -> None:
    recorder = RecordingProvider()
    message = Message(key="k", address="a@b.co", content=default_content("email", "hi"))

    async def refuse(message: Message) -> Accepted:
        raise PermanentFailure("no")

    assert await recorder.send(message) == Accepted(provider_id="recorded-k")
    recorder.answer = refuse
    with pytest.raises(PermanentFailure, match="no"):
        await recorder.send(message)
    assert recorder.messages == [message, message]


async def test_the_recorder_counts_its_life() -> None:
    recorder = RecordingProvider(RecordingSettings())

    await recorder.open()
    await recorder.close()

    assert (recorder.open_count, recorder.close_count) == (1, 1)


def test_the_recorder_reads_callbacks() -> None:
    updates = [StatusUpdate(status="delivered", provider_id="1", at=5)]
    request = CallbackRequest(method="POST", url="https://x", body=msgspec.json.encode(updates))

    assert RecordingProvider().parse_callback(request) == updates


def test_a_channel_of_ones_own_needs_content_of_ones_own() -> None:
    with pytest.raises(NotImplementedError, match="override content"):
        default_content("chat", "x")


async def test_a_provider_that_inherits_may_leave_out_what_it_does_not_need() -> None:
    class Lazy(Provider):
        name: ClassVar[str] = "sms_lazy"
        channel: ClassVar[str] = "sms"
        Settings: ClassVar[type] = RecordingSettings

        def __init__(self, settings: Any) -> None: ...

        async def send(self, message: Message) -> Accepted:
            return Accepted(provider_id="1")

    lazy = Lazy(None)

    await lazy.open()
    await lazy.close()
    assert lazy.parse_callback(CallbackRequest(method="POST", url="https://x")) == ()
