"""What a provider promises that hands the idempotency key on."""

from angarium.plugins.message import Message
from angarium.plugins.provider import Provider
from angarium.plugins.testing.harness import Harness


class KeyContract(Harness):
    """Give the method `times_taken`. The counterpart knows keys as the vendor does."""

    async def times_taken(self, message: Message) -> int:
        """How often the counterpart took a message with this one's key for a new one."""
        raise NotImplementedError("say how often the counterpart took it")

    async def test_what_is_sent_again_is_taken_once(self, opened: Provider) -> None:
        message = self.message(key="dlv_again")

        first = await opened.send(message)
        second = await opened.send(message)

        assert await self.times_taken(message) == 1
        assert second == first

    async def test_the_same_text_to_the_same_person_is_taken_twice_under_two_keys(
        self, opened: Provider
    ) -> None:
        messages = [self.message(key="dlv_one"), self.message(key="dlv_two")]

        ids = {(await opened.send(message)).provider_id for message in messages}

        assert [await self.times_taken(message) for message in messages] == [1, 1]
        assert len(ids) == len(messages)
