"""Text messages through any gateway that takes an HTTP request for each: described by settings."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from hmac import compare_digest
from typing import Annotated, ClassVar, Literal

import msgspec

from angarium.channels._gateway_answers import (
    Outcome,
    Told,
    decode,
    failure_of,
    find,
    outcome_of,
    read_callback,
)
from angarium.channels._guard import allowed_by, check_url
from angarium.channels._http import Answer, Count, Seconds, http_of
from angarium.channels._phone_numbers import Style, read_number, write_number
from angarium.channels._text_template import (
    NAMES,
    Form,
    check_body,
    check_template,
    escape_for,
    escape_header,
    escape_url,
    fill,
)
from angarium.plugins import (
    Accepted,
    CallbackRequest,
    Message,
    PermanentFailure,
    Provider,
    SmsContent,
    StatusUpdate,
    hookimpl,
)
from angarium.plugins.callback import Status
from angarium.plugins.settings import Secret
from angarium.plugins.sms import is_opt_out, split_sms

_CONTENT_TYPES: dict[Form, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}

Pointer = Annotated[
    str, msgspec.Meta(pattern=r"^(/.*)?$", extra={"form": "a JSON pointer, as /data/id"})
]
HttpStatus = Annotated[str, msgspec.Meta(pattern=r"^([2-5]xx|[1-5]\d\d)$")]


class SmsHttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.sms_http]`. Lengths of time are in seconds.

    `url`, `body` and the values of `headers` hold `{to}`, `{text}`, `{key}` (the same for each
    attempt at a message) and `{from}`; each is escaped for its place.
    """

    url: Secret
    """Secret, since some gateways want their key in it."""
    method: Literal["POST", "GET"] = "POST"
    format: Form = "json"
    """Of `body`: it says the Content-Type, and how values are escaped."""
    body: Secret = Secret()
    headers: Mapping[str, Secret] = {}
    sender: str = msgspec.field(name="from", default="")
    number: Style = "plus"
    """How `{to}` is written: plus (+98912…), digits (98912…), zeros (0098912…), national (0912…,
    within `country`)."""
    country: Annotated[
        str, msgspec.Meta(pattern=r"^[1-9]\d{0,2}$", extra={"form": "a calling code, as 98"})
    ] = "98"
    most_parts: Count = 20
    allow_private: bool = False
    """Whether `url` may lead into networks of one's own, and be plain http."""

    answer_id: Pointer = ""
    """JSON pointer to the gateway's id of the message; without it, callbacks must bring the key."""
    answer_word: Pointer = ""
    """JSON pointer to the gateway's own word for what became of the message."""
    words: Mapping[str, Outcome] = {}
    """What each such word means; a yes with another word is in doubt."""
    statuses: Mapping[HttpStatus, Outcome] = {}
    """What an HTTP status ("503", "4xx") means, where that is not the usual."""

    callback_secret: Secret = Secret()
    """What callbacks must bring; without it none is taken."""
    callback_secret_in: str = "secret"
    """The field of the callback's address, or its header, that brings it."""
    callback_id: str = ""
    """Where the gateway's id stands: a field's name, or a JSON pointer. So for the others."""
    callback_key: str = ""
    callback_word: str = ""
    callback_words: Mapping[str, Status] = {}
    """What each word of `callback_word` means; others mean nothing here."""
    callback_from: str = ""
    """Of a text that comes in: who wrote it."""
    callback_text: str = ""

    connections: Count = 32
    connect_seconds: Seconds = 10.0
    answer_seconds: Seconds = 30.0

    def __post_init__(self) -> None:
        with _named("url"):
            self._check_url()
        for name, value in self.headers.items():
            with _named(f"headers.{name}"):
                check_template(value.reveal())
        if self.method == "POST":
            with _named("body"):
                check_body(self.body.reveal(), self.format)

    def _check_url(self) -> None:
        url = self.url.reveal()
        if self.method == "GET":
            check_body(url, "form")
        check_template(url)
        if "{" in url.partition("?")[0]:
            raise ValueError("{…} may stand after the question mark only")
        empty = fill(url, dict.fromkeys(NAMES, ""), escape_url)
        try:
            check_url(empty, allowed_by(self.allow_private), ports=None)
        except ValueError as error:
            remedy = "" if self.allow_private else " (allow_private opens your own network)"
            raise ValueError(f"{error}{remedy}") from None


class SmsHttp(Provider):
    """One request for each message."""

    name: ClassVar[str] = "sms_http"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = SmsHttpSettings

    def __init__(self, settings: SmsHttpSettings) -> None:
        self._settings = settings
        self._http = http_of(self.name, settings, allowed=allowed_by(settings.allow_private))

    async def send(self, message: Message) -> Accepted:
        settings = self._settings
        content: SmsContent = message.content
        if len(split_sms(content.text).texts) > settings.most_parts:
            raise PermanentFailure(f"sms_http: longer than {settings.most_parts} parts")
        answer = await self._ask(
            {
                "to": write_number(message.address, settings.number, settings.country),
                "text": content.text,
                "key": message.key,
                "from": settings.sender,
            }
        )
        value = decode(answer.body)
        word = find(value, settings.answer_word) if settings.answer_word else ""
        outcome = outcome_of(answer, settings.statuses, settings.words, word)
        if outcome != "accepted":
            # A word that the settings do not name may be anything, an address too.
            raise failure_of(outcome, answer, word if word in settings.words else "")
        id = find(value, settings.answer_id) if settings.answer_id else ""
        return Accepted(provider_id=id or message.key)

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        self._verify(request)
        updates = (self._read(told, request.at) for told in read_callback(request))
        return [update for update in updates if update is not None]

    async def close(self) -> None:
        await self._http.close()

    async def _ask(self, values: Mapping[str, str]) -> Answer:
        settings = self._settings
        url = fill(settings.url.reveal(), values, escape_url)
        headers = {
            name: fill(value.reveal(), values, escape_header)
            for name, value in settings.headers.items()
        }
        if settings.method == "GET":
            return await self._http.get(url, headers=headers)
        body = fill(settings.body.reveal(), values, escape_for(settings.format)).encode()
        headers = {"Content-Type": _CONTENT_TYPES[settings.format], **headers}
        return await self._http.post(url, body=body, headers=headers)

    def _verify(self, request: CallbackRequest) -> None:
        wanted = self._settings.callback_secret.reveal()
        where = self._settings.callback_secret_in
        given = request.query.get(where) or request.headers.get(where.lower(), "")
        if not wanted or not compare_digest(given.encode(), wanted.encode()):
            raise PermissionError("sms_http: the callback does not hold callback_secret")

    def _read(self, told: Told, at: int) -> StatusUpdate | None:
        settings = self._settings
        id, key = told.get(settings.callback_id), told.get(settings.callback_key)
        if text := told.get(settings.callback_text):
            address = read_number(told.get(settings.callback_from), settings.country)
            if not address or not is_opt_out(text):
                return None
            same = f"answer/{id or f'{address}/{at}'}"
            return StatusUpdate(status="unsubscribed", address=address, id=same)
        word = told.get(settings.callback_word)
        status = settings.callback_words.get(word)
        if status is None:
            return None
        if not id and not key:
            raise ValueError("sms_http: a callback without callback_id and callback_key")
        reason = "" if status in _GOOD else f"sms_http: {word}"
        return StatusUpdate(
            status=status, provider_id=id, key=key, id=f"{id or key}/{word}", reason=reason
        )


_GOOD = frozenset({"accepted", "delivered"})


@contextmanager
def _named(setting: str) -> Generator[None, None, None]:
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(f"{setting}: {error}") from error


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [SmsHttp]
