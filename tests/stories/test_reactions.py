"""What an app tells of a message it was given: shown, opened, clicked, dismissed (S1.14)."""

import pytest

from tests.parts.instance import Instance, ago
from tests.stories.test_links import Story, begin, until_reacted
from tests.stories.test_published_uses import track


@pytest.fixture
async def story(instance: Instance) -> Story:
    return await begin(instance)


async def test_what_an_app_reports_of_a_message_is_counted(
    instance: Instance, story: Story
) -> None:
    (row,) = (await instance.ask("/v1/deliveries", campaign=story.campaign))["data"]
    delivery = row["id"]
    strange = [
        track(story.user, "Message Opened", ago(), **properties)
        for properties in ({"delivery": 7}, {}, {"delivery": "x"}, {"delivery": ["dlv_1"]})
    ]
    shown, opened, clicked, dismissed = (
        track(story.user, f"Message {what}", ago(), delivery=delivery)
        for what in ("Shown", "Opened", "Clicked", "Dismissed")
    )

    await instance.send(*strange, shown, opened, opened, clicked, dismissed)
    await instance.send(opened)

    await until_reacted(
        instance, story.campaign, {"shown": 1, "opened": 1, "clicked": 1, "dismissed": 1}
    )
    stats = await instance.stats(story.campaign)
    assert stats["reactions"]["opened"] == stats["reactions_total"]["opened"] == 1
    profile = await instance.ask(f"/v1/profiles/{story.user}")
    assert profile["events"]["Message Opened"]["count"] == 5
