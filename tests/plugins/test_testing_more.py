"""The kit's further classes pass a good provider, and fail the mistakes that they are there for."""

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import asyncio, hmac
from hashlib import sha256
from typing import ClassVar
import msgspec, pytest
from angarium.plugins import *
from angarium.plugins.settings import Secret
from angarium.plugins.testing import (
    CallbackContract, KeyContract, ProviderContract, SilenceContract)

class Settings(msgspec.Struct, forbid_unknown_fields=True):
    token: Secret
    away: bool = False

def signature(body, at): return hmac.new(b"hunter2", b"%d." % at + body, sha256).hexdigest()

class Vendor:
    taken: ClassVar[dict] = {}
    texts: ClassVar[dict] = {}

class Provided(Provider):
    name: ClassVar[str] = "sms_provided"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = Settings
    def __init__(self, settings):
        self.settings = settings
        self.lock = asyncio.Lock()

    async def send(self, message):
        if self.settings.away:
            raise AWAY
        SEND
        if message.address == "silent":
            WAIT
        key = KEY
        Vendor.taken[key] = Vendor.taken.get(key, 0) + (key not in Vendor.texts)
        Vendor.texts[message.key] = Vendor.texts[key] = message.content.text
        return Accepted(provider_id=key)

    def parse_callback(self, request):
        at = request.headers.get("x-at", "")
        CHECK
        said = READ
        return [StatusUpdate(status="delivered", provider_id=said["id"])] if "id" in said else []

def check(request, at):
    given = request.headers.get("x-signature", "")
    if not at.isdigit() or not given.isascii():
        raise PermissionError
    if not hmac.compare_digest(given, signature(request.body, int(at))):
        raise PermissionError

def fresh(request, at):
    if request.at - int(at) > 300_000:
        raise PermissionError

def read(body):
    try:
        return msgspec.json.decode(body, type=dict)
    except RecursionError:
        raise ValueError("too deep") from None

@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"

@pytest.fixture(autouse=True)
def empty():
    Vendor.taken.clear()
    Vendor.texts.clear()

class TestProvided(ProviderContract, SilenceContract, KeyContract, CallbackContract):
    provider = Provided
    secrets = ("hunter2",)
    silent = "silent"
    body = b'{"id": "p1", "status": "delivered"}'
    said = [StatusUpdate(status="delivered", provider_id="p1")]
    proof = ("x-signature", "x-at")
    stale_after = 300

    @pytest.fixture
    def settings(self): return {"token": "hunter2"}
    @pytest.fixture
    def unreachable(self): return {"token": "hunter2", "away": True}
    async def arrived(self, message): return Vendor.texts[message.key]
    async def times_taken(self, message): return Vendor.taken[message.key]
    def sign(self, body):
        at = 1_790_000_000_000
        headers = {"x-at": str(at), "x-signature": signature(body, at)}
        return CallbackRequest(method="POST", url="u", headers=headers, body=body, at=at)
"""
GOOD = {
    "AWAY": 'TemporaryFailure("sms_provided: away", pause=True)',
    "SEND": "pass",
    "WAIT": "await asyncio.Event().wait()",
    "KEY": "message.key",
    "CHECK": "check(request, at); fresh(request, at)",
    "READ": "read(request.body)",
}
MISTAKES = {
    "is in doubt over a vendor that is away": {"AWAY": 'InDoubt("sms_provided: away")'},
    "does not pause for a vendor that is away": {"AWAY": 'TemporaryFailure("sms_provided: away")'},
    "says that silence is a refusal": {"WAIT": 'raise PermanentFailure("sms_provided: silent")'},
    "says that silence is acceptance": {"WAIT": "pass"},
    "waits for one before it sends the next": {
        "SEND": "await self.lock.acquire(); message.address == 'silent' or self.lock.release()"
    },
    "makes a key of its own": {"KEY": "str(len(Vendor.texts))"},
    "has one key for all": {"KEY": '"same"'},
    "checks no signature": {"CHECK": "fresh(request, at)"},
    "checks a signature only if there is one": {
        "CHECK": 'request.headers.get("x-signature") and check(request, at)'
    },
    "cannot compare a signature outside ASCII": {"not given.isascii()": "False"},
    "takes old callbacks": {"CHECK": "check(request, at)"},
    "raises something else at nonsense": {
        "CHECK": "check(request, at); fresh(request, at); {}[request.body == b'[]' or 5]"
    },
    "understands nothing": {"READ": "{}"},
}


MORE = "answer or vendor or again or two_keys or callback"
"""The tests of the further classes."""


def run_kit(pytester: pytest.Pytester, **changes: str) -> dict[str, int]:
    suite = SUITE
    for place, code in (GOOD | changes).items():
        suite = suite.replace(place, code)
    pytester.makepyfile(suite)
    return pytester.runpytest_inprocess(
        "-p", "no:randomly", "-p", "no:cacheprovider", "-k", MORE
    ).parseoutcomes()


def test_a_provider_without_a_mistake_passes(pytester: pytest.Pytester) -> None:
    outcomes = run_kit(pytester)

    assert "failed" not in outcomes
    assert outcomes["passed"] >= 10


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_the_kit_finds_a_mistake(pytester: pytest.Pytester, mistake: dict[str, str]) -> None:
    assert run_kit(pytester, **mistake)["failed"] >= 1


BY_GET = """
import hmac
from urllib.parse import parse_qsl
import msgspec, pytest
from angarium.plugins import *
from angarium.plugins.testing import CallbackContract

class Settings(msgspec.Struct, forbid_unknown_fields=True): ...

def proof_of(query):
    text = "&".join(query.get(name, "") for name in SIGNED)
    return hmac.new(b"hunter2", text.encode(), "sha256").hexdigest()

class Provided(Provider):
    name, channel, Settings = "sms_provided", "sms", Settings
    def __init__(self, settings): ...
    def parse_callback(self, request):
        told, proof = request.query.get("proof", ""), proof_of(request.query)
        if request.method != "GET" or not hmac.compare_digest(told.encode(), proof.encode()):
            raise PermissionError
        if "id" not in request.query:
            raise PermissionError("nothing is said")
        return [StatusUpdate(status=request.query["state"], provider_id=request.query["id"])]

@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"

class TestProvided(CallbackContract):
    provider = Provided
    body = b"id=p1&state=delivered"
    said = [StatusUpdate(status="delivered", provider_id="p1")]
    proof = ("proof",)
    @pytest.fixture
    def settings(self): return {}
    def sign(self, body):
        query = dict(parse_qsl(body.decode("latin-1")))
        return CallbackRequest(method="GET", url="u", query=query | {"proof": proof_of(query)})
"""


@pytest.mark.parametrize(("signed", "failed"), [(("id", "state"), 0), (("id",), 1)])
def test_what_a_vendor_signs_of_an_address_is_found(
    pytester: pytest.Pytester, signed: tuple[str, ...], failed: int
) -> None:
    pytester.makepyfile(BY_GET.replace("SIGNED", repr(signed)))

    outcomes = pytester.runpytest_inprocess(
        "-p", "no:randomly", "-p", "no:cacheprovider"
    ).parseoutcomes()

    assert outcomes.get("failed", 0) == failed
    assert outcomes["passed"] == 5 - failed
