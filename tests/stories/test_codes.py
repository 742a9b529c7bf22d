"""S1.17: a promo code of its own for each message, and tests that go to those marked as testers."""

import asyncio
from email import message_from_string
from email.policy import default
from typing import Any
from uuid import uuid4

from tests.parts.instance import SEEN_SECONDS, Instance
from tests.stories.test_decisions import NEVER, decision, known, until_state

MAIL = {"subject": "For you", "text": "Your code is {{ code }}."}


async def upload(instance: Instance, id_: str, *codes: str) -> dict[str, Any]:
    return await instance.tell(f"/v1/code-lists/{id_}/codes", list(codes))


async def code_list(instance: Instance, *codes: str) -> dict[str, Any]:
    """A list of its own with these codes."""
    made = await instance.tell("/v1/code-lists", {"name": f"Spring {uuid4().hex}"})
    return await upload(instance, made["id"], *codes) if codes else made


async def decided(instance: Instance, campaign: str, user: str) -> str:
    told = await instance.tell("/v1/decisions", decision(campaign, user))
    return str(told["delivery"])


async def until_tagged(instance: Instance, user: str) -> None:
    async with asyncio.timeout(SEEN_SECONDS):
        while True:
            profile = (await instance.http.get(f"/v1/profiles/{user}")).json()
            if profile["attributes"].get("tags") == ["tester"]:
                return
            await asyncio.sleep(0.05)


def texts(instance: Instance, mail: str) -> list[str]:
    parsed = [message_from_string(one["raw"], policy=default) for one in instance.mails(mail)]
    return [one.get_content().strip() for one in parsed]


async def test_each_message_says_a_code_of_the_uploaded_list(instance: Instance) -> None:
    codes = await code_list(instance, "SPRING-1", "SPRING-2", "SPRING-3")
    campaign = await instance.campaign(
        "Spring", NEVER, content={"email": MAIL}, codes=codes["name"]
    )
    people = [await known(instance, f"coded-{number}") for number in range(2)]

    deliveries = [await decided(instance, campaign, user) for user, _ in people]

    told = [await until_state(instance, one, "accepted") for one in deliveries]
    assert len({row["code"] for row in told}) == 2
    for row, (_, mail) in zip(told, people, strict=True):
        assert texts(instance, mail) == [f"Your code is {row['code']}."]
    figures = (await instance.http.get(f"/v1/code-lists/{codes['id']}")).json()
    assert (figures["total"], figures["given"], figures["free"]) == (3, 2, 1)


async def test_without_codes_a_message_waits_and_explain_says_for_what(instance: Instance) -> None:
    codes = await code_list(instance)
    campaign = await instance.campaign("Empty", NEVER, content={"email": MAIL}, codes=codes["id"])
    user, mail = await known(instance, "waiting")

    delivery = await decided(instance, campaign, user)

    held = await until_state(instance, delivery, "held")
    assert (held["reason"], texts(instance, mail)) == ("no_code", [])
    answer = await instance.http.get(f"/v1/profiles/{user}/explain", params={"campaign": campaign})
    [one] = answer.json()["decisions"]
    assert one["gates"][-1] == {
        "gate": "code",
        "verdict": "hold",
        "reason": "no_code",
        "saw": {"list": codes["id"], "found": False},
    }


async def test_a_test_goes_to_the_testers_with_a_sample(instance: Instance) -> None:
    codes = await code_list(instance, "SPRING-1")
    user, mail = await known(instance, "tester")
    await known(instance, "no-tester")
    answer = await instance.http.put(f"/v1/testers/{user}")
    assert answer.status_code == 204
    await until_tagged(instance, user)
    audience = {"tag": "nobody"}  # a test need not be for its audience
    campaign = await instance.campaign(
        "Tried", NEVER, content={"email": MAIL}, codes=codes["id"], audience=audience
    )

    sent = await instance.tell(f"/v1/campaigns/{campaign}/test", {})

    assert [one["userId"] for one in sent["data"]] == [user]
    row = await until_state(instance, sent["data"][0]["delivery"], "accepted")
    assert (row["test"], row["code"]) == (True, "TEST-CODE")
    assert texts(instance, mail) == ["Your code is TEST-CODE."]
    figures = (await instance.http.get(f"/v1/code-lists/{codes['id']}")).json()
    assert figures["given"] == 0
