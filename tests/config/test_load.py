from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from angarium.config.decode import SettingsInvalid
from angarium.config.load import find_file, load, load_settings

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "angarium.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def mistakes(path: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(path, environ)
    return {mistake.name: mistake.remedy for mistake in caught.value.mistakes}


def test_nothing_set_gives_every_default() -> None:
    settings = load_settings(None, {})

    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.nats.url == ""
    assert settings.people.region == "IR"
    assert dict(settings.channels) == {}


def test_the_environment_wins_over_the_file(write: Write) -> None:
    path = write('[http]\nport = 1\nhost = "0.0.0.0"\n')

    settings = load_settings(path, {"ANGARIUM_HTTP_PORT": "9999"})

    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 9999)


def test_each_value_tells_where_it_came_from(write: Write) -> None:
    path = write('[http]\nport = 1\n[channels.email_smtp]\nhost = "a"\n')

    loaded = load(path, {"ANGARIUM_ADMIN_KEY": "a-key-of-mine"})

    assert loaded.origins == {
        "http.port": "angarium.toml",
        "channels.email_smtp.host": "angarium.toml",
        "keys.admin": "ANGARIUM_ADMIN_KEY",
    }


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("ANGARIUM_ADMIN_KEY", "admin-key", lambda s: s.keys.admin == "admin-key"),
        ("ANGARIUM_WRITE_KEY", "write-key", lambda s: s.keys.write == "write-key"),
        ("ANGARIUM_KEYS_WRITE", "write-key", lambda s: s.keys.write == "write-key"),
        ("ANGARIUM_DATA_DIR", "/srv/a", lambda s: s.data.dir == "/srv/a"),
        ("ANGARIUM_NATS_URL", "nats://t@h:1", lambda s: s.nats.url == "nats://t@h:1"),
        ("ANGARIUM_DATABASE_URL", "postgresql://h/d", lambda s: s.database.url[-3:] == "h/d"),
        ("ANGARIUM_HTTP_ORIGINS", "https://a, https://b", lambda s: len(s.http.origins) == 2),
        ("ANGARIUM_CORE_LEASE_SECONDS", "2.5", lambda s: s.core.lease_seconds == 2.5),
        ("ANGARIUM_NATS_REPLICAS", "3", lambda s: s.nats.replicas == 3),
        ("ANGARIUM_NATS_URL", "", lambda s: s.nats.url == ""),
        ("ANGARIUM_CRASH_AT", "deliver.handed", lambda s: True),
        ("OTHER_PROGRAM", "x", lambda s: True),
    ],
)
def test_a_variable_sets_its_setting(variable: str, value: str, read: Callable[..., bool]) -> None:
    assert read(load_settings(None, {variable: value}))


@pytest.mark.parametrize(
    ("variable", "provider", "name"),
    [
        ("ANGARIUM_CHANNELS_EMAIL_SMTP_HOST", "email_smtp", "host"),
        ("ANGARIUM_CHANNELS_SMS_KAVENEGAR_API_KEY", "sms_kavenegar", "api_key"),
        ("ANGARIUM_CHANNELS_WEB_PUSH_VAPID_PRIVATE_KEY", "web_push_vapid", "private_key"),
        ("ANGARIUM_CHANNELS_PIGEON_WHITE_LOFT_WINGS", "pigeon_white_loft", "wings"),
    ],
)
def test_a_variable_finds_its_provider(
    variable: str, provider: str, name: str, write: Write
) -> None:
    path = write("[channels.pigeon_white_loft]\n")

    settings = load_settings(path, {variable: "x"})

    assert settings.channels[provider] == {name: "x"}


