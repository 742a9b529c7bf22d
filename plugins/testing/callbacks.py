"""What holds for callbacks: a genuine one is understood, every other is refused."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import ClassVar

import msgspec
import pytest

from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.provider import Provider
from angarium.plugins.testing.harness import Harness

FORGED = (None, "", "forged", "0" * 64, "\u06f1\xe9")
"""In place of a proof; headers and queries may hold any letter, and not all can be compared."""
NONSENSE = (b"", b"\0", b"null", b"[]", b"{}", b'"text"', b"\xff\xfe", b"[" * 100_000, b"a=b&c")


class CallbackContract(Harness):
    """Set `body`, `said`, `proof`; give the method `sign`."""

    body: ClassVar[bytes]
    """What the vendor posts about one message; or, by GET, the query without the proof."""
    said: ClassVar[Sequence[StatusUpdate]]
    """What that means."""
    proof: ClassVar[Sequence[str]]
    """The headers (in lower case) or members of the query without which it is not the vendor's."""
    signs_body: ClassVar[bool] = True
    """Whether a changed body (by GET: query) shows; not so where a secret in the address is all."""
    stale_after: ClassVar[int] = 0
    """Seconds after which a callback is taken for a recording of an earlier one; 0: never."""

    def sign(self, body: bytes) -> CallbackRequest:
        """The request that the vendor would make with this body."""
        raise NotImplementedError("sign it as the vendor does")

    @pytest.fixture
    def reader(self, settings: Mapping[str, object]) -> Provider:
        """A provider that is not opened: callbacks are read by another process."""
        return self.build(settings)

    async def test_a_genuine_callback_is_understood(self, reader: Provider) -> None:
        assert list(reader.parse_callback(self.sign(self.body))) == list(self.said)

    async def test_a_callback_without_its_proof_is_forged(self, reader: Provider) -> None:
        genuine = self.sign(self.body)
        for name, value in product(self.proof, FORGED):
            for method in ("POST", "GET"):  # the gateway takes both: a link may be looked at ahead
                forged = _with(msgspec.structs.replace(genuine, method=method), name, value)
                with pytest.raises(PermissionError):
                    reader.parse_callback(forged)

    async def test_a_callback_whose_body_was_changed_is_refused(self, reader: Provider) -> None:
        genuine = self.sign(self.body)
        for changed in _changed(genuine, self.proof) if self.signs_body else ():
            with pytest.raises((PermissionError, ValueError)):
                reader.parse_callback(changed)

    async def test_nonsense_from_the_vendor_is_refused_or_means_nothing(
        self, reader: Provider
    ) -> None:
        for body in NONSENSE:
            try:
                updates = reader.parse_callback(self.sign(body))
            except (PermissionError, ValueError):
                continue
            assert list(updates) == []

    async def test_a_callback_from_long_ago_is_a_recording(self, reader: Provider) -> None:
        genuine = self.sign(self.body)
        later = genuine.at + (self.stale_after + 1) * 1000
        if self.stale_after:
            with pytest.raises(PermissionError):
                reader.parse_callback(msgspec.structs.replace(genuine, at=later))


def _with(request: CallbackRequest, name: str, value: str | None) -> CallbackRequest:
    """The request with another value under `name`, or none, wherever that stands."""

    def changed(members: Mapping[str, str]) -> dict[str, str]:
        kept = {key: old for key, old in members.items() if key != name}
        return kept | ({name: value} if value is not None and name in members else {})

    return msgspec.structs.replace(
        request, headers=changed(request.headers), query=changed(request.query)
    )


def _changed(genuine: CallbackRequest, proof: Sequence[str]) -> list[CallbackRequest]:
    """With another body; or, by GET, with each member of the query changed but the proof."""
    if genuine.method == "GET":
        told = {name: value for name, value in genuine.query.items() if name not in proof}
        return [_with(genuine, name, value + "1") for name, value in told.items()]
    bodies = _other_bodies(genuine.body)
    return [msgspec.structs.replace(genuine, body=body) for body in bodies]


def _other_bodies(body: bytes) -> list[bytes]:
    """The body with a byte changed at some places, with one more, and with one less."""
    places = range(0, len(body), max(1, len(body) // 8))
    flipped = [body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] for at in places]
    return [*flipped, body + b" ", body[:-1]]
