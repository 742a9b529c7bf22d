from typing import Any

import pytest
from jsonschema import Draft7Validator

from angarium.core.bus import subjects
from angarium.core.bus.asyncapi import asyncapi_document
from angarium.core.bus.catalogue import ENTRIES, PARAMETERS


def payload(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = asyncapi_document()["components"]["messages"][name]["payload"]
    return schema


def test_every_stream_s_subjects_are_in_the_document_and_no_others() -> None:
    patterns = {
        entry.stream: ".".join("*" if "{" in part else part for part in entry.address.split("."))
        for entry in ENTRIES
        if entry.stream
    }

    assert patterns == subjects.PATTERNS


def test_wake_ups_are_in_no_stream() -> None:
    assert [entry.address for entry in ENTRIES if entry.stream is None] == [
        "angarium.deliver.{channel}"
    ]


def test_every_parameter_is_explained() -> None:
    channels = asyncapi_document()["channels"]
    used = {name for channel in channels.values() for name in channel["parameters"]}

    assert used == set(PARAMETERS)


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi_document()

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for member in value.values() for found in references(member)]
        return []

    found = references(document)
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.name))
def test_every_body_has_a_valid_schema(entry: Any) -> None:
    for schema in entry.bodies.values():
        Draft7Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("message", {"type": "track", "userId": "u1", "event": "Purchase"}),
        ("batch", {"batch": [{"type": "identify", "userId": "u1", "traits": {"city": "Tehran"}}]}),
        ("decision", {"decisionId": "d1", "campaign": "cmp_1", "userId": "u1"}),
        ("feedback", {"kind": "clicked", "at": 1795342831958, "id": "e1", "delivery": "dlv_1"}),
        ("report", {"delivery": "dlv_1", "status": "accepted", "at": "2026-12-01T09:00:00.000Z"}),
    ],
)
def test_bodies_as_they_are_meant_fit(name: str, body: object) -> None:
    Draft7Validator(payload(name)).validate(body)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("message", {"type": "purchase"}),
        ("batch", {}),
        ("decision", {"campaign": "cmp_1", "userId": "u1"}),
        ("report", {"delivery": "dlv_1", "status": "sent", "at": "2026-12-01T09:00:00.000Z"}),
    ],
)
def test_other_bodies_do_not(name: str, body: object) -> None:
    assert not Draft7Validator(payload(name)).is_valid(body)
