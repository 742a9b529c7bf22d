"""`angarium plugins list | new | check`: from nothing to a plugin that is installed and tested."""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.config.settings import Plugins as PluginsSettings
from angarium.gateway.cli import main
from angarium.gateway.isolation.loading import load_isolated
from angarium.gateway.new_plugin.package import NameRefused, write_package

PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings, in an environment without ours."""
    for name in [name for name in os.environ if name.startswith("ANGARIUM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANGARIUM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugins", *arguments], prog_name="angarium")


@pytest.mark.parametrize("name", ["chat_telegram", "email_acme", "web_push_acme", "sms_acme_two"])
def test_a_new_package_is_of_python_and_imports_nothing_of_ours_but_the_contract(
    tmp_path: Path, name: str
) -> None:
    folder = write_package(tmp_path, name)

    assert folder == tmp_path / f"angarium-{name.replace('_', '-')}"
    tree = ast.parse((folder / f"angarium_{name}.py").read_text())
    imported = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("angarium")
    }
    assert imported == {"angarium.plugins", "angarium.plugins.settings"}
    for file in folder.rglob("*"):
        if file.is_file():
            assert not re.search(r"\$\w|\$\{", file.read_text()), file
            assert max(map(len, file.read_text().splitlines())) <= 100, file


@pytest.mark.parametrize("name", ["chat_telegram", "email_acme", "web_push_acme"])
def test_a_new_package_passes_the_kit_as_it_is(tmp_path: Path, name: str) -> None:
    assert invoke("new", name).exit_code == 0

    checked = invoke("check", f"angarium-{name.replace('_', '-')}")

    assert checked.exit_code == 0, checked.output
    assert f"the conformance kit has tested {name}" in checked.output
    assert re.search(r"ProviderContract: \d+ passed", checked.output)
    assert re.search(r"SilenceContract: \d+ passed", checked.output)
    assert re.search(r"CallbackContract: \d+ passed", checked.output)
    assert "not tested" not in checked.output


def test_a_new_package_is_found_once_pip_has_installed_it(tmp_path: Path) -> None:
    source, target = write_package(tmp_path, "chat_telegram"), tmp_path / "installed"
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(
        [sys.executable, *PIP, "--target", str(target), str(source)], check=True, env=environ
    )
    [found] = distributions(name="angarium-chat-telegram", path=[str(target)])

    sys.path.insert(0, str(target))
    try:
        plugins = load_isolated(
            PluginsSettings(), found.entry_points, {**os.environ, "PYTHONPATH": str(target)}
        )
    finally:
        sys.path.remove(str(target))
        sys.modules.pop("angarium_chat_telegram")

    [plugin] = plugins.plugins
    assert (plugin.version, plugin.error) == ("0.1.0", "")
    assert (plugin.providers, plugin.channels) == (("chat_telegram",), ("chat",))
    assert plugins.channels["chat"].consent_attribute == "chat_opt_in"


@pytest.mark.parametrize(
    ("name", "channel", "error"),
    [
        ("Chat_telegram", None, "cannot be a provider's name"),
        ("telegram", None, "as chat_telegram"),
        ("chat_../../etc", None, "cannot be a provider's name"),
        ("telegram_bot", "chat", "call it chat_telegram_bot"),
        ("chat_telegram", "Chat", "cannot be a channel's name"),
        ("sms_twilio", None, "comes with Angarium"),
    ],
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, channel: str | None, error: str
) -> None:
    with pytest.raises(NameRefused, match=error):
        write_package(tmp_path, name, channel)

    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    write_package(tmp_path, "chat_telegram")

    result = invoke("new", "chat_telegram")

    assert result.exit_code == 1
    assert "is there already" in result.output


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NameRefused, match="cannot be written: Not a directory"):
        write_package(tmp_path / "file", "chat_telegram")


@pytest.mark.parametrize("name", ["chat_telegram", "email_acme"])
def test_a_new_package_has_nothing_that_ruff_or_mypy_would_change(
    tmp_path: Path, name: str
) -> None:
    folder = write_package(tmp_path, name)

    for command in (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_provider_that_the_kit_does_not_test_is_named(tmp_path: Path) -> None:
    folder = write_package(tmp_path, "sms_acme")
    (folder / "tests/test_angarium_sms_acme.py").write_text("def test_nothing(): pass\n")

    result = invoke("check", str(folder))

    assert result.exit_code == 1
    assert "FAIL  the conformance kit does not test sms_acme" in result.output


def test_tests_that_fail_are_shown(tmp_path: Path) -> None:
    folder = write_package(tmp_path, "sms_acme")
    module = folder / "angarium_sms_acme.py"
    module.write_text(module.read_text().replace("address_dead=True", "address_dead=False"))

    result = invoke("check", str(folder))

    assert result.exit_code == 1
    assert "FAIL  its tests do not pass" in result.output
    assert "ProviderContract: 1 failed" in result.output


def test_source_without_an_entry_point_is_no_plugin(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')

    result = invoke("check", str(tmp_path))

    assert result.exit_code == 1
    assert 'names no entry point of "angarium.plugins"' in result.output


def test_source_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    folder = write_package(tmp_path, "sms_acme")
    (folder / "angarium_sms_acme.py").write_text("import os; os._exit(3)\n")

    result = invoke("check", str(folder))

    assert "sms_acme cannot be loaded: its process ended with status 3" in result.output


def test_an_installed_plugin_is_loaded_and_its_settings_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANGARIUM_CHANNELS_EMAIL_SMTP_HOST", "127.0.0.1")

    result = invoke("check", "email_smtp")

    assert result.exit_code == 1
    assert "ok    email_smtp can be loaded" in result.output
    assert "FAIL  email_smtp does not take its settings" in result.output
    assert "channels.email_smtp.from: missing" in result.output


def test_what_is_not_installed_is_said_with_what_is() -> None:
    result = invoke("check", "sms_nowhere")

    assert result.exit_code == 1
    assert "no plugin sms_nowhere is installed; there are: console," in result.output


def test_the_list_names_mistakes_in_settings_and_what_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANGARIUM_CHANNELS_EMAIL_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("ANGARIUM_PLUGINS_OFF", "console")

    result = invoke("list")

    assert result.exit_code == 1
    assert "    channels.email_smtp.from: missing" in result.output
    assert "console  switched off" in result.output
    assert "provider sms_console" not in result.output


def test_the_list_names_a_file_of_the_settings_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apns = {"KEY_FILE": "/nowhere/key.p8", "KEY_ID": "ABCDE12345", "TEAM_ID": "ABCDE12345"}
    for name, text in (apns | {"TOPIC": "org.example.shop"}).items():
        monkeypatch.setenv(f"ANGARIUM_CHANNELS_PUSH_APNS_{name}", text)

    result = invoke("list")

    assert result.exit_code == 1
    assert "    channels.push_apns.key_file: " in result.output


STRANGER = """
import msgspec
from angarium.plugins import Accepted, Message, Provider, hookimpl

