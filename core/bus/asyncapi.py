"""The AsyncAPI 3 document of what is said over NATS."""

import re
from typing import Any

from angarium.core.bus.catalogue import ENTRIES, PARAMETERS, Entry

_PARAMETER = re.compile(r"\{(\w+)\}")


def asyncapi_document(version: str = "1") -> dict[str, Any]:
    """The document, made of the catalogue. Members are in a fixed order."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Angarium over NATS",
            "version": version,
            "description": (
                "Angarium receives events, decisions and feedback over NATS JetStream, and tells "
                "what became of every message. Publish with a NATS request: the answer is "
                "JetStream's acknowledgement that the message is safe on disk."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": (
                    "`connection.json` in the data directory holds the address with its token."
                ),
            }
        },
        "channels": {entry.name: _channel(entry) for entry in ENTRIES},
        "operations": dict(_operation(entry) for entry in ENTRIES),
        "components": {
            "messages": {
                name: {"name": name, "payload": schema}
                for entry in ENTRIES
                for name, schema in entry.bodies.items()
            }
        },
    }


def _channel(entry: Entry) -> dict[str, Any]:
    return {
        "address": entry.address,
        "description": f"{entry.about} {_kept(entry)}",
        "parameters": {
            name: {"description": PARAMETERS[name]} for name in _PARAMETER.findall(entry.address)
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in entry.bodies},
    }


def _operation(entry: Entry) -> tuple[str, dict[str, Any]]:
    verb = "receive" if entry.direction == "in" else "send"
    operation = {
        "action": verb,
        "channel": {"$ref": f"#/channels/{entry.name}"},
        "summary": entry.about,
    }
    return f"{verb}{entry.name.capitalize()}", operation


def _kept(entry: Entry) -> str:
    if entry.stream is None:
        return "No stream keeps it."
    return f"Kept in the stream {entry.stream}."
