"""An IMAP server that is not ours (pymap), in a process of its own, over Maildirs on disk.

FOLDER [--tls PEM | --starttls PEM]; the PEM has certificate and key. It prints its port.
"""

import argparse
import asyncio
import logging
import ssl
import sys
from pathlib import Path

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.maildir import MaildirBackend
from pymap.imap import IMAPServer

USER, PASSWORD = "bounce@example.org", 'p"ass\\wörd'


async def serve(folder: Path, tls: str | None, starttls: str | None) -> None:
    chosen = argparse.Namespace(
        host=None,
        port=0,
        debug=False,
        cert=starttls,
        key=starttls,
        tls=starttls is not None,
        proxy_protocol=None,
        passlib_cfg=None,
        base_dir=str(folder),
        concurrency=None,
        layout="++",
        colon=None,
    )
    backend, config = await MaildirBackend.init(chosen)
    config.apply_context()
    hashed = config.hash_context.hash(config.password_prep(PASSWORD))
    (folder / "pymap-etc-passwd").write_text(f"{USER}:x::::mail:\n")
    (folder / "pymap-etc-shadow").write_text(f"{USER}:{hashed}:::::::\n")
    (folder / "pymap-etc-group").touch()
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    take = ProxyProtocolReader(config.proxy_protocol).get_callback(
        IMAPServer(backend.login, config)
    )
    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tls")
    parser.add_argument("--starttls")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.folder, chosen.tls, chosen.starttls))


if __name__ == "__main__":
    main()
