"""What is used of nats-py; it comes through here, and nowhere else.

nats-py speaks through WebSockets by aiohttp, which takes as long to import as all the rest of it;
nothing here does.
"""

from angarium.config.lean import without

with without("aiohttp"):
    from nats import errors
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

__all__ = ["Client", "Msg", "Subscription", "errors"]
