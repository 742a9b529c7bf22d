"""Each provider that comes with Angarium is held to all that the kit says of its kind."""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Final

import pytest

import tests.channels
from angarium.plugins import Provider
from angarium.plugins.manager import load_plugins
from angarium.plugins.testing import (
    CallbackContract,
    KeyContract,
    ProviderContract,
    SilenceContract,
)
from angarium.plugins.testing.harness import Harness

CONTRACTS: Final = (ProviderContract, SilenceContract, KeyContract, CallbackContract)
TALKS_TO_NOBODY: Final = "angarium.channels.console"
TAKE_KEYS: Final = frozenset({"sms_kavenegar", "sms_http", "webhook_http"})
"""Whose vendor takes our key; docs/channels says so of them, and of no other."""


def ours() -> dict[str, type[Provider]]:
    """The providers of the entry points that this package brings."""
    points = entry_points(group="angarium.plugins")
    plugins = load_plugins([one for one in points if one.value.startswith("angarium.")])
    return dict(plugins.providers)


def kinds(provider: type[Provider]) -> set[type[Harness]]:
    """What of the kit is meant for this provider."""
    found: set[type[Harness]] = {ProviderContract}
    if provider.__module__ != TALKS_TO_NOBODY:
        found.add(SilenceContract)
    if provider.name in TAKE_KEYS:
        found.add(KeyContract)
    if provider.parse_callback is not Provider.parse_callback:
        found.add(CallbackContract)
    return found


def covered() -> Iterator[tuple[str, type[Harness]]]:
    """(provider, what of the kit its tests inherit), of all classes that pytest collects."""
    folder = tests.channels
    for module in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}."):
        if not module.name.rpartition(".")[2].startswith("test_"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if name.startswith("Test") and isinstance(kind, type) and issubclass(kind, Harness):
                yield from ((kind.provider.name, one) for one in CONTRACTS if issubclass(kind, one))


@pytest.mark.parametrize("name", sorted(ours()))
def test_a_provider_is_tested_with_all_of_the_kit_that_is_meant_for_it(name: str) -> None:
    missing = kinds(ours()[name]) - {kind for provider, kind in covered() if provider == name}

    assert {kind.__name__ for kind in missing} == set()


def test_only_providers_that_there_are_promise_to_hand_keys_on() -> None:
    assert ours().keys() >= TAKE_KEYS
