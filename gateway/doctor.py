"""Look at everything that an instance needs, and say what to do about what is missing.

Nothing is changed: no file is made, no table, no stream.
"""

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from angarium.config.load import Loaded
from angarium.config.settings import Settings
from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import find_binary
from angarium.core.bus.errors import BusError
from angarium.core.bus.subjects import EVENTS
from angarium.core.store.campaigns import active_campaigns
from angarium.core.store.errors import Refused, StoreError
from angarium.core.store.keys import list_keys
from angarium.core.store.migrate import load_migrations
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Transaction
from angarium.core.store.tolls import list_held_tolls
from angarium.core.workers.clock import now
from angarium.gateway.deaths import remedy, told
from angarium.gateway.first import NEWEST, WORKSPACE
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.logs import clean_text
from angarium.gateway.opening import why_not_open
from angarium.gateway.routes import build_routes, kinds
from angarium.gateway.supervisor.connection import read_connection
from angarium.gateway.waiting import find_troubles
from angarium.gateway.web_push_key import with_some_key
from angarium.plugins.failures import TemporaryFailure
from angarium.plugins.manager import Plugins
from angarium.plugins.provider import Looking, Provider
from angarium.plugins.settings import SettingsInvalid

FREE_BYTES: Final = 1024**3  # less is a broker that will soon refuse events
RELEASED_AT: Final = 1_767_225_600_000  # 2026-01-01, ms: no clock is right that shows less
HERE: Final = ("127.0.0.1", "localhost", "::1")
CLOCK_ERROR_MS: Final = 5 * 60 * 1000
CONNECT_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 10.0
EMBEDDED: Final = "pip install 'angarium[embedded]'"
CORRECT: Final = "correct it in the settings"
LATER: Final = "see that it is reached; messages are sent meanwhile"
SHORT_KEY: Final = 24  # characters; ours have 56


class Finding(Struct, frozen=True):
    """What one check saw. `well`: None when there was nothing to see yet."""

    check: str
    well: bool | None
    detail: str
    remedy: str = ""


Check = Callable[[Loaded], AsyncIterator[Finding]]


async def examine(loaded: Loaded) -> list[Finding]:
    """Every check in turn; one that breaks is a finding itself."""
    findings: list[Finding] = []
    for check in CHECKS:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            findings += [finding async for finding in check(loaded)]
        except Exception as error:  # a doctor does not die of what it looks at
            said = clean_text(f"{type(error).__name__}: {error}")
            findings.append(Finding(name, False, said, "This is a fault of Angarium: report it."))
    return findings


async def check_settings(loaded: Loaded) -> AsyncIterator[Finding]:
    """They decode (else nothing would run); their file is private if it holds secrets."""
    origin = str(loaded.file) if loaded.file else "no file"
    yield Finding("settings", True, f"{origin}, {len(loaded.origins)} values set")
    if loaded.file and _holds_secrets(loaded) and loaded.file.stat().st_mode & stat.S_IROTH:
        yield Finding(
            "settings", False, f"{loaded.file} can be read by anyone", f"chmod 600 {loaded.file}"
        )
    for kind in ("admin", "write"):
        key = getattr(loaded.settings.keys, kind)
        if key and len(key) < SHORT_KEY:
            yield Finding(
                "settings",
                False,
                f"keys.{kind} is short enough to be guessed",
                f"make one with `angarium keys create --kind {kind}` instead",
            )


def _holds_secrets(loaded: Loaded) -> bool:
    name = loaded.file.name if loaded.file else ""
    prefixes = ("keys.", "channels.", "nats.url", "database.url")
    return any(
        origin == name and setting.startswith(prefixes)
        for setting, origin in loaded.origins.items()
    )


async def check_links(loaded: Loaded) -> AsyncIterator[Finding]:
    """Those in messages lead to where their readers can go."""
    kinds_used = kinds(loaded.settings.channels).values()
    to_people = any(not kind.endswith("_console") for kind in kinds_used)
    url = loaded.settings.http.public_url
    if to_people and urlsplit(url).hostname in HERE:
        detail = f"those in messages begin with {url}, which leads nowhere but on this machine"
        yield Finding("links", None, detail, "set http.public_url to what people see")


