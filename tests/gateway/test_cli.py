import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from angarium.gateway.cli import main
from angarium.gateway.supervisor.lock import FILE as LOCK


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*prefix, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*prefix, name))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("ANGARIUM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANGARIUM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def invoke(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env=environ, prog_name="angarium")


def said(*arguments: str, **environ: str) -> str:
    result = invoke(*arguments, **environ)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", [(), *commands(main)])
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    output = said(*command, "--help")

    assert output.startswith("Usage: angarium")
    cut = [line for line in output.splitlines()[1:] if line.endswith("...")]
    assert cut == [], "shorten the first sentence of these commands"


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from angarium.gateway.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('litestar', 'nats', 'asyncpg', 'uvicorn', 'msgspec')\n"
        "print([module for module in heavy if module in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert answer.stdout.splitlines()[-1] == "[]"


def test_the_supervisor_imports_no_web_framework() -> None:
    program = (
        "import sys, angarium.gateway.supervisor.up\n"
        "print([m for m in ('litestar', 'nats', 'uvicorn') if m in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert answer.stdout.splitlines() == ["[]"]


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("command", ["up", "gateway", "core", "deliver", "migrate", "doctor"])
def test_wrong_settings_stop_every_command_and_are_all_named(command: str) -> None:
    result = invoke(command, ANGARIUM_HTTP_PORT="hunter2", ANGARIUM_LOG_LEVEL="hunter2")

    assert result.exit_code == 2
    assert "There are 2 mistakes in the settings:" in result.output
    assert "http.port: must be a whole number from 0 to 65535." in result.output
    assert "log.level: must be one of" in result.output
    assert "hunter2" not in result.output


@pytest.mark.parametrize("command", ["up", "deliver"])
def test_mistakes_in_providers_sections_are_named_with_all_the_others(
    command: str, data: Path
) -> None:
    (data.parent / "angarium.toml").write_text(
        '[htpp]\n[channels.email_smtp]\nhots = "hunter2"\nfrom = "a@b.example"\n'
        "[channels.email_pigeon]\n"
    )

    result = invoke(command)

    assert result.exit_code == 2
    assert "There are 4 mistakes in the settings:" in result.output
    assert "htpp: there is no such section" in result.output
    assert "channels.email_smtp.hots: unknown setting; did you mean host?" in result.output
    assert "channels.email_smtp.host: " in result.output
    assert "channels.email_pigeon: no installed plugin has a provider" in result.output
    assert "hunter2" not in result.output


@pytest.mark.usefixtures("data")
def test_what_no_provider_and_no_channel_can_do_is_a_mistake_before_anything_starts() -> None:
    Path("angarium.toml").write_text(
        """
[deliver]
channels = ["sms", "emial"]
[channels.push_apns]
key_file = "key.p8"
key_id = "ABC123DEFG"
team_id = "TEAM123456"
topic = "org.example.shop"
platforms = ["android", "ios"]
"""
    )

    result = invoke("up")

    assert result.exit_code == 2
    assert "deliver.channels: emial is no channel" in result.output
    assert "did you mean email?" in result.output
    assert "channels.push_apns.platforms: push_apns sends to ios only." in result.output
    assert not Path("data", "angarium.lock").exists()


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("command", ["gateway", "core", "deliver"])
def test_a_part_alone_needs_a_broker(command: str) -> None:
    result = invoke(command)

    assert result.exit_code == 2
    assert "nats.url: is required here" in result.output


@pytest.mark.parametrize("place", ["before", "after", "variable", "beside"])
def test_the_settings_file_may_be_named_in_four_ways(place: str, data: Path) -> None:
    file = data.parent / ("angarium.toml" if place == "beside" else "other.toml")
    file.write_text("[http]\nport = 4321\n")
    arguments = {
        "before": ("--config", str(file), "settings"),
        "after": ("settings", "--config", str(file)),
    }.get(place, ("settings",))
    environ = {"ANGARIUM_CONFIG": str(file)} if place == "variable" else {}

    assert re.search(rf"http\.port +4321 +\({file.name}\)", said(*arguments, **environ))


@pytest.mark.usefixtures("data")
def test_settings_shows_all_but_the_secrets() -> None:
    output = said(
        "settings",
        ANGARIUM_ADMIN_KEY="canary-admin-key",
        ANGARIUM_NATS_URL="nats://canary@127.0.0.1:4222",
        ANGARIUM_CHANNELS_EMAIL_SMTP_PASSWORD="canary",
        ANGARIUM_CHANNELS_EMAIL_SMTP_HOST="mail.example.org",
    )

    assert "canary" not in output
    assert '"nats://[hidden]@127.0.0.1:4222"  (ANGARIUM_NATS_URL)' in output
    assert re.search(r"keys\.admin +\[hidden\] +\(ANGARIUM_ADMIN_KEY\)", output)
    assert "mail.example.org" in output


@pytest.mark.usefixtures("data")
def test_settings_hides_what_a_provider_calls_secret_and_all_of_an_unknown_one() -> None:
    Path("angarium.toml").write_text(
        """
[channels.sms_http]
url = "https://gateway.example/send?key=canary"
body = '{"key": "canary", "to": "{to}"}'
headers = { Authorization = "Bearer canary" }
number = "national"
[channels.push_apns]
key_file = "/etc/angarium/AuthKey.p8"
key_id = "ABC123DEFG"
[channels.push_second]
provider = "push_fcm"
service_account = '{"private_key": "canary"}'
[channels.sms_htpt]
adress = "canary"
most_parts = 3
"""
    )

    output = said("settings")

    assert "canary" not in output
    for name, value in {
        "sms_http.number": '"national"',
        "sms_http.headers": "[hidden]",
        "push_apns.key_file": '"/etc/angarium/AuthKey.p8"',
        "push_apns.key_id": '"ABC123DEFG"',
        "push_second.provider": '"push_fcm"',
        "push_second.service_account": "[hidden]",
        "sms_htpt.adress": "[hidden]",
        "sms_htpt.most_parts": "3",
    }.items():
        assert re.search(rf"channels\.{name} +{re.escape(value)}  ", output), name


@pytest.mark.usefixtures("data")
def test_migrate_shows_new_keys_once() -> None:
    first, second = said("migrate"), said("migrate")

    assert len(re.findall(r"New (?:admin|write) key, shown only now: ang_[aw]k_\w{49}", first)) == 2
    assert "key" not in second
    assert re.fullmatch(r"The schema is at version \d+\.\n", second)


@pytest.mark.usefixtures("data")
def test_keys_of_the_settings_are_stored_and_not_shown() -> None:
    environ = {"ANGARIUM_ADMIN_KEY": "my-admin-key", "ANGARIUM_WRITE_KEY": "my-write-key"}

    assert "key" not in said("migrate", **environ)
    listed = said("keys", "list").splitlines()

    assert len(listed) == 2
    assert all("from the settings" in line and "in force" in line for line in listed)


@pytest.mark.usefixtures("data")
def test_a_key_is_made_listed_and_revoked() -> None:
    said("migrate", ANGARIUM_ADMIN_KEY="my-admin-key", ANGARIUM_WRITE_KEY="my-write-key")

    id_, text = said(
        "keys", "create", "--kind", "write", "--name", "web shop", "--expires", "P30D"
    ).split()
    [line] = [line for line in said("keys", "list").splitlines() if line.startswith(id_)]
    assert text.startswith("ang_wk_")
    assert text not in line
    assert line.endswith("web shop")

    assert said("keys", "revoke", id_) == f"{id_} is revoked.\n"
    [line] = [line for line in said("keys", "list").splitlines() if line.startswith(id_)]
    assert "revoked" in line


@pytest.mark.usefixtures("data")
def test_a_key_that_is_not_there_cannot_be_revoked() -> None:
    said("migrate")

    result = invoke("keys", "revoke", "key_nowhere")

    assert result.exit_code == 1
    assert "There is no key key_nowhere" in result.output


@pytest.mark.usefixtures("data")
def test_a_wrong_duration_is_named() -> None:
    result = invoke("keys", "create", "--kind", "write", "--name", "x", "--expires", "soon")

    assert result.exit_code == 2
    assert "--expires" in result.output


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("kind", "scope", "why"),
    [
        ("admin", "campaign:read", "there are: campaigns:read, campaigns:write, "),
        ("write", "campaigns:read", "a write key has ingest only"),
    ],
)
def test_a_scope_that_would_open_nothing_is_refused(kind: str, scope: str, why: str) -> None:
    result = invoke("keys", "create", "--kind", kind, "--name", "x", "--scope", scope)

    assert result.exit_code == 2
    assert "--scope" in result.output
    assert why in " ".join(result.output.split())


@pytest.mark.usefixtures("data")
def test_keys_of_a_database_without_tables_ask_for_migrate() -> None:
    result = invoke("keys", "list")

    assert result.exit_code == 1
    assert "run `angarium migrate` first" in result.output


@pytest.mark.usefixtures("data")
def test_a_database_that_is_away_is_said_without_a_stack_or_a_password() -> None:
    result = invoke("migrate", ANGARIUM_DATABASE_URL="postgresql://u:canary@127.0.0.1:1/x")

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output
    assert "canary" not in result.output


def test_a_second_instance_in_a_directory_is_refused(data: Path) -> None:
    holder = (
        "import asyncio, pathlib, sys\n"
        "from angarium.gateway.supervisor.lock import DirectoryLock\n"
        "asyncio.run(DirectoryLock.take(pathlib.Path(sys.argv[1])))\n"
        "print('taken', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        result = invoke("up")
        process.communicate("\n")

    assert result.exit_code == 1
    assert f"{data} is in use by process {process.pid}" in result.output
    assert (data / LOCK).exists()


def test_plugins_list_names_ours() -> None:
    output = said("plugins", "list")

    assert re.search(
        r"^email_smtp  \(angarium [\d.]+\)  provider email_smtp$", output, re.MULTILINE
    )
