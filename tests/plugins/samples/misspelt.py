"""A hook that does not exist."""

from angarium.plugins import hookimpl


@hookimpl
def register_provider() -> list[type]:
    return []
