"""The right name, without the mark."""


def register_providers() -> list[type]:
    return []
