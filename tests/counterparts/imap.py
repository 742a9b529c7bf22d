"""A mailbox for tests: Maildirs on disk, and the IMAP server (imap_server.py) that serves them."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.counterparts.imap_server import PASSWORD, USER

_numbers = count(1_700_000_000)


@dataclass
class Mail:
    """What lies in the Maildir `folder`, and where it may be fetched over IMAP."""

    folder: Path
    port: int = 0
    name: str = "INBOX"
    """Of the folder, over IMAP."""

    def deliver(self, *raw: bytes) -> list[str]:
        """As a mail server does; gives the names."""
        names: list[str] = []
        for one in raw:
            name = f"{next(_numbers)}.M1P1.host"
            written = self.folder / "tmp" / name
            written.write_bytes(one)
            written.rename(self.folder / "new" / name)
            names.append(name)
        return names

    def flags(self, name: str) -> str | None:
        """Of a letter that is still there; None: it is not."""
        for folder in ("new", "cur"):
            for file in (self.folder / folder).iterdir():
                if file.name.partition(":")[0] == name:
                    return file.name.partition(":2,")[2]
        return None

    def moved(self, to: str) -> Counter[bytes]:
        """The contents of another folder."""
        root = self.folder if self.name == "INBOX" else self.folder.parent
        files = [*(root / f".{to}").glob("cur/*"), *(root / f".{to}").glob("new/*")]
        return Counter(file.read_bytes() for file in files)

    def beside(self, name: str) -> "Mail":
        """A folder of its own, as yet empty."""
        beside = make_maildir(self.folder / f".{name}")
        (beside.folder / "maildirfolder").touch()
        return Mail(beside.folder, self.port, name)

    def section(self, **changes: object) -> dict[str, object]:
        """Settings that lead here over IMAP."""
        return {
            "bounces_host": "127.0.0.1",
            "bounces_port": self.port,
            "bounces_tls": "none",
            "bounces_user": USER,
            "bounces_password": PASSWORD,
            "bounces_folder": self.name,
            **changes,
        }


def make_maildir(folder: Path) -> Mail:
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return Mail(folder)


@asynccontextmanager
async def imap_server(folder: Path, *options: str) -> AsyncGenerator[Mail]:
    """Serve the Maildir `folder/mail`; options are those of imap_server.py."""
    mail = make_maildir(folder / "mail")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.counterparts.imap_server", str(folder), *options),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        mail.port = int(await process.stdout.readline())
        yield mail
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
