"""Reading what vendors post back: a stranger's plugin reads it in a process of its own."""

import asyncio
from collections.abc import Mapping, Sequence

from angarium.gateway.isolation.provider import IsolatedProvider
from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.provider import Provider


async def read_callback(provider: Provider, request: CallbackRequest) -> Sequence[StatusUpdate]:
    """What `parse_callback` gives, wherever it runs.

    Raises PermissionError and ValueError as that does, and Resting while the plugin does not work.
    """
    if isinstance(provider, IsolatedProvider):
        return await provider.read_callback(request)
    return provider.parse_callback(request)


async def close_readers(providers: Mapping[str, Provider]) -> None:
    """End the processes that were started to read callbacks; no provider was opened for that."""
    isolated = [one for one in providers.values() if isinstance(one, IsolatedProvider)]
    await asyncio.gather(*(provider.close() for provider in isolated))
