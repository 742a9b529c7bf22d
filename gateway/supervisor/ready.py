"""Ask a door whether it is ready, with nothing but a socket: the supervisor stays light."""

import asyncio

import structlog

log = structlog.get_logger()

POLL_SECONDS = 0.025
ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 10.0  # between complaints


async def wait_ready(host: str, port: int) -> None:
    """Return when GET /health/ready answers 200. Waits for as long as it takes, and says so."""
    loop = asyncio.get_running_loop()
    complain_at = loop.time() + PATIENCE_SECONDS
    while True:
        if await is_ready(host, port):
            return
        if loop.time() >= complain_at:
            log.warning("not_ready_yet", port=port)
            complain_at += PATIENCE_SECONDS
        await asyncio.sleep(POLL_SECONDS)


async def is_ready(host: str, port: int) -> bool:
    """Whether GET /health/ready answers 200 now."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return b" 200 " in await _status_line(host, port)
    except (OSError, TimeoutError):
        return False


async def _status_line(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = (
            "GET /health/ready HTTP/1.1",
            f"Host: {host}:{port}",
            "Connection: close",
            "",
            "",
        )
        writer.write("\r\n".join(request).encode())
        return await reader.readline()
    finally:
        writer.close()
