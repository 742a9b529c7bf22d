"""Messages on the channel `webhook`: each is posted to a service of yours, signed.

The signature and headers are those of Standard Webhooks (standardwebhooks.com), for which there are
libraries in most languages. `webhook-id` is the same at every attempt: repeats are known by it.
"""

import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

import msgspec

from angarium.channels._belief import Belief
from angarium.channels._guard import allowed_by, check_url
from angarium.channels._http import Answer, http_of, retry_after
from angarium.channels.webhook import WebhookContent
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.settings import Secret

MAX_BYTES: Final = 1024 * 1024
BUSY_SECONDS: Final = 30.0
MISCONFIGURED_SECONDS: Final = 300.0
_PREFIX: Final = "whsec_"
_NOT_HERE: Final = (404, 405)
"""The url is wrong, unless messages were taken there: then it is this one that is refused."""


class WebhookHttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.webhook_http]`. Lengths of time are in seconds."""

    url: str
    """Where every message is posted."""
    secret: Secret
    """`whsec_` and 24 to 64 random bytes in base64: `echo whsec_$(openssl rand -base64 32)`."""
    old_secret: Secret = Secret()
    """While the receiver changes to a new `secret`: both sign until this one is taken away."""
    allow_private: bool = False
    """Whether the service may stand in your own network, and be called by plain http."""
    connections: Annotated[int, msgspec.Meta(ge=1)] = 32
    connect_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    answer_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0

    def __post_init__(self) -> None:
        try:
            check_url(self.url, allowed_by(self.allow_private), ports=None)
        except ValueError as error:
            remedy = "" if self.allow_private else " (allow_private opens your own network)"
            raise ValueError(f"url: {error}{remedy}") from None
        _read_secret("secret", self.secret)
        if self.old_secret:
            _read_secret("old_secret", self.old_secret)


class WebhookHttp(Provider):
    """One signed POST a message; the status says what became of it."""

    name: ClassVar[str] = "webhook_http"
    channel: ClassVar[str] = "webhook"
    Settings: ClassVar[type] = WebhookHttpSettings

    def __init__(self, settings: WebhookHttpSettings) -> None:
        self._url = settings.url
        self._keys = [_read_secret("secret", settings.secret)]
        if settings.old_secret:
            self._keys.append(_read_secret("old_secret", settings.old_secret))
        self._http = http_of(self.name, settings, allowed=allowed_by(settings.allow_private))
        self._belief = Belief()

    async def send(self, message: Message) -> Accepted:
        body = _compose(message)
        if len(body) > MAX_BYTES:
            raise PermanentFailure(f"webhook_http: the message is larger than {MAX_BYTES} bytes")
        seconds = str(message.at // 1000)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": seconds,
            "webhook-signature": _sign(self._keys, message.key, seconds, body),
        }
        answer = await self._http.post(self._url, body=body, headers=headers)
        if 200 <= answer.status < 300:
            self._belief.confirm()
            return Accepted(provider_id=message.key)
        if answer.status in _NOT_HERE and not self._belief.doubt():
            raise _misconfigured(f"nobody takes messages there ({answer.status}); check url")
        raise _failure(answer)

    async def close(self) -> None:
        await self._http.close()


def _compose(message: Message) -> bytes:
    content: WebhookContent = message.content
    told = {
        "type": content.type,
        "timestamp": _instant(message.at),
        "to": message.address,
        "delivery": message.delivery,
        "test": message.test,
        "data": content.data,
    }
    return msgspec.json.encode(told)


def _instant(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sign(keys: list[bytes], key: str, seconds: str, body: bytes) -> str:
    signed = f"{key}.{seconds}.".encode() + body
    return " ".join(
        f"v1,{b64encode(hmac.digest(one, signed, 'sha256')).decode('ascii')}" for one in keys
    )


def _failure(answer: Answer) -> TemporaryFailure | PermanentFailure | InDoubt:
    """A failure of a status; repeats are harmless, for the receiver knows them by webhook-id."""
    status = answer.status
    if status in (408, 425, 429) or 500 <= status < 600:
        return _not_now(answer)
    if status in (401, 403):
        return _misconfigured(f"the service does not take our signature ({status}); check secret")
    if 300 <= status < 400:
        return _misconfigured(f"the service is elsewhere ({status}); check url, we do not follow")
    if status == 410:
        return PermanentFailure(
            "webhook_http: the service has left this url for good (410); set another,"
            " or take [channels.webhook_http] out of the settings"
        )
    if 400 <= status < 500:
        return PermanentFailure(f"webhook_http: refused by the service ({status})")
    return InDoubt(f"webhook_http: the answer was {status}")


def _not_now(answer: Answer) -> TemporaryFailure:
    wait = retry_after(answer)
    if answer.status in (429, 503):
        reason = f"webhook_http: the service is busy ({answer.status})"
        return TemporaryFailure(reason, BUSY_SECONDS if wait is None else wait, pause=True)
    return TemporaryFailure(f"webhook_http: the service failed ({answer.status})", wait)


def _misconfigured(reason: str) -> TemporaryFailure:
    return TemporaryFailure(f"webhook_http: {reason}", MISCONFIGURED_SECONDS, pause=True)


def _read_secret(setting: str, secret: Secret) -> bytes:
    text = secret.reveal()
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(f"{setting}: must be {_PREFIX} and 24 to 64 bytes in base64")
    return key


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [WebhookHttp]
