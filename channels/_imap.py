"""A folder on an IMAP server (RFC 3501), by the standard library's client in a worker thread.

Each visit has a connection of its own. Every step has a time limit, after which the connection is
cut; no answer of the server is taken that is larger than what was asked for.
"""

import asyncio
import imaplib
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar

from angarium.channels._mailbox import MOST_BYTES, Standing, Verdict
from angarium.channels._mailbox_settings import MailboxSettings, create_context
from angarium.plugins import TemporaryFailure

T = TypeVar("T")

WINDOW: Final = 5000
"""Mails that one SEARCH is about, so that its answer is a line that can be read."""

_SLACK: Final = 64 * 1024
_CODE: Final = re.compile(r"\[([A-Z][A-Z-]{1,30})[\] ]")
_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")
_BODY: Final = re.compile(rb"BODY\[\](?:<\d+>)? \{\d+\}$")
_LOG_IN: Final = "log in (bounces_user, bounces_password)"
_OPEN: Final = "open the folder (bounces_folder)"


class ImapBox:
    """Logs in for every visit, and out at its end."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def open(self, *, to_look: bool = False) -> AsyncGenerator["ImapFolder"]:
        """Raises TemporaryFailure."""
        line = _Line(await _connected(self._settings), self._settings.command_seconds)
        try:
            await line.run(_LOG_IN, lambda client: _log_in(client, self._settings))
            name = _quoted(self._settings.folder)
            total = await line.run(_OPEN, lambda client: _select(client, name, to_look))
            yield ImapFolder(line, self._settings, *total)
            with suppress(TemporaryFailure):
                await line.run("log out", lambda client: client.logout())
        finally:
            await line.close()


class ImapFolder:
    """The selected folder; ids are `<UIDVALIDITY>/<UID>`, so that none outlives its meaning."""

    def __init__(self, line: "_Line", settings: MailboxSettings, total: int, epoch: str) -> None:
        self._line = line
        self._settings = settings
        self._total = total
        self._epoch = epoch

    async def find(self, most: int) -> Sequence[str]:
        unread = ["UNSEEN"] if self._settings.after == "seen" else []
        uids = await self._search(["UNFLAGGED", "UNDELETED", *unread], most)
        return [f"{self._epoch}/{uid}" for uid in uids]

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        what = f"(UID BODY.PEEK[]<0.{MOST_BYTES}>)"
        status, data = await self._line.run(
            "read", lambda client: client.uid("FETCH", _uids(ids), what)
        )
        if status != "OK" and len(ids) > 1:
            # One that is gone since, or broken, makes some servers refuse them all.
            alone = [await self.fetch([id]) for id in ids]
            return {id: raw for one in alone for id, raw in one.items()}
        wanted = set(ids)
        mails = {f"{self._epoch}/{uid}": raw for uid, raw in _bodies(data)}
        return {id: raw[:MOST_BYTES] for id, raw in mails.items() if id in wanted}

    async def mark(self, ids: Collection[str], verdict: Verdict) -> None:
        uids = _uids(ids)
        if verdict == "left":
            await self._line.run("flag", lambda client: _store(client, uids, r"(\Flagged)"))
            return
        match self._settings.after:
            case "seen":
                await self._line.run("mark", lambda client: _store(client, uids, r"(\Seen)"))
            case "delete":
                await self._line.run("delete", lambda client: _delete(client, uids))
            case "move":
                target = _quoted(self._settings.move_to)
                step = "move (bounces_move_to)"
                await self._line.run(step, lambda client: _move(client, uids, target))

    async def count(self) -> Standing:
        left = await self._search(["FLAGGED", "UNDELETED"], self._total)
        waiting = await self.find(self._total)
        return Standing(self._total, len(waiting), len(left))

    async def _search(self, criteria: Sequence[str], most: int) -> list[str]:
        found: list[str] = []
        for first in range(1, self._total + 1, WINDOW):
            last = first + WINDOW - 1
            window = f"{first}:{last if last < self._total else '*'}"
            search = partial(_search, window=window, criteria=criteria)
            data = await self._line.run("search", search)
            found += [uid.decode() for part in data if part for uid in part.split()]
            if len(found) >= most:
                break
        return found[:most]


class _Plain(imaplib.IMAP4):
    def read(self, size: int) -> bytes:
        return super().read(_bearable(size))


class _Tls(imaplib.IMAP4_SSL):
    def read(self, size: int) -> bytes:
        return super().read(_bearable(size))


class _Line:
    """A connection, and the thread that waits at it; one step at a time."""

    def __init__(self, client: imaplib.IMAP4, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._working: asyncio.Future[Any] | None = None

    async def run(self, step: str, work: Callable[[imaplib.IMAP4], T]) -> T:
        """Raises TemporaryFailure, which names the step and repeats no word of the server."""
        working = asyncio.ensure_future(asyncio.to_thread(work, self._client))
        self._working = working
        return await _within(self._seconds, step, working)

    async def close(self) -> None:
        """Cut it, which ends the thread that still waits at it."""
        working = self._working
        if working is not None and not working.done():
            with suppress(OSError):
                self._client.socket().shutdown(socket.SHUT_RDWR)
            working.add_done_callback(lambda _: _drop(self._client))
        else:
            _drop(self._client)


async def _connected(settings: MailboxSettings) -> imaplib.IMAP4:
    context = create_context(settings)
    connecting = asyncio.ensure_future(asyncio.to_thread(_connect, settings, context))
    try:
        # Each of several addresses is tried for so long, and then TLS and a greeting follow.
        return await _within(settings.connect_seconds * 4, "connect", connecting)
    except BaseException:
        connecting.add_done_callback(_drop_late)
        raise


async def _within(seconds: float, step: str, working: asyncio.Future[T]) -> T:
    working.add_done_callback(_look_at)
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(working)
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise TemporaryFailure(f"email_smtp: the mailbox: {step}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case ssl.SSLCertVerificationError():
            return f"the certificate is not genuine: {error.verify_message}"
        case imaplib.IMAP4.readonly():
            return "it can only be read"
        case imaplib.IMAP4.error():
            code = _CODE.search(str(error))
            lost = isinstance(error, imaplib.IMAP4.abort)
            what = "the connection was lost" if lost else "refused"
            return f"{what} [{code[1]}]" if code else what
        case OSError():
            return error.strerror or type(error).__name__
        case _:
            return type(error).__name__


def _look_at(working: asyncio.Future[Any]) -> None:
    """What became of a step that nobody waits for any more is nobody's news."""
    if not working.cancelled():
        working.exception()


