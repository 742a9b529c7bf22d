"""A new channel, `chat`, and a provider on it: the bot interface of the messenger Bale."""

from typing import Annotated, Any, ClassVar

import aiohttp
import msgspec

from angarium.plugins import (
    Accepted,
    Channel,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.settings import Secret

MAX_LETTERS = 4096


class ChatContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`content.chat` of a campaign."""

    text: str


def parse_chat_id(text: str) -> str:
    if not text.isascii() or not text.lstrip("-").isdigit():
        raise ValueError(
            "a chat id is a whole number, as the bot is told when a person writes to it"
        )
    return str(int(text))


CHAT = Channel(
    name="chat",
    consent_attribute="chat_opt_in",
    consent_default="unset",
    address_attribute="chat_id",
    address_kind="chat_id",
    content=ChatContent,
    parse_address=parse_chat_id,
)


class ChatBaleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.chat_bale]`."""

    token: Secret
    url: str = "https://tapi.bale.ai"
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 20.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("url: must begin with https://, for the token is a part of it")


class ChatBale(Provider):
    """One POST a message; the answer says what became of it."""

    name: ClassVar[str] = "chat_bale"
    channel: ClassVar[str] = "chat"
    Settings: ClassVar[type] = ChatBaleSettings

    def __init__(self, settings: ChatBaleSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        limit = aiohttp.ClientTimeout(total=self._settings.seconds, sock_connect=5.0)
        self._session = aiohttp.ClientSession(timeout=limit)

    async def send(self, message: Message) -> Accepted:
        if self._session is None:
            raise TemporaryFailure("chat_bale: is not open")
        content: ChatContent = message.content
        if len(content.text) > MAX_LETTERS:
            raise PermanentFailure(f"chat_bale: the text has more than {MAX_LETTERS} letters")
        url = f"{self._settings.url}/bot{self._settings.token.reveal()}/sendMessage"
        body = {"chat_id": message.address, "text": content.text}
        try:
            async with self._session.post(url, json=body, allow_redirects=False) as response:
                return _read_answer(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            # `from None`, here and below: these errors hold the URL, and that holds the token.
            raise TemporaryFailure("chat_bale: unable to connect", 10, pause=True) from None
        except (aiohttp.ClientError, TimeoutError):
            raise InDoubt("chat_bale: sent, and no answer came") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _read_answer(status: int, body: bytes) -> Accepted:
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except ValueError:
        raise InDoubt(f"chat_bale: an answer that cannot be read ({status})") from None
    match status:
        case 200 if "result" in answer:
            return Accepted(provider_id=str(answer["result"]["message_id"]))
        case 429:
            wait = answer.get("parameters", {}).get("retry_after", 30)
            raise TemporaryFailure("chat_bale: too many messages", wait, pause=True)
        case 401 | 404:
            raise TemporaryFailure("chat_bale: check token and url", 300, pause=True)
        case 403:
            raise PermanentFailure("chat_bale: the person has left the bot", address_dead=True)
        case 400 | 413:
            raise PermanentFailure(f"chat_bale: refused ({status})")
        case _:
            raise InDoubt(f"chat_bale: the answer was {status}")


@hookimpl
def register_channels() -> list[Channel]:
    return [CHAT]


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [ChatBale]
