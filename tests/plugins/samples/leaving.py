"""Ends the process when it is asked."""

import sys

from angarium.plugins import hookimpl


@hookimpl
def register_providers() -> list[type]:
    sys.exit("I do not like it here")
