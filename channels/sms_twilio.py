"""Text messages through Twilio (Programmable Messaging, 2010-04-01)."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1
from hmac import compare_digest, digest
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from yarl import URL

from angarium.channels._base_url import check_base_url, parse_base_url
from angarium.channels._http import Count, Seconds, http_of
from angarium.channels._twilio_answers import STATUSES, read_answer, read_code
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
from angarium.plugins.settings import Secret
from angarium.plugins.sms import is_opt_out

MOST_CHARACTERS = 1600
MOST_VALIDITY_SECONDS = 36_000


class SmsTwilioSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.sms_twilio]`. Lengths of time are in seconds."""

    account: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^AC[0-9a-fA-F]{32}$", extra={"form": "AC and 32 hexadecimal digits"}
        ),
    ]
    """The account's SID, AC…"""
    token: Secret
    """The account's auth token: it signs callbacks too."""
    api_key: str = ""
    """An API key's SID, SK…, to log in with instead of the account; needs `api_secret`."""
    api_secret: Secret = Secret()
    sender: str = msgspec.field(name="from", default="")
    """A number of yours in E.164, a short code or a name; or else `messaging_service`."""
    messaging_service: str = ""
    """The SID of a messaging service, MG…"""
    callback_url: str = ""
    """Where Twilio reports: <public_url>/callbacks/sms_twilio. Empty: it reports nothing."""
    url: str = "https://api.twilio.com"
    connections: Count = 32
    connect_seconds: Seconds = 10.0
    answer_seconds: Seconds = 30.0

    def __post_init__(self) -> None:
        if bool(self.sender) == bool(self.messaging_service):
            raise ValueError("set one of from and messaging_service")
        if bool(self.api_key) != bool(self.api_secret):
            raise ValueError("api_key and api_secret belong together")
        check_base_url("url", self.url)
        check_base_url("callback_url", self.callback_url or self.url)


class SmsTwilio(Provider):
    """One request for each message. Twilio takes no key of ours: without an answer, it is in doubt.

    But its reports give our key back, and so settle the doubt.
    """

    name: ClassVar[str] = "sms_twilio"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = SmsTwilioSettings

    def __init__(self, settings: SmsTwilioSettings) -> None:
        self._settings = settings
        self._url = f"{parse_base_url(settings.url)}/2010-04-01/Accounts/{settings.account}"
        self._http = http_of(self.name, settings)

    async def send(self, message: Message) -> Accepted:
        content: SmsContent = message.content
        if len(content.text) > MOST_CHARACTERS:
            raise PermanentFailure(f"sms_twilio: longer than {MOST_CHARACTERS} characters")
        body = urlencode(dict(self._form(message)), errors="replace").encode()
        headers = {
            "Authorization": f"Basic {self._log_in()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = await self._http.post(f"{self._url}/Messages.json", body=body, headers=headers)
        return read_answer(answer)

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        form = _form_of(request.body)
        self._verify(request, form)
        fields = dict(form)
        id = fields.get("MessageSid") or fields.get("SmsSid", "")
        word = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        if word in ("received", "receiving"):
            return _read_answer_of_person(fields, id)
        if not id or not word:
            raise ValueError("sms_twilio: a callback without MessageSid and MessageStatus")
        if word not in STATUSES:
            return ()
        reason, dead = read_code(fields.get("ErrorCode", ""))
        return [
            StatusUpdate(
                status=STATUSES[word],
                provider_id=id,
                key=request.query.get("key", ""),
                id=f"{id}/{word}",
                reason=reason,
                address_dead=dead and word in ("undelivered", "failed"),
            )
        ]

    async def close(self) -> None:
        await self._http.close()

    def _form(self, message: Message) -> Iterator[tuple[str, str]]:
        settings = self._settings
        yield "To", message.address
        yield "Body", message.content.text
        if settings.sender:
            yield "From", settings.sender
        else:
            yield "MessagingServiceSid", settings.messaging_service
        if settings.callback_url:
            yield "StatusCallback", f"{settings.callback_url}?key={quote(message.key, safe='')}"
        if message.deadline and message.at:
            seconds = (message.deadline - message.at) // 1000
            yield "ValidityPeriod", str(max(1, min(seconds, MOST_VALIDITY_SECONDS)))

    def _log_in(self) -> str:
        settings = self._settings
        user = settings.api_key or settings.account
        password = settings.api_secret if settings.api_key else settings.token
        return b64encode(f"{user}:{password.reveal()}".encode()).decode("ascii")

    def _verify(self, request: CallbackRequest, form: Sequence[tuple[str, str]]) -> None:
        """Twilio's signature: of the address as it was called, and the form's fields in order."""
        try:
            given = b64decode(request.headers.get("x-twilio-signature", ""), validate=True)
        except (NotBase64, ValueError):
            given = b""
        fields = "".join(name + value for name, value in sorted(set(form)))
        token = self._settings.token.reveal().encode()
        wanted = [digest(token, (url + fields).encode(), sha1) for url in _spellings(request.url)]
        if not any([compare_digest(given, one) for one in wanted]):
            raise PermissionError("sms_twilio: the signature is not Twilio's")


def _read_answer_of_person(fields: Mapping[str, str], id: str) -> Sequence[StatusUpdate]:
    """`OptOutType` is what Twilio itself made of the text, where it looks for such words."""
    stopped = fields.get("OptOutType", "").upper() == "STOP"
    if not fields.get("From") or not (stopped or is_opt_out(fields.get("Body", ""))):
        return ()
    return [StatusUpdate(status="unsubscribed", address=fields["From"], id=id)]


def _spellings(url: str) -> Iterator[str]:
    """The address with and without its port: Twilio signs either."""
    yield url
    parsed = URL(url)
    if parsed.explicit_port is None:
        head, mark, tail = url.partition(parsed.raw_authority)
        yield f"{head}{mark}:{parsed.port}{tail}"
    else:
        yield url.replace(f":{parsed.explicit_port}", "", 1)


def _form_of(body: bytes) -> Sequence[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("sms_twilio: the callback is not UTF-8") from error


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [SmsTwilio]
