"""The loop inside a plugin's process: orders in, what the plugin answers out."""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NoReturn

import msgspec

from angarium.gateway.isolation.wire import (
    Begun,
    Call,
    Cancel,
    Done,
    Failed,
    Frames,
    Heard,
    Kind,
    Noted,
    Ping,
    Pong,
    Ready,
    Said,
    decode_order,
    decode_said,
    encode,
    frame,
)
from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.failures import InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins.message import Accepted, Message
from angarium.plugins.provider import Listening, Provider
from angarium.plugins.reports import Report

QUIT: Final = 70
"""Exit status: the plugin called exit()."""
OUT_OF_MEMORY: Final = 71
REASON_LENGTH: Final = 300
"""Characters of a reason, or of a message's id, that are told."""

Listener = Callable[[Report], Awaitable[None]]


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """A `Message` on its way, its content as it is packed."""

    key: str
    address: str
    content: msgspec.Raw
    deadline: int
    at: int
    test: bool
    delivery: str
    unsubscribe_url: str


class _Wrong(Exception):
    """The plugin answered something that the contract does not know."""


def end(status: int) -> NoReturn:
    """End this process at once: nothing that a plugin registered may hold it up."""
    sys.stderr.flush()
    os._exit(status)


def end_all() -> NoReturn:
    """End this process and what the plugin has started: together they are a session of our own."""
    sys.stderr.flush()
    os.killpg(0, signal.SIGKILL)
    os._exit(0)


def pack(message: Message) -> bytes:
    """A message as `Server` reads it. Raises TypeError, ValueError for content of odd types."""
    return encode(
        Packed(
            message.key,
            message.address,
            msgspec.Raw(encode(message.content)),
            message.deadline,
            message.at,
            message.test,
            message.delivery,
            message.unsubscribe_url,
        )
    )