async def check_data_directory(loaded: Loaded) -> AsyncIterator[Finding]:
    """It can be written, and its disk has room."""
    name, folder = "data directory", Path(loaded.settings.data.dir)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding(name, False, f"{there} cannot be written", f"chown it to user {os.getuid()}")
    elif (free := shutil.disk_usage(there).free) < FREE_BYTES:
        yield Finding(
            name,
            False,
            f"{free // 1024**2} MiB are free on the disk of {there}",
            "free space, or set data.dir on another disk",
        )
    else:
        yield Finding(name, True, f"{folder}, {free // 1024**3} GiB free")


async def check_clock(loaded: Loaded) -> AsyncIterator[Finding]:
    """It shows a time after this program was made."""
    well = now() >= RELEASED_AT
    remedy = "" if well else "set the clock, and keep it right with NTP"
    yield Finding("clock", well, "plausible" if well else "before 2026", remedy)


async def check_broker(loaded: Loaded) -> AsyncIterator[Finding]:
    """The one in the settings, else that of a running instance, else that which would be run."""
    settings = loaded.settings
    url = settings.nats.url or _running_broker(settings)
    if not url:
        yield _embedded_broker(settings)
        return
    try:
        bus = await Bus.connect(url, name="angarium doctor", limit=CONNECT_SECONDS)
    except BusError as error:
        remedy = "start it, or correct nats.url (ANGARIUM_NATS_URL)"
        yield Finding("broker", False, clean_text(str(error)), remedy)
        return
    try:
        state = await bus.stream_state(EVENTS)
        yield Finding("broker", True, f"{state.messages} messages in {EVENTS}")
    except BusError as error:
        yield Finding("broker", False, clean_text(str(error)), "start `angarium core` once")
    finally:
        await bus.close()


def _embedded_broker(settings: Settings) -> Finding:
    named = settings.nats.binary
    try:
        binary = find_binary(Path(named) if named else None)
    except BusError as error:
        remedy = "correct nats.binary, or leave it out" if named else EMBEDDED
        return Finding("broker", False, str(error), remedy)
    return Finding("broker", None, f"not running; `angarium up` would run {binary}")


def _running_broker(settings: Settings) -> str:
    connection = read_connection(Path(settings.data.dir))
    return connection.nats if connection else ""


async def check_database(loaded: Loaded) -> AsyncIterator[Finding]:
    """It answers, its schema is ours, and there are keys to open the doors with."""
    url = loaded.settings.database.url
    if url.startswith("sqlite:") and not _sqlite_file(loaded.settings).exists():
        yield Finding("database", None, "not made yet; `angarium up` makes it")
        return
    try:
        for finding in await _open_and_look(loaded):
            yield finding
    except Refused:
        yield Finding("database", False, "has no tables", "run `angarium migrate`")
    except StoreError as error:
        remedy = "start it, or correct database.url (ANGARIUM_DATABASE_URL)"
        yield Finding("database", False, clean_text(str(error)), remedy)


async def _open_and_look(loaded: Loaded) -> list[Finding]:
    store = await open_store(loaded.settings.database.url)
    try:
        async with store.reading() as tx:
            return await _look(tx, len(load_migrations(store.dialect)), loaded)
    finally:
        await store.close()


def _sqlite_file(settings: Settings) -> Path:
    return Path(unquote(settings.database.url.removeprefix("sqlite:///")))


async def _look(tx: Transaction, known: int, loaded: Loaded) -> list[Finding]:
    [(version,)] = await tx.fetch("schema_version")
    if version != known:
        newer = "start the newer Angarium again" if version > known else "run `angarium migrate`"
        return [Finding("database", False, f"schema {version}, this program's is {known}", newer)]
    findings = [Finding("database", True, f"schema version {version}")]
    for held in await list_held_tolls(tx):
        findings.append(Finding("addresses", False, told(held), remedy(held)))
    for trouble in await find_troubles(tx, WORKSPACE, list(loaded.settings.channels), now()):
        well = False if trouble.certain else None
        findings.append(Finding("messages", well, clean_text(trouble.detail), trouble.remedy))
    findings += _keys(await list_keys(tx, WORKSPACE, before=NEWEST, most=10_000))
    return findings + list(_no_provider(await active_campaigns(tx), loaded.settings))


