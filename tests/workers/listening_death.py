"""A process that listens at a mailbox, and dies as soon as its news is durable.

NATS URL, IMAP port, folder, and whether to die.
"""

import asyncio
import os
import signal
import sys

from angarium.core.bus.bus import Bus
from angarium.core.workers.listening import Listener
from tests.channels.returned import provider
from tests.counterparts.imap import Mail
from tests.delivery.examples import NOW
from tests.parts.waiting import until


class LastWord(Bus):
    """A bus whose user dies after the first message that is stored."""

    async def publish(self, subject: str, body: bytes, *, message_id: str | None = None) -> None:
        await super().publish(subject, body, message_id=message_id)
        os.kill(os.getpid(), signal.SIGKILL)


async def listen(url: str, mail: Mail, dies: bool) -> None:
    bus = await (LastWord if dies else Bus).connect(url, name="listening")
    smtp = provider(**mail.section())
    listener = Listener("email_smtp", "email", smtp, bus, lambda: NOW)
    listening = asyncio.create_task(listener.run())

    async def marked() -> bool:
        return not any((mail.folder / "new").iterdir()) and listener.heard > 0

    await until(marked)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await bus.close()


if __name__ == "__main__":
    from pathlib import Path

    url, port, folder, dies = sys.argv[1:]
    asyncio.run(listen(url, Mail(Path(folder), int(port)), dies == "dies"))
