"""Whether a provider can be opened: a file that its settings name may not be there."""

import asyncio
from typing import Final

from angarium.gateway.logs import clean_text
from angarium.plugins.provider import Provider

OPEN_SECONDS: Final = 10.0


async def why_not_open(section: str, provider: Provider) -> str:
    """Open it and close it again; why that failed, by its section's name, "" if it did not."""
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await provider.open()
    except TimeoutError:
        return f"channels.{section}: is not open after {OPEN_SECONDS:g} s"
    except ValueError as error:
        # A provider knows its own name only, and names its settings by that.
        own, given = f"channels.{provider.name}.", f"channels.{section}."
        return clean_text(str(error)).replace(own, given)
    except Exception as error:  # the worker, too, goes on without a provider that raises
        return clean_text(f"channels.{section}: raised {type(error).__name__}: {error}")
    finally:
        await provider.close()
    return ""
