"""A real Firefox without a window, that knows nobody but this machine, and a site for it to see."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

STOP_SECONDS = 10
QUIET: Mapping[str, object] = {
    # Whatever it asks of its makers goes to a proxy that is not there.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.dns.disabled": True,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def push_prefs(service: str) -> dict[str, object]:
    """Settings with which it takes messages from the push service at that `ws://` URL."""
    return {
        "dom.push.serverURL": service,
        "dom.push.testing.allowInsecureServerURL": True,
        "dom.push.testing.ignorePermission": True,
        "permissions.default.desktop-notification": 1,
        "alerts.useSystemBackend": False,  # without a desktop nothing could be shown
    }


@asynccontextmanager
async def running_firefox(
    folder: Path, url: str, prefs: Mapping[str, object]
) -> AsyncIterator[Path]:
    """Open `url` in a Firefox with a profile of its own in `folder`; gives its log."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program, "Debian's package firefox-esr is missing; .ci/run installs it"
    profile = folder / "profile"
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in (QUIET | prefs).items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    log = folder / "firefox.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless", "--no-remote", "--profile", str(profile), url),
            env={**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that its children end with it
        )
    try:
        yield log
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class Site:
    """Pages of a folder; what they post to /reports is read with `report`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._reports: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def report(self, what: str) -> dict[str, Any]:
        """The next report, which must be of this kind."""
        report = await self._reports.get()
        assert report["what"] == what, report
        return report

    async def take(self, request: web.Request) -> web.Response:
        self._reports.put_nowait(await request.json())
        return web.Response(status=204)


@asynccontextmanager
async def running_site(folder: Path) -> AsyncIterator[Site]:
    """Serve the files of `folder` on a free port of this machine."""
    site = Site("")
    app = web.Application()
    app.router.add_post("/reports", site.take)
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()
