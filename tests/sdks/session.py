"""One visitor's session through a published Python SDK: session.py SDK URL KEY SESSION."""

import json
import sys
from typing import Any

SNAKE = {"userId": "user_id", "anonymousId": "anonymous_id"}


def client_of(sdk: str, url: str, key: str) -> Any:
    if sdk == "segment":
        from segment.analytics.client import Client as SegmentClient

        return SegmentClient(key, host=url, upload_interval=0.1)
    from rudderstack.analytics.client import Client as RudderClient

    return RudderClient(key, host=url, upload_interval=0.1)


def main() -> None:
    sdk, url, key, session = sys.argv[1:]
    client = client_of(sdk, url, key)
    for message in json.loads(session):
        call = getattr(client, message.pop("call"))
        call(**{SNAKE.get(name, name): value for name, value in message.items()})
    client.shutdown()


main()