def _keys(keys: Any) -> Iterator[Finding]:
    at = now()
    live = [key for key in keys if not key.revoked_at and (key.expires_at or at + 1) > at]
    for kind in ("admin", "write"):
        count = sum(key.kind == kind for key in live)
        remedy = "" if count else f"angarium keys create --kind {kind} --name …"
        yield Finding("keys", count > 0, f"{count} {kind} keys in force", remedy)
    if any(key.created_at > at + CLOCK_ERROR_MS for key in keys):
        yield Finding("clock", False, "it was later when a key was made", "set the clock")


def _no_provider(campaigns: Any, settings: Settings) -> Iterator[Finding]:
    """What active campaigns would send on a channel that nothing delivers on."""
    providers = load_isolated(settings.plugins).providers
    named = kinds(settings.channels).values()
    served = {providers[name].channel for name in named if name in providers}
    for campaign in campaigns:
        used = _channels_of(msgspec.json.decode(campaign.definition))
        for channel in sorted(used - served):
            yield Finding(
                "campaigns",
                False,
                f"{campaign.id} sends on {channel}, which no provider serves (no_provider)",
                f"add a section [channels.<provider>]: {_offers(channel, providers)}",
            )


def _channels_of(definition: Mapping[str, Any]) -> set[str]:
    content: Mapping[str, Any] = definition.get("content") or {}
    return set(content.get("order") or content.keys() - {"order", "fallback"})


def _offers(channel: str, providers: Mapping[str, Any]) -> str:
    names = sorted(name for name, provider in providers.items() if provider.channel == channel)
    return ", ".join(names) or "none is installed for it"


async def check_plugins(loaded: Loaded) -> AsyncIterator[Finding]:
    """Each can be loaded, and each provider's section can be used."""
    plugins = load_isolated(loaded.settings.plugins)
    for plugin in plugins.plugins:
        if plugin.error:
            remedy = f"upgrade or remove {plugin.distribution or plugin.module}"
            yield Finding("plugins", False, f"{plugin.name}: {plugin.error}", remedy)
    yield Finding("plugins", True, f"{len(plugins.providers)} providers can be used")
    for name, section in with_some_key(loaded.settings.channels).items():
        for finding in await _provider(plugins, name, section):
            yield finding
    if not loaded.settings.channels:
        remedy = "add a section, as [channels.email_smtp]"
        yield Finding("channels", None, "no provider is set: nothing can be delivered", remedy)


async def _provider(plugins: Plugins, name: str, section: Mapping[str, object]) -> list[Finding]:
    try:
        [(_, provider)] = build_routes(plugins, {name: section})
    except SettingsInvalid as invalid:
        return [Finding("channels", False, clean_text(str(invalid)), CORRECT)]
    seen = await _look_at(name, provider)
    if mistake := await why_not_open(name, provider):
        return [Finding("channels", False, mistake, CORRECT), *seen]
    return [Finding("channels", True, f"{name} delivers on {provider.channel}"), *seen]


async def _look_at(name: str, provider: Provider) -> list[Finding]:
    """How it fares besides, if it can tell."""
    if not isinstance(provider, Looking):
        return []
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            seen = await provider.look()
    except TimeoutError:
        return [Finding("channels", False, f"{name}: no answer in {LOOK_SECONDS:g} s", LATER)]
    except TemporaryFailure as failure:
        reason = clean_text(failure.reason).removeprefix(f"{provider.name}: ")
        return [Finding("channels", False, f"{name}: {reason}", LATER)]
    return [Finding("channels", True, f"{name}: {seen}")] if seen else []


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_links,
    check_data_directory,
    check_clock,
    check_broker,
    check_database,
    check_plugins,
)
