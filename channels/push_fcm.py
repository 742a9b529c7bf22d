"""Notifications to phones through Firebase Cloud Messaging, HTTP v1: Android, and iOS as well."""

import re
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from angarium.channels._base_url import check_base_url, parse_base_url
from angarium.channels._belief import Belief
from angarium.channels._fcm_account import Account, parse_account
from angarium.channels._fcm_answers import read_failure, read_mismatch, read_name, refuses_token
from angarium.channels._fcm_payload import Style, compose
from angarium.channels._fcm_token import TokenSource
from angarium.channels._http import Answer, Count, Seconds, http_of
from angarium.plugins import Accepted, Message, PermanentFailure, Provider, hookimpl
from angarium.plugins.settings import Secret

_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)
_PROJECT = re.compile(r"[a-z0-9:.-]{1,64}")


class PushFcmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.push_fcm]`. Lengths of time are in seconds."""

    service_account_file: str = ""
    """The JSON file of a service account that may send; or its content in `service_account`."""
    service_account: Secret = Secret()
    """The JSON itself, where files are no good: as ANGARIUM_CHANNELS_PUSH_FCM_SERVICE_ACCOUNT."""
    project: str = ""
    """The Firebase project's id; by default the service account's own."""
    android: Literal["notification", "data"] = "notification"
    """Who draws: Android by itself (no buttons, no report that it was shown), or your app, which
    then finds title, body and image in the data."""
    android_channel: str = ""
    """The notification channel of your app to show messages under."""
    url: str = "https://fcm.googleapis.com"
    connections: Count = 32
    connect_seconds: Seconds = 10.0
    answer_seconds: Seconds = 30.0

    def __post_init__(self) -> None:
        if bool(self.service_account_file) == bool(self.service_account):
            raise ValueError("set one of service_account_file and service_account")
        if self.project and not _PROJECT.fullmatch(self.project):
            raise ValueError("project: must be a project's id, as my-shop-1234")
        check_base_url("url", self.url)


class PushFcm(Provider):
    """Sends each message in a request of its own: FCM has no other way any more."""

    name: ClassVar[str] = "push_fcm"
    channel: ClassVar[str] = "push"
    platforms: ClassVar[tuple[str, ...]] = ("android", "ios")
    """The types of device whose tokens it takes."""
    Settings: ClassVar[type] = PushFcmSettings

    def __init__(self, settings: PushFcmSettings) -> None:
        self._settings = settings
        self._style = Style(settings.android == "data", settings.android_channel)
        self._http = http_of(self.name, settings)
        self._belief = Belief()
        self._tokens: TokenSource | None = None
        self._url = ""
        if settings.service_account:
            self._use(_named("service_account", settings.service_account.reveal()))

    async def open(self) -> None:
        if self._settings.service_account_file:
            try:
                self._use(_read_file(self._settings.service_account_file))
            except ValueError as error:
                raise ValueError(f"channels.push_fcm.{error}") from error

    async def send(self, message: Message) -> Accepted:
        if not _TOKEN.fullmatch(message.address):
            raise PermanentFailure("push_fcm: this is no registration token", address_dead=True)
        if self._tokens is None:
            raise RuntimeError("open() comes before the first message")
        body = compose(message, self._style)
        token = await self._tokens.token(message.at)
        answer = await self._post(body, token)
        if answer.status == 200:
            self._belief.confirm()
            return Accepted(provider_id=read_name(answer))
        mismatch = read_mismatch(answer)
        if mismatch is not None and not self._belief.doubt():
            raise mismatch
        if refuses_token(answer):
            self._tokens.forget(token)
        raise read_failure(answer)

    async def close(self) -> None:
        if self._tokens is not None:
            await self._tokens.close()
        await self._http.close()

    async def _post(self, body: bytes, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return await self._http.post(self._url, body=body, headers=headers)

    def _use(self, account: Account) -> None:
        project = self._settings.project or account.project
        if not _PROJECT.fullmatch(project):
            raise ValueError("project: the service account names none; set it")
        self._url = f"{parse_base_url(self._settings.url)}/v1/projects/{project}/messages:send"
        self._tokens = TokenSource(account, self._http)


def _read_file(path: str) -> Account:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"service_account_file: cannot be read ({error.strerror})") from error
    return _named("service_account_file", data)


def _named(setting: str, text: str | bytes) -> Account:
    try:
        return parse_account(text)
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from None


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [PushFcm]