def _drop(client: imaplib.IMAP4) -> None:
    with suppress(OSError, ValueError):
        client.shutdown()


def _drop_late(connecting: asyncio.Future[imaplib.IMAP4]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        _drop(connecting.result())


def _connect(settings: MailboxSettings, context: ssl.SSLContext | None) -> imaplib.IMAP4:
    seconds = settings.connect_seconds
    if settings.tls == "tls":
        return _Tls(settings.host, settings.port, ssl_context=context, timeout=seconds)
    client = _Plain(settings.host, settings.port, timeout=seconds)
    try:
        if settings.tls == "starttls":
            client.starttls(context)
    except BaseException:
        _drop(client)
        raise
    return client


def _log_in(client: imaplib.IMAP4, settings: MailboxSettings) -> None:
    client.socket().settimeout(settings.command_seconds)
    user, password = settings.user, settings.password.reveal()
    if "AUTH=PLAIN" in client.capabilities:
        # Unlike LOGIN it takes any letters (RFC 4616).
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    else:
        client.login(_quoted(user), password)
    # A server may tell more to those who have logged in.
    told = _ok(client.capability())[-1]
    client.capabilities = tuple(told.decode("ascii", "replace").upper().split())


def _select(client: imaplib.IMAP4, name: str, readonly: bool) -> tuple[int, str]:
    [total] = _ok(client.select(name, readonly))
    _, [epoch] = client.response("UIDVALIDITY")
    return int(total or 0), epoch.decode() if epoch else ""


def _search(client: imaplib.IMAP4, window: str, criteria: Sequence[str]) -> list[Any]:
    return _ok(client.uid("SEARCH", window, *criteria))


def _store(client: imaplib.IMAP4, uids: str, flags: str) -> None:
    _ok(client.uid("STORE", uids, "+FLAGS.SILENT", flags))


def _delete(client: imaplib.IMAP4, uids: str) -> None:
    """Without UIDPLUS (RFC 4315) it stays, marked: EXPUNGE would take what others marked too."""
    _store(client, uids, r"(\Deleted)")
    if "UIDPLUS" in client.capabilities:
        _ok(client.uid("EXPUNGE", uids))


def _move(client: imaplib.IMAP4, uids: str, target: str) -> None:
    status, data = _try_to_move(client, uids, target)
    if status == "NO" and "[TRYCREATE]" in str(data):
        _ok(client.create(target))
        status, data = _try_to_move(client, uids, target)
    _ok((status, data))


def _try_to_move(client: imaplib.IMAP4, uids: str, target: str) -> tuple[str, list[Any]]:
    if "MOVE" in client.capabilities:  # RFC 6851
        return client.uid("MOVE", uids, target)
    copied = client.uid("COPY", uids, target)
    if copied[0] == "OK":
        _delete(client, uids)
    return copied


def _bodies(data: Sequence[bytes | tuple[bytes, bytes] | None]) -> Iterator[tuple[str, bytes]]:
    """UIDs and mails of a FETCH; the UID may stand before the mail or after it."""
    for part, after in zip(data, [*data[1:], None], strict=True):
        if not isinstance(part, tuple) or not _BODY.search(part[0]):
            continue
        uid = _UID.search(part[0]) or (_UID.search(after) if isinstance(after, bytes) else None)
        if uid is not None:
            yield uid[1].decode(), part[1]


def _uids(ids: Collection[str]) -> str:
    return ",".join(id.rpartition("/")[2] for id in ids)


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"refused {data[-1] if data else ''}")
    return data


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bearable(size: int) -> int:
    if size > MOST_BYTES + _SLACK:
        raise imaplib.IMAP4.abort("[TOOBIG] more than was asked for")
    return size