def test_every_mistake_is_named_at_once_with_its_remedy(write: Write) -> None:
    path = write(
        '[htpp]\n[http]\nprot = 1\nport = 70000\n[people]\ntimezone = "Mars/X"\nregion = "ir"\n'
        '[log]\nlevel = "loud"\n[limits]\nbatch_bytes = "much"\n[data]\ndir = 3\n'
        '[channels]\nemail_smtp = "x"\n'
    )

    found = mistakes(path, {"ANGARIUM_HTTP_HOTS": "x", "ANGARIUM_CHANNELS_X": "y"})

    assert found == {
        "htpp": "there is no such section. Did you mean http?",
        "http.prot": "there is no such setting. Did you mean port? It is set in angarium.toml.",
        "http.port": "must be a whole number from 0 to 65535. It is set in angarium.toml.",
        "people.timezone": "must be an IANA time zone, as Asia/Tehran. It is set in angarium.toml.",
        "people.region": "must be a country's two capital letters, as IR."
        " It is set in angarium.toml.",
        "log.level": "must be one of debug, info, warning, error. It is set in angarium.toml.",
        "limits.batch_bytes": "must be a whole number from 32768 to 4194304."
        " It is set in angarium.toml.",
        "data.dir": "must be text. It is set in angarium.toml.",
        "channels.email_smtp": "must be a section: write [channels.email_smtp]"
        " and its settings below.",
        "ANGARIUM_HTTP_HOTS": "no setting has this variable. Did you mean ANGARIUM_HTTP_HOST?",
        "ANGARIUM_CHANNELS_X": "must name a provider and its setting,"
        " as ANGARIUM_CHANNELS_EMAIL_SMTP_HOST.",
    }


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"ANGARIUM_ADMIN_KEY": "hunter2 hunter2"}, "keys.admin"),
        ({"ANGARIUM_ADMIN_KEY": "hunter2"}, "keys.admin"),
        ({"ANGARIUM_ADMIN_KEY": "hunter2:hunter2"}, "keys.admin"),
        ({"ANGARIUM_ADMIN_KEY": "hunter2\nhunter2"}, "keys.admin"),
        ({"ANGARIUM_NATS_URL": "http://hunter2@h"}, "nats.url"),
        ({"ANGARIUM_DATABASE_URL": "mysql://u:hunter2@h"}, "database.url"),
        ({"ANGARIUM_ADMIN_KEY": "hunter2-2", "ANGARIUM_WRITE_KEY": "hunter2-2"}, "keys.write"),
        ({"ANGARIUM_HTTP_PUBLIC_URL": "shop.example hunter2"}, "http.public_url"),
        ({"ANGARIUM_HTTP_TRUSTED_PROXIES": "10.0.0.0/8, hunter2"}, "http.trusted_proxies"),
        (
            {"ANGARIUM_LIMITS_BATCH_BYTES": "40000", "ANGARIUM_LIMITS_MESSAGE_BYTES": "50000"},
            "limits.message_bytes",
        ),
    ],
)
def test_a_mistake_never_shows_the_value(environ: dict[str, str], name: str) -> None:
    found = mistakes(None, environ)

    assert list(found) == [name]
    assert "hunter2" not in found[name]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[http\n", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_mistake(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "angarium.toml"
    path.write_bytes(content)

    assert reason in mistakes(path, {})[str(path)]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "missing.toml"

    assert "No such file" in mistakes(path, {})[str(path)]


def test_a_section_that_is_no_section_is_a_mistake(write: Write) -> None:
    assert "must be a section" in mistakes(write("http = 3\n"), {})["http"]


def test_defaults_that_follow_from_others_are_filled_in(tmp_path: Path) -> None:
    settings = load_settings(
        None, {"ANGARIUM_DATA_DIR": str(tmp_path), "ANGARIUM_HTTP_HOST": "0.0.0.0"}
    )

    assert settings.database.url == f"sqlite:///{tmp_path}/angarium.db"
    assert settings.http.public_url == "http://127.0.0.1:8080"


def test_a_public_url_loses_its_last_slash() -> None:
    settings = load_settings(None, {"ANGARIUM_HTTP_PUBLIC_URL": "https://gateway.example.org/"})

    assert settings.http.public_url == "https://gateway.example.org"


def test_the_file_is_the_option_then_the_variable_then_the_one_beside(write: Write) -> None:
    beside = write("")
    folder = beside.parent

    assert find_file(Path("a"), {"ANGARIUM_CONFIG": "b"}, folder) == Path("a")
    assert find_file(None, {"ANGARIUM_CONFIG": "b"}, folder) == Path("b")
    assert find_file(None, {}, folder) == beside
    assert find_file(None, {}, folder / "elsewhere") is None
