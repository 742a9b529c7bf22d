"""Text messages through Kavenegar (REST, kavenegar.com/rest.html).

Kavenegar takes a number of ours with each message and never sends the same number twice, so what
became of a request without an answer can be asked, and a repetition makes no second message.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from angarium.channels._base_url import check_base_url, parse_base_url
from angarium.channels._http import Answer, Count, Seconds, http_of
from angarium.channels._kavenegar_answers import read_found, read_sent, read_status
from angarium.channels._phone_numbers import read_number, write_number
from angarium.plugins import (
    Accepted,
    CallbackRequest,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    SmsContent,
    StatusUpdate,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.settings import Secret
from angarium.plugins.sms import is_opt_out

MOST_CHARACTERS = 900
COUNTRY = "98"

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class SmsKavenegarSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.sms_kavenegar]`. Lengths of time are in seconds."""

    api_key: Secret
    sender: str = ""
    """The line to send from; by default the account's own."""
    callback_secret: Secret = Secret()
    """Kavenegar signs nothing: end the address of its callbacks in `?secret=` and this. Without
    it none is taken."""
    url: str = "https://api.kavenegar.com"
    connections: Count = 32
    connect_seconds: Seconds = 10.0
    answer_seconds: Seconds = 30.0

    def __post_init__(self) -> None:
        if not self.api_key:
            raise ValueError("api_key: must not be empty")
        check_base_url("url", self.url)


class SmsKavenegar(Provider):
    """One request for each message; one more, to ask, when no answer came."""

    name: ClassVar[str] = "sms_kavenegar"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = SmsKavenegarSettings

    def __init__(self, settings: SmsKavenegarSettings) -> None:
        self._settings = settings
        self._http = http_of(self.name, settings)

    async def send(self, message: Message) -> Accepted:
        content: SmsContent = message.content
        if len(content.text) > MOST_CHARACTERS:
            raise PermanentFailure(f"sms_kavenegar: longer than {MOST_CHARACTERS} characters")
        local_id = make_local_id(message.key)
        form = {
            "receptor": write_number(message.address, "national", COUNTRY),
            "message": content.text,
            "localid": local_id,
        }
        if self._settings.sender:
            form["sender"] = self._settings.sender
        try:
            return read_sent(await self._post("send", form))
        except InDoubt:
            found = await self._find(local_id)
            if found is None:
                raise
            return found

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        fields = _fields(request)
        self._verify(fields)
        id = fields.get("messageid", "")
        if "status" in fields:
            return read_status(id, fields["status"])
        if is_opt_out(fields.get("message", "")):
            address = read_number(fields.get("from", ""), COUNTRY)
            same = f"answer/{id or request.at}"
            return [StatusUpdate(status="unsubscribed", address=address, id=same)]
        return ()

    async def close(self) -> None:
        await self._http.close()

    async def _find(self, local_id: str) -> Accepted | None:
        """What became of a message in doubt; None: it may still be on its way."""
        try:
            return read_found(await self._post("statuslocalmessageid", {"localid": local_id}))
        except (TemporaryFailure, InDoubt):
            return None

    async def _post(self, method: str, form: Mapping[str, str]) -> Answer:
        key = quote(self._settings.api_key.reveal(), safe="")
        url = f"{parse_base_url(self._settings.url)}/v1/{key}/sms/{method}.json"
        return await self._http.post(
            url, body=urlencode(form, errors="replace").encode(), headers=_FORM
        )

    def _verify(self, fields: Mapping[str, str]) -> None:
        wanted = self._settings.callback_secret.reveal()
        given = fields.get("secret", "")
        if not wanted or not compare_digest(given.encode(), wanted.encode()):
            raise PermissionError("sms_kavenegar: the callback does not hold callback_secret")


def make_local_id(key: str) -> str:
    """Kavenegar's `localid` of a message: positive, 63 bits, the same for each attempt."""
    digest = blake2b(key.encode(), digest_size=8).digest()
    return str(int.from_bytes(digest, "big") >> 1)


def _fields(request: CallbackRequest) -> Mapping[str, str]:
    """The form in the body, and what stands in the address."""
    try:
        body = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("sms_kavenegar: the callback is not UTF-8") from error
    return {**dict(parse_qsl(body)), **request.query}


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [SmsKavenegar]
