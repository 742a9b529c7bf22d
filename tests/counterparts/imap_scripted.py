"""An IMAP server that keeps to a script, for what no good server does.

One folder with the mails it is given, whose UIDs are 1, 2, …; `answers` replaces what it would say
to a command (`FETCH`, `STORE`, `greeting`, …): bytes are sent as they are, None is silence, and ""
ends the connection.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CAPABLE = "IMAP4rev1 UIDPLUS MOVE"


@dataclass
class Scripted:
    mails: list[bytes | None] = field(default_factory=list[bytes | None])
    """None: gone, which it has not said yet."""
    answers: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    capable: str = CAPABLE
    uidvalidity: int = 7
    flags: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    commands: list[str] = field(default_factory=list[str])
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first command that is met with silence."""
    port: int = 0
    talks: dict[asyncio.Task[None], asyncio.StreamWriter] = field(
        default_factory=dict["asyncio.Task[None]", asyncio.StreamWriter]
    )

    def section(self, **changes: object) -> dict[str, object]:
        """Settings that lead here."""
        return {
            "bounces_host": "127.0.0.1",
            "bounces_port": self.port,
            "bounces_tls": "none",
            "bounces_user": "bounce@example.org",
            "bounces_password": "a password",
            **changes,
        }

    def said(self, word: str) -> list[str]:
        return [command for command in self.commands if word in command]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self.talks[talk] = writer
        greeting = self.answers.get("greeting", b"* OK ready\r\n")
        writer.write(greeting or b"")
        with suppress(OSError):
            while greeting and (line := await reader.readline()):
                tag, _, rest = line.decode().strip().partition(" ")
                self.commands.append(rest)
                word = rest.removeprefix("UID ").partition(" ")[0].upper()
                if word in self.answers:
                    if (answer := self.answers[word]) is None:
                        self.asked.set()
                        continue
                    if not answer:
                        break
                else:
                    answer = self._answer(word, rest)
                writer.write(answer.replace(b"TAG", tag.encode()))
            if greeting is None:
                self.asked.set()
                await reader.read()
        writer.close()

    def _answer(self, word: str, rest: str) -> bytes:
        done = b"TAG OK done\r\n"
        match word:
            case "CAPABILITY":
                return f"* CAPABILITY {self.capable}\r\n".encode() + done
            case "SELECT" | "EXAMINE":
                head = f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uidvalidity}] v\r\n"
                return head.encode() + done
            case "SEARCH":
                found = [n for n in range(1, len(self.mails) + 1) if not self.flags.get(n)]
                return f"* SEARCH {' '.join(map(str, found))}\r\n".encode() + done
            case "FETCH":
                given = b"".join(map(self._fetched, numbers(rest)))
                if all(self.mails[number - 1] is not None for number in numbers(rest)):
                    return given + done
                return given + b"TAG NO [EXPUNGEISSUED] some are gone\r\n"
            case "STORE":
                [flag] = re.findall(r"\\\w+", rest)
                for number in numbers(rest):
                    self.flags.setdefault(number, set()).add(flag)
        return done

    def _fetched(self, number: int) -> bytes:
        """With the UID after the mail, as it may be."""
        raw = self.mails[number - 1]
        if raw is None:
            return b""
        return b"* %d FETCH (BODY[]<0> {%d}\r\n%b UID %d)\r\n" % (number, len(raw), raw, number)


def numbers(rest: str) -> list[int]:
    return [int(number) for number in rest.split(" ")[2].split(",")]


@asynccontextmanager
async def imap_scripted(
    *mails: bytes,
    answers: Mapping[str, bytes | None] | None = None,
    capable: str = CAPABLE,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[Scripted]:
    """Listen on a free port."""
    script = Scripted(list(mails), dict(answers or {}), capable)
    server = await asyncio.start_server(script.talk, "127.0.0.1", 0, ssl=tls)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for writer in script.talks.values():
            writer.transport.abort()
        await asyncio.gather(*script.talks)
        await server.wait_closed()
