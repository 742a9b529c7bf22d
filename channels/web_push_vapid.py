"""Notifications to browsers, through the push services of their makers (RFC 8030, 8291, 8292)."""

import re
from base64 import urlsafe_b64encode
from collections import defaultdict
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from angarium.channels._belief import REFUSED_SECONDS, Belief
from angarium.channels._guard import is_public
from angarium.channels._http import Answer, Http, http_of, retry_after
from angarium.channels._push_content import carries_data_only, check_shown, expires_at
from angarium.channels._push_content import encode as encode_json
from angarium.channels._web_push_address import (
    NotAllowed,
    Services,
    Subscription,
    read_subscription,
)
from angarium.channels._web_push_crypto import (
    OVERHEAD_BYTES,
    RECORD_BYTES,
    Vapid,
    encrypt,
    read_private_key,
)
from angarium.plugins import (
    Accepted,
    Message,
    PermanentFailure,
    Provider,
    PushContent,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.addresses import parse_email
from angarium.plugins.settings import Secret

NAME: Final = "web_push_vapid"

MOST_BYTES: Final = RECORD_BYTES - OVERHEAD_BYTES
"""Of the payload: with what encryption adds, every push service takes it (RFC 8030 §7.2)."""
MOST_SECONDS: Final = 28 * 24 * 60 * 60
"""The longest that Google's service keeps a message; others keep it as long or longer."""
TOPIC_LETTERS: Final = 32
RECEIPT_LETTERS: Final = 512

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class WebPushVapidSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.web_push_vapid]`. Lengths of time are in seconds."""

    contact: str
    """Whom push services tell of trouble: `mailto:ops@example.org`, or a page's `https://` URL."""
    private_key: Secret = Secret()
    """32 bytes in base64url; by default the one that the instance made at its first start. Browsers
    subscribe for one key: another one reaches nobody who subscribed before."""
    push_services: str = ""
    """Push services beside those of Google, Mozilla, Microsoft and Apple, separated by commas:
    `push.example.org`, `*.push.example.org`, or an origin (`https://10.0.0.5:8443`), which need not
    be a public address."""
    urgency: Literal["very-low", "low", "normal", "high"] = "normal"
    """How soon a phone is woken for it (RFC 8030 §5.3)."""
    connections: Annotated[int, msgspec.Meta(ge=1)] = 32
    """To each push service."""
    connect_seconds: Seconds = 10.0
    answer_seconds: Seconds = 30.0

    def __post_init__(self) -> None:
        _check_contact(self.contact)
        try:
            Services(self.push_services)
        except ValueError as error:
            raise ValueError(f"push_services: {error}") from error
        if self.private_key:
            try:
                read_private_key(self.private_key.reveal())
            except ValueError as error:
                raise ValueError(f"private_key: {error}") from None


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What the service worker reads, as JSON; every member is always there. `ttl` in seconds."""

    delivery: str
    title: str
    body: str
    image: str
    link: str
    buttons: Any
    data: dict[str, Any]
    collapse: str
    ttl: int


class WebPushVapid(Provider):
    """Encrypts each message for its browser, and hands it to the browser's push service."""

    name: ClassVar[str] = NAME
    channel: ClassVar[str] = "web_push"
    Settings: ClassVar[type] = WebPushVapidSettings

    def __init__(self, settings: WebPushVapidSettings) -> None:
        self._urgency = settings.urgency
        self._services = Services(settings.push_services)
        key = settings.private_key.reveal()
        self._vapid = Vapid(key, settings.contact) if key else None
        self._public = http_of(NAME, settings, allowed=is_public, one_host=False)
        self._named = http_of(NAME, settings, one_host=False)
        self._beliefs: defaultdict[str, Belief] = defaultdict(Belief)
        self._silent_until: dict[str, int] = {}
        """By origin, in ms: the Retry-After of a service that was down."""

    async def open(self) -> None:
        if self._vapid is None:
            raise ValueError(f"channels.{NAME}.private_key: missing, and nothing has filled it in")

    async def send(self, message: Message) -> Accepted:
        subscription, http = self._destination(message.address)
        ttl = _ttl(message)
        payload = _payload(message, ttl)
        origin = str(subscription.endpoint.origin())
        self._obey(origin, message.at)
        headers = self._headers(message, origin, ttl)
        body = encrypt(payload, subscription.receiver, subscription.auth)
        answer = await http.post(subscription.endpoint, body=body, headers=headers)
        if answer.status in _OUR_SIGNATURE:
            raise self._refused(origin, answer.status)
        if answer.status == 503 and (wait := retry_after(answer)):
            self._silent_until[origin] = message.at + int(wait * 1000)
        accepted = _judge(answer, message.key)
        self._beliefs[origin].confirm()
        return accepted

    async def close(self) -> None:
        await self._public.close()
        await self._named.close()

    def _obey(self, origin: str, now: int) -> None:
        """A push service that is down says for how long; its 429 may be about one browser."""
        left = self._silent_until.get(origin, 0) - now
        if left > 0:
            raise TemporaryFailure(f"{NAME}: the push service asked to be left alone", left / 1000)

    def _refused(self, origin: str, status: int) -> PermanentFailure | TemporaryFailure:
        """By one browser that subscribed for another key, or by all since the fault is ours."""
        why = f"{_OUR_SIGNATURE[status]} ({status})"
        if self._beliefs[origin].doubt():
            return PermanentFailure(f"{NAME}: the browser subscribed for another key, or {why}")
        nobody = not any(belief.holds for belief in self._beliefs.values())
        return TemporaryFailure(f"{NAME}: {why}", REFUSED_SECONDS, pause=nobody)

    def _destination(self, address: str) -> tuple[Subscription, Http]:
        try:
            subscription = read_subscription(address)
            named = self._services.is_named(subscription.endpoint)
        except NotAllowed as error:
            raise PermanentFailure(f"{NAME}: unable to use the subscription: {error}") from None
        except ValueError as error:
            raise PermanentFailure(
                f"{NAME}: unable to use the subscription: {error}", address_dead=True
            ) from None
        return subscription, self._named if named else self._public

    def _headers(self, message: Message, origin: str, ttl: int) -> dict[str, str]:
        content: PushContent = message.content
        if self._vapid is None:
            raise TemporaryFailure(f"{NAME}: has no private_key", pause=True)
        topic = {"Topic": _topic(content.collapse)} if content.collapse else {}
        return {
            "Authorization": self._vapid.header(origin, message.at),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(ttl),
            "Urgency": self._urgency,
            **topic,
        }


