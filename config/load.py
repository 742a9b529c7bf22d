"""File and environment become one checked value; whatever is wrong with them is said at once.

The environment wins over the file, the file over the defaults.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import msgspec
from msgspec import Struct

from angarium.config.decode import Mistake, SettingsInvalid, decode, suggest
from angarium.config.environment import Given, read_environment, sections
from angarium.config.settings import Settings

DEFAULT_FILE = "angarium.toml"
DATABASE_FILE = "angarium.db"

Table = dict[str, Any]
CheckChannels = Callable[[Settings], Sequence[Mistake]]


class Loaded(Struct, frozen=True):
    """The settings, and where each value that is not a default came from."""

    settings: Settings
    origins: Mapping[str, str]  # {"http.port": "ANGARIUM_HTTP_PORT", "data.dir": "angarium.toml"}
    file: Path | None


def find_file(option: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The settings file: as given, else ANGARIUM_CONFIG, else angarium.toml in `folder`, if any."""
    if option or environ.get("ANGARIUM_CONFIG"):
        return option or Path(environ["ANGARIUM_CONFIG"])
    beside = folder / DEFAULT_FILE
    return beside if beside.is_file() else None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a file (or of none) and an environment. Raises SettingsInvalid."""
    return load(path, environ).settings


def load(
    path: Path | None, environ: Mapping[str, str], check_channels: CheckChannels | None = None
) -> Loaded:
    """As `load_settings`, with the origin of each value.

    `check_channels` says what is wrong with the providers' sections, which we cannot know here.
    """
    mistakes: list[Mistake] = []
    tables = _tables(_read(path), mistakes)
    origins = {name: path.name if path else "" for name in _names(tables)}
    given, unknown = read_environment(environ, tables["channels"])
    mistakes += unknown
    for one in given:
        _lay(tables, one)
        origins[".".join((*one.section, one.name))] = one.variable
    settings = _decode(tables, mistakes)
    mistakes += check_channels(settings) if check_channels else ()
    if mistakes:
        raise SettingsInvalid([_with_origin(mistake, origins) for mistake in mistakes])
    return Loaded(_resolve(settings), origins, path)


def _with_origin(mistake: Mistake, origins: Mapping[str, str]) -> Mistake:
    origin = origins.get(mistake.name)
    return Mistake(mistake.name, f"{mistake.remedy} It is set in {origin}.") if origin else mistake


def _read(path: Path | None) -> Table:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise SettingsInvalid([Mistake(str(path), f"cannot be read: {reason}.")]) from None
    except UnicodeDecodeError:
        raise SettingsInvalid([Mistake(str(path), "is not UTF-8 text.")]) from None
    except tomllib.TOMLDecodeError as error:
        # The message tells the place and the rule, and repeats no value.
        raise SettingsInvalid([Mistake(str(path), f"is not TOML: {error}.")]) from None


def _tables(raw: Table, mistakes: list[Mistake]) -> dict[str, Table]:
    """The file's tables, one for each section; what is not one is a mistake."""
    known = [*sections(), "channels"]
    mistakes += [
        Mistake(name, "there is no such section." + suggest(name, known))
        for name in raw
        if name not in known
    ]
    tables = {name: _table(name, raw.get(name, {}), mistakes) for name in known}
    channels = tables["channels"]
    for provider, section in channels.items():
        channels[provider] = _table(f"channels.{provider}", section, mistakes)
    return tables


def _table(name: str, value: Any, mistakes: list[Mistake]) -> Table:
    if isinstance(value, dict):
        return cast("Table", value)
    mistakes.append(Mistake(name, f"must be a section: write [{name}] and its settings below."))
    return {}


def _names(tables: Mapping[str, Table]) -> list[str]:
    plain = [
        f"{section}.{name}"
        for section, table in tables.items()
        if section != "channels"
        for name in table
    ]
    return plain + [
        f"channels.{provider}.{name}"
        for provider, table in tables["channels"].items()
        for name in table
    ]


def _lay(tables: dict[str, Table], given: Given) -> None:
    table = tables[given.section[0]]
    for name in given.section[1:]:
        table = table.setdefault(name, {})
    table[given.name] = given.value


def _decode(tables: Mapping[str, Table], mistakes: list[Mistake]) -> Settings:
    """The settings, with defaults where a section cannot be used: its mistakes are noted."""
    values: dict[str, Any] = {"channels": tables["channels"]}
    for name, struct in sections().items():
        section, found = decode(struct, tables[name], name)
        mistakes += found
        values[name] = section or struct()
    settings = Settings(**values)
    mistakes += _contradictions(settings)
    return settings


def _contradictions(settings: Settings) -> list[Mistake]:
    """What no single value shows."""
    found: list[Mistake] = []
    if settings.keys.admin and settings.keys.admin == settings.keys.write:
        found.append(Mistake("keys.write", "must not be the admin key: pages show it to anyone."))
    if settings.limits.message_bytes > settings.limits.batch_bytes:
        found.append(Mistake("limits.message_bytes", "must not be over limits.batch_bytes."))
    return found


def _resolve(settings: Settings) -> Settings:
    """Fill in the defaults that follow from other settings; paths become absolute."""
    folder = Path(settings.data.dir).expanduser().absolute()
    http = settings.http
    host = "127.0.0.1" if http.host in ("0.0.0.0", "::") else http.host
    host = f"[{host}]" if ":" in host else host
    return msgspec.structs.replace(
        settings,
        data=msgspec.structs.replace(settings.data, dir=str(folder)),
        database=msgspec.structs.replace(
            settings.database,
            url=settings.database.url or f"sqlite:///{quote(str(folder / DATABASE_FILE))}",
        ),
        http=msgspec.structs.replace(
            http, public_url=(http.public_url or f"http://{host}:{http.port}").rstrip("/")
        ),
    )
