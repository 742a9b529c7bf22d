"""Access tokens for Google's interfaces: fetched ahead of time, by one request for all who wait."""

import asyncio
from typing import Final
from urllib.parse import urlencode

import msgspec

from angarium.channels._fcm_account import Account
from angarium.channels._http import AWAY_SECONDS, Answer, Http, retry_after
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

REFUSED_SECONDS: Final = 300.0
AGAIN_AFTER: Final = 60_000
"""Milliseconds from a renewal that failed to the next, while the old token still holds."""
MARGIN: Final = 60_000
"""A token is not used in its last minute."""

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Token(msgspec.Struct, frozen=True):
    """An access token; instants in milliseconds."""

    text: str
    renew_at: int
    ends_at: int


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class TokenSource:
    """The token of one account. It is renewed in the last sixth of its life: at 50 of 60 minutes.

    While the old one holds nobody waits for the new one. Its clock is the time of the messages.
    """

    def __init__(self, account: Account, http: Http) -> None:
        self._account = account
        self._http = http
        self._held: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None
        self._not_before = 0

    async def token(self, now: int) -> str:
        """A token that holds. Raises TemporaryFailure, which pauses: no message fares better."""
        held = self._held
        if held is None or now >= held.ends_at:
            return await self._wait(self._fetch(now))
        if now >= held.renew_at and now >= self._not_before:
            self._fetch(now)
        return held.text

    def forget(self, text: str) -> None:
        """The token was refused; the next message fetches another, if none has yet."""
        if self._held is not None and self._held.text == text:
            self._held = None

    async def close(self) -> None:
        """Give up a renewal under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _fetch(self, now: int) -> asyncio.Task[Token]:
        if self._fetching is None:
            self._not_before = now + AGAIN_AFTER
            self._fetching = asyncio.get_running_loop().create_task(self._request(now))
            self._fetching.add_done_callback(self._settle)
        return self._fetching

    def _settle(self, task: asyncio.Task[Token]) -> None:
        self._fetching = None
        if not task.cancelled() and task.exception() is None:
            self._held = task.result()

    async def _wait(self, fetching: asyncio.Task[Token]) -> str:
        try:
            return (await asyncio.shield(fetching)).text
        except asyncio.CancelledError:
            raise TemporaryFailure("push_fcm: cut off before the message was sent") from None
        except TemporaryFailure as failure:  # shared by all who wait: each raises its own
            raise TemporaryFailure(failure.reason, failure.retry_after, pause=True) from None

    async def _request(self, now: int) -> Token:
        form = urlencode({"grant_type": _GRANT, "assertion": self._account.assertion(now)})
        try:
            answer = await self._http.post(
                self._account.token_url, body=form.encode("ascii"), headers=_FORM
            )
        except (InDoubt, PermanentFailure):  # about the token, not about any message
            raise TemporaryFailure(
                "push_fcm: the token endpoint did not answer", AWAY_SECONDS, pause=True
            ) from None
        return _read(answer, now)


def _read(answer: Answer, now: int) -> Token:
    if answer.status != 200:
        raise _failure(answer)
    try:
        granted = msgspec.json.decode(answer.body, type=_Granted)
    except ValueError:
        raise TemporaryFailure(
            "push_fcm: an answer of the token endpoint that cannot be read",
            AWAY_SECONDS,
            pause=True,
        ) from None
    life = int(granted.expires_in * 1000)
    return Token(granted.access_token, now + life * 5 // 6, now + max(0, life - MARGIN))


def _failure(answer: Answer) -> TemporaryFailure:
    if answer.status == 429 or answer.status >= 500:
        reason = f"push_fcm: the token endpoint is busy ({answer.status})"
        return TemporaryFailure(reason, retry_after(answer) or AWAY_SECONDS, pause=True)
    return TemporaryFailure(
        f"push_fcm: no access token for this service account ({answer.status});"
        " check service_account and this machine's clock",
        REFUSED_SECONDS,
        pause=True,
    )