def _check_contact(contact: str) -> None:
    scheme, _, rest = contact.partition(":")
    try:
        if scheme == "mailto":
            parse_email(rest)
        elif not re.fullmatch(r"https://[!-~]+", contact):
            raise ValueError("write mailto:ops@example.org, or a page's https:// URL")
    except ValueError as error:
        raise ValueError(f"contact: {error}") from error


def _ttl(message: Message) -> int:
    """For how many seconds the push service may try: no longer than it is of use."""
    end = expires_at(message)
    return MOST_SECONDS if end is None else min(max(0, (end - message.at) // 1000), MOST_SECONDS)


def _payload(message: Message, ttl: int) -> bytes:
    content: PushContent = message.content
    if carries_data_only(content):
        raise PermanentFailure(
            f"{NAME}: browsers show something for every message: silent and live are for phones"
        )
    check_shown(NAME, content)
    payload = Payload(
        delivery=message.delivery,
        title=content.title,
        body=content.body,
        image=content.image,
        link=content.link,
        buttons=content.buttons,
        data=content.data,
        collapse=content.collapse,
        ttl=ttl,
    )
    data = encode_json(NAME, payload)
    if len(data) > MOST_BYTES:
        raise PermanentFailure(
            f"{NAME}: the content takes {len(data)} bytes, and push services carry {MOST_BYTES}:"
            " shorten it"
        )
    return data


def _topic(collapse: str) -> str:
    """At most 32 letters of base64url (RFC 8030 §5.4); what is no such text is hashed."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,32}", collapse):
        return collapse
    digest = sha256(collapse.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest)[:TOPIC_LETTERS].decode("ascii")


_GONE: Final = frozenset({404, 410})
_LATER: Final = frozenset({406, 408, 425, 429})
"""406 is how Microsoft's service says 429."""
_OUR_SIGNATURE: Final = {
    401: "the push service refused our signature: check private_key, contact and the clock",
    403: "the push service refused our key: check private_key and contact",
}
_REMEDIES: Final = {
    400: "the push service refused it: the browser may have subscribed for another key",
    413: "the push service says that it is too large: shorten the content",
}


def _judge(answer: Answer, key: str) -> Accepted:
    status = answer.status
    if 200 <= status < 300:
        return Accepted(provider_id=_receipt(answer) or key)
    if status in _GONE:
        raise PermanentFailure(f"{NAME}: the subscription is gone ({status})", address_dead=True)
    if status in _LATER or status >= 500:
        reason = f"{NAME}: the push service asks to try again later ({status})"
        raise TemporaryFailure(reason, retry_after(answer))
    remedy = _REMEDIES.get(status, "the push service gave an answer that RFC 8030 does not know")
    raise PermanentFailure(f"{NAME}: {remedy} ({status})")


def _receipt(answer: Answer) -> str:
    """What the push service calls the message; Microsoft's says it in a header of its own."""
    text = answer.headers.get("location") or answer.headers.get("x-wns-msg-id", "")
    return text if len(text) <= RECEIPT_LETTERS and text.isascii() and text.isprintable() else ""


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [WebPushVapid]
