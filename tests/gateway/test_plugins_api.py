"""What is installed and what is missing, over HTTP."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from angarium.config.settings import Settings
from angarium.plugins.manager import Plugins, load_plugins
from tests.gateway.seed import Api

pytest_plugins = ["tests.gateway.api_fixtures"]


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


GROUP = "angarium.plugins"


@pytest.fixture
def plugins() -> Plugins:
    named = {"chat": "tests.plugins.samples.chat", "gone": "tests.plugins.samples.nowhere"}
    return load_plugins([EntryPoint(name, value, GROUP) for name, value in named.items()])


@pytest.fixture
def settings(plugins: Plugins) -> Settings:
    return Settings(channels={name: {} for name in plugins.providers})


async def test_plugins_are_told_with_what_they_bring_and_why_they_fail(
    api: Api, plugins: Plugins
) -> None:
    body = await api.read("/v1/plugins")

    by_name = {plugin["name"]: plugin for plugin in body["data"]}
    assert by_name["chat"]["error"] == ""
    assert by_name["chat"]["providers"] == list(plugins.plugins[0].providers)
    assert "nowhere" in by_name["gone"]["error"]
    assert all(provider["configured"] for provider in body["providers"])
    assert {channel["name"] for channel in body["channels"]} == set(plugins.channels)


async def test_a_channel_that_is_asked_for_and_that_nothing_serves_is_named(api: Api) -> None:
    def content(*channels: str) -> dict[str, Any]:
        return {"content": {"order": list(channels), **{name: {} for name in channels}}}

    await api.seed.campaign("cmp_1", **content("email", "chat"))
    await api.seed.campaign("cmp_2", **content("sms"))
    await api.seed.campaign("cmp_3", workspace="other", **content("push"))
    for workspace, id_ in (("default", "cmp_1"), ("other", "cmp_3")):
        await api.post(f"/v1/campaigns/{id_}/activate", key=workspace)

    body = await api.read("/v1/plugins")

    assert body["missing"] == ["email"]  # cmp_2 is a draft, chat is served
    reachable = {channel["name"]: channel["reachable"] for channel in body["channels"]}
    assert (reachable["chat"], reachable["email"]) == (True, False)
