"""Channels and filters that plugins add, over HTTP: campaigns are checked as they will be sent."""

from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest

from angarium.core.people.consent import Consent, Word
from angarium.core.people.profile import State
from angarium.gateway.added_content import faults_in
from angarium.plugins import Channel
from angarium.plugins.manager import Plugins, load_plugins
from tests.gateway.seed import NOON, Api

pytest_plugins = ["tests.gateway.api_fixtures"]

CHAT = EntryPoint("chat_sample", "tests.plugins.samples.chat", "angarium.plugins")
VISIT: dict[str, Any] = {"name": "Visit", "send_at": {"trigger": {"event": "Visit"}}}


@pytest.fixture
def plugins() -> Plugins:
    return load_plugins([CHAT])


async def faults(api: Api, **message: Any) -> dict[str, str]:
    """What is wrong with a campaign that says this on the channel of the plugin."""
    answer = await api.post("/v1/campaigns", VISIT | {"content": {"chat": message}})
    assert answer.status_code in (201, 422), answer.text
    return {one["pointer"]: one["detail"] for one in answer.json().get("errors", ())}


async def test_a_campaign_may_use_the_filter_of_a_plugin(api: Api) -> None:
    assert await faults(api, text="{{ profile.word | shout }}") == {}
    unknown = await faults(api, text="{{ profile.word | whisper }}")
    assert unknown == {"/content/chat/text": "line 1: there is no filter 'whisper'"}


async def test_a_content_that_is_not_of_its_channels_shape_is_refused_when_it_is_saved(
    api: Api,
) -> None:
    assert "unknown field txt" in (await faults(api, text="hello", txt="hello"))["/content/chat"]
    assert await faults(api, text=5) == {"/content/chat/text": "Expected str, got int"}


class Row(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    size: int = 1

    def __post_init__(self) -> None:
        if self.title == "ill":
            raise KeyError(self.title)


class Board(msgspec.Struct, forbid_unknown_fields=True):
    rows: tuple[Row, ...]


BOARD = Channel(
    name="board",
    consent_attribute="board_opt_in",
    consent_default="unset",
    address_attribute="board_id",
    address_kind="board_id",
    content=Board,
)


def refuse_ill(text: str, *, html: bool) -> None:
    if "{%" in text:
        raise ValueError("a tag")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"title": "one"}, {"title": "{{ two }}", "size": 2}], []),
        (
            [{"title": "one", "size": "big"}],
            [("/content/board/rows/0/size", "Expected int, got str")],
        ),
        ([{"title": "x"}, {"title": "{% y"}], [("/content/board/rows/1/title", "a tag")]),
        (
            [{"title": "ill"}],
            [("/content/board", "the plugin of this channel cannot read it: KeyError")],
        ),
    ],
)
def test_what_stands_deep_in_a_content_is_checked_where_it_stands(rows: Any, expected: Any) -> None:
    messages = {"sms": {"text": "ours is read elsewhere"}, "board": {"rows": rows}}

    assert list(faults_in(messages, {"board": BOARD}, refuse_ill)) == expected


async def test_a_profile_tells_of_the_consent_to_a_plugins_channel(api: Api) -> None:
    state = State(consents={"chat": Consent(known=Word(False, NOON, 1))})
    await api.seed.person("u1", "prf_1", state=msgspec.json.encode(state).decode())
    await api.seed.person("u2", "prf_2", attributes='{"chat_opt_in": true}')
    await api.seed.person("u3", "prf_3")

    told = [(await api.read(f"/v1/profiles/u{n}"))["consents"]["chat"] for n in (1, 2, 3)]

    assert told == [
        {"state": "opted_out", "reason": "explicit", "at": "2026-11-21T12:00:00.000Z"},
        {"state": "opted_in", "reason": "explicit", "at": None},
        {"state": "unset", "reason": "none", "at": None},
    ]