class Settings(msgspec.Struct, forbid_unknown_fields=True):
    mode: str = ""

class SmsStranger(Provider):
    name, channel, Settings = "sms_stranger", "sms", Settings
    def __init__(self, settings):
        self.mode = settings.mode
    async def open(self):
        if self.mode == "refuse":
            raise ValueError("mode: there is no such file")
        if self.mode == "raise":
            raise LookupError("hunter2")
    async def send(self, message: Message):
        return Accepted("id")

@hookimpl
def register_providers():
    return [SmsStranger]
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    """What pip would leave of a package with one module and an entry point of its name."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[angarium.plugins]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("good", "ok    sms_stranger opens, refuses a callback that is nonsense, and ends"),
        ("refuse", "FAIL  sms_stranger does not open: channels.sms_stranger: mode: there is no"),
        ("raise", "FAIL  sms_stranger does not start: its process could not open: LookupError"),
    ],
)
def test_a_strangers_plugin_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, told: str
) -> None:
    install(tmp_path, monkeypatch, "sms_stranger", STRANGER)
    monkeypatch.setenv("ANGARIUM_CHANNELS_SMS_STRANGER_MODE", mode)

    result = invoke("check", "sms_stranger")

    assert told in result.stdout
    assert "hunter2" not in result.output
    assert result.exit_code == (mode != "good")


def test_of_two_that_claim_one_name_it_is_said_which_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "sms_double", STRANGER)
    install(tmp_path, monkeypatch, "sms_stranger", STRANGER)

    listed, checked = invoke("list"), invoke("check", "sms_stranger")

    why = "cannot be used: another plugin already has a provider named sms_stranger: sms_double"
    assert f"sms_stranger  (sms_stranger 1.0)  {why} (sms_double)" in listed.output
    assert f"FAIL  sms_stranger {why}" in checked.output


def test_of_one_that_cannot_be_loaded_the_place_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "sms_stranger", "import json\n\nimport not_there_at_all\n")

    checked = invoke("check", "sms_stranger")

    assert "No module named 'not_there_at_all' (sms_stranger.py, line 3)" in checked.output
