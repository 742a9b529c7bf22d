"""Two accounts of one provider, of which the first is away, on a whole instance."""

from collections.abc import AsyncIterator

import pytest

from tests.counterparts.smtp_catcher import smtp_catcher
from tests.parts.instance import Instance, ago, running_instance
from tests.stories.test_published_uses import identify, person, track


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """`email_first` sends to a port where nobody listens any more; `email_smtp` stands by."""
    async with smtp_catcher() as gone:
        port = gone.port
    first = {
        "PROVIDER": "email_smtp",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "FROM": "Shop <shop@example.org>",
        "ORDER": "1",
    }
    environ = {f"ANGARIUM_CHANNELS_EMAIL_FIRST_{name}": value for name, value in first.items()}
    environ |= {
        "ANGARIUM_CHANNELS_EMAIL_SMTP_ORDER": "2",
        "ANGARIUM_CHANNELS_EMAIL_SMTP_PER_SECOND": "200",
    }
    async with running_instance(tmp_path_factory.mktemp("instance"), environ) as running:
        yield running


async def test_every_mail_goes_out_once_by_way_of_the_one_that_works(instance: Instance) -> None:
    campaign = await instance.campaign("Welcome", {"trigger": {"event": "Arrived"}})
    people = [person(f"p{n}") for n in range(20)]
    for user, mail in people:
        await instance.send(identify(user, mail), track(user, "Arrived", ago(seconds=1)))

    await instance.until_stats(campaign, accepted=len(people))

    assert [len(instance.mails(mail)) for _, mail in people] == [1] * len(people)
    figures = await instance.ask("/v1/deliveries/stats", group_by="provider", campaign=campaign)
    sent = {group["provider"]: group["accepted"] for group in figures["groups"]}
    assert sent == {"email_smtp": len(people)}
    plugins = await instance.ask("/v1/plugins")
    [email] = [channel for channel in plugins["channels"] if channel["name"] == "email"]
    assert email["providers"] == ["email_first", "email_smtp"]
