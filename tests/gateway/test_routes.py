"""From sections of the settings to what the delivery workers choose between."""

from pathlib import Path

import pytest

from angarium.config.load import load_settings
from angarium.core.delivery.routes import Route
from angarium.gateway.routes import build_routes, channel_of, kinds, sections_of
from angarium.plugins.manager import Plugins, load_plugins
from angarium.plugins.settings import SettingsInvalid

FILE = """
[channels.email_smtp]
host = "relay1.example.org"
from = "shop@example.org"
per_second = 20

[channels.email_second]
provider = "email_smtp"
host = "relay2.example.org"
from = "shop@example.org"

[channels.sms_console]
weight = 0
"""


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


def test_the_order_is_that_of_the_sections_of_a_channel(plugins: Plugins, tmp_path: Path) -> None:
    file = tmp_path / "angarium.toml"
    file.write_text(FILE)
    environ = {"ANGARIUM_CHANNELS_EMAIL_SECOND_WEIGHT": "3"}
    sections = load_settings(file, environ).channels

    routes = {route.name: (route, provider) for route, provider in build_routes(plugins, sections)}

    assert {name: route for name, (route, _) in routes.items()} == {
        "email_smtp": Route(name="email_smtp", order=1, per_second=20.0),
        "email_second": Route(name="email_second", order=2, weight=3),
        "sms_console": Route(name="sms_console", order=1, weight=0),
    }
    assert {provider.name for _, provider in routes.values()} == {"email_smtp", "sms_console"}
    assert sections_of(sections, "email_smtp") == ["email_smtp", "email_second"]
    assert {channel_of(plugins, kind) for kind in kinds(sections).values()} == {"email", "sms"}


def test_a_section_that_stands_in_the_environment_alone_is_read_too(plugins: Plugins) -> None:
    environ = {
        "ANGARIUM_CHANNELS_SMS_SECOND_PROVIDER": "sms_console",
        "ANGARIUM_CHANNELS_SMS_SECOND_ORDER": "7",
    }
    [(route, provider)] = build_routes(plugins, load_settings(None, environ).channels)
    assert (route, provider.name) == (Route(name="sms_second", order=7), "sms_console")


def test_a_provider_may_be_kept_to_some_of_its_platforms(plugins: Plugins) -> None:
    account = {"service_account_file": "/nowhere.json"}
    [(route, _)] = build_routes(plugins, {"push_fcm": account})
    assert route.platforms == ("android", "ios")
    [(route, _)] = build_routes(plugins, {"push_fcm": {**account, "platforms": ["android"]}})
    assert route.platforms == ("android",)
    with pytest.raises(SettingsInvalid, match="push_fcm sends to android, ios only"):
        build_routes(plugins, {"push_fcm": {**account, "platforms": ["web"]}})