class Server:
    """Serves one plugin: one of its providers, or its report listeners."""

    def __init__(
        self,
        plugin: str,
        provider: Provider | None,
        content: type[msgspec.Struct] | None,
        listeners: Mapping[str, Listener],
        answers: int,
    ) -> None:
        """`plugin`: its entry point's value. `content`: of messages. `answers`: a file to write."""
        self._root = plugin.partition(":")[0].partition(".")[0]
        self._provider = provider
        self._content = msgspec.msgpack.Decoder(content) if content is not None else None
        self._listeners = listeners
        self._answers = answers
        self._running: dict[int, asyncio.Task[None]] = {}
        self._heard: dict[int, asyncio.Future[bool]] = {}
        self._heard_count = 0
        self._packed = msgspec.msgpack.Decoder(Packed)
        self._requests = msgspec.msgpack.Decoder(CallbackRequest)
        self._reports = msgspec.json.Decoder(Report)

    async def run(self, orders: int) -> NoReturn:
        """Until there will be no more orders; then the process ends, whatever still runs."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_handle)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(orders, "rb", 0)
        )
        self._say(Ready())
        frames = Frames()
        while data := await reader.read(65536):
            for body in frames.cut(data):
                self._obey(body)
        end_all()

    def _obey(self, body: bytes) -> None:
        match decode_order(body):
            case Ping(number):
                self._say(Pong(number))
            case Call() as call:
                task = asyncio.get_running_loop().create_task(self._answer(call))
                self._running[call.id] = task
                task.add_done_callback(lambda _: self._ended(call, task))
            case Cancel(id):
                if id in self._running:
                    self._running[id].cancel()
            case Noted(number, kept):
                self._heard.pop(number).set_result(kept)
            case _:
                raise TypeError("there is only one first frame")

    def _ended(self, call: Call, task: asyncio.Task[None]) -> None:
        del self._running[call.id]
        if task.cancelled():
            self._say(Failed(call.id, "cancelled"))

    async def _answer(self, call: Call) -> None:
        try:
            said: Said = Done(call.id, await self._do(call))
        except MemoryError:
            end(OUT_OF_MEMORY)
        except (SystemExit, KeyboardInterrupt):
            end(QUIT)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and self._running[call.id].cancelling():
                raise
            said = self._raised(call, error)
        self._say(said)

    def _raised(self, call: Call, error: BaseException) -> Failed:
        try:
            said = _outcome(call, error)
            if said is not None:
                decode_said(encode(said))
                return said
        except Exception:
            kind = type(error).__name__
            return _failed(call, "wrong", f"raised a {kind} with fields of the wrong kind")
        where = _where(error, self._root)
        return _failed(call, "raised", type(error).__name__, where=where)

    async def _do(self, call: Call) -> bytes:
        if call.verb == "report":
            await self._listeners[call.name](self._reports.decode(call.body))
            return b""
        assert self._provider is not None, "this process serves listeners"
        match call.verb:
            case "open":
                await self._provider.open()
            case "send":
                return await self._send(self._provider, call)
            case "listen":
                assert isinstance(self._provider, Listening), "it said that it listens"
                await self._provider.listen(lambda update: self._hear(call.id, update))
            case "callback":
                return _updates(self._provider.parse_callback(self._requests.decode(call.body)))
            case "close":
                await self._provider.close()
        return b""

    async def _send(self, provider: Provider, call: Call) -> bytes:
        assert self._content is not None, "whoever sends knows what messages hold"
        packed = self._packed.decode(call.body)
        message = Message(
            key=packed.key,
            address=packed.address,
            content=self._content.decode(packed.content),
            deadline=packed.deadline,
            at=packed.at,
            test=packed.test,
            delivery=packed.delivery,
            unsubscribe_url=packed.unsubscribe_url,
        )
        self._say(Begun(call.id))
        accepted: Any = await provider.send(message)
        if not isinstance(accepted, Accepted):
            raise _Wrong("did not answer with Accepted")
        return str(accepted.provider_id)[:REASON_LENGTH].encode("utf-8", "replace")

    async def _hear(self, id: int, update: StatusUpdate) -> None:
        """What the provider calls with each update; returns when that is kept, or raises."""
        [checked] = msgspec.convert([update], list[StatusUpdate], from_attributes=True)
        self._heard_count += 1
        number = self._heard_count
        answer = self._heard[number] = asyncio.get_running_loop().create_future()
        self._say(Heard(id, number, encode(checked)))
        if not await asyncio.shield(answer):
            raise RuntimeError("the update could not be kept")

    def _say(self, said: Said) -> None:
        """Written when it returns: what was said before the process died was said."""
        data = memoryview(frame(said))
        while data:
            data = data[os.write(self._answers, data) :]


def _updates(updates: Any) -> bytes:
    try:
        checked = msgspec.convert(list(updates), list[StatusUpdate], from_attributes=True)
    except (TypeError, ValueError):
        raise _Wrong("parse_callback did not answer with status updates") from None
    return encode(checked)


def _outcome(call: Call, error: BaseException) -> Failed | None:
    """What was raised, if the contract knows it."""
    kind: Kind
    reason: object = error
    more: dict[str, Any] = {}
    match error:
        case TemporaryFailure():
            kind, reason = "temporary", error.reason
            more = {"retry_after": error.retry_after, "pause": bool(error.pause)}
        case PermanentFailure():
            kind, reason = "permanent", error.reason
            more = {"address_dead": bool(error.address_dead), "dead_since": error.dead_since}
        case InDoubt():
            kind, reason = "in_doubt", error.reason
        case _Wrong():
            kind = "wrong"
        case PermissionError() if call.verb in ("open", "callback"):
            kind = "forged"
        case ValueError() if call.verb in ("open", "callback"):
            kind = "invalid"
        case _:
            return None
    return _failed(call, kind, reason, **more)


def _failed(call: Call, kind: Kind, reason: object, **more: Any) -> Failed:
    text = str(reason)[:REASON_LENGTH].encode("utf-8", "replace").decode()
    return Failed(call.id, kind, text, **more)


def _where(error: BaseException, root: str) -> str:
    """The last line of the plugin's own that an exception passed; no values stand in it."""
    passed = [
        (step.f_globals.get("__name__", ""), step.f_code.co_filename, line, step.f_code.co_name)
        for step, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [one for one in passed if str(one[0]).partition(".")[0] == root]
    for _, file, line, name in (own or passed)[-1:]:
        return f"{os.path.basename(file)}:{line} in {name}"
    return ""


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if isinstance(context.get("exception"), MemoryError):
        end(OUT_OF_MEMORY)
    loop.default_exception_handler(context)
