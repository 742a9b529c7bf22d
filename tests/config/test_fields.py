from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from angarium.config.decode import decode, suggest, variable
from angarium.config.fields import allowed, describe
from angarium.config.settings import Settings


class Example(msgspec.Struct, forbid_unknown_fields=True):
    host: str
    port: Annotated[int, Meta(ge=1, le=9, description="Where it listens.")] = 5
    sender: str = msgspec.field(name="from", default="")
    api_key: str = ""
    tags: list[str] = []

    def __post_init__(self) -> None:
        if self.host == self.sender:
            raise ValueError("host and from must differ")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str, "text"),
        (bool, "true or false"),
        (float | None, "a number"),
        (int | str, "a whole number or text"),
        (tuple[str, ...], "a list of text"),
        (Literal["a", "b"], "one of a, b"),
        (Annotated[int, Meta(ge=1, le=9)], "a whole number from 1 to 9"),
        (Annotated[float, Meta(gt=0)], "a number above 0"),
        (dict[str, str], "a table"),
    ],
)
def test_what_is_allowed_is_said_in_words(annotation: object, words: str) -> None:
    assert allowed(annotation) == words


def test_a_struct_describes_its_settings() -> None:
    fields = {field.name: field for field in describe(Example)}

    assert list(fields) == ["host", "port", "from", "api_key", "tags"]
    assert fields["host"].default is msgspec.NODEFAULT
    assert (fields["port"].default, fields["port"].description) == (5, "Where it listens.")
    assert fields["api_key"].secret
    assert not fields["from"].secret


def test_text_is_read_as_what_the_struct_wants() -> None:
    section, mistakes = decode(Example, {"host": "a", "port": "7", "tags": "x, y"}, "example")

    assert mistakes == ()
    assert section == Example(host="a", port=7, tags=["x", "y"])


def test_each_mistake_in_a_section_is_named() -> None:
    section, mistakes = decode(Example, {"port": 99, "form": "x"}, "channels.example")

    assert section is None
    assert sorted(str(mistake) for mistake in mistakes) == [
        "channels.example.form: there is no such setting. Did you mean from?",
        "channels.example.host: is required: set it, or ANGARIUM_CHANNELS_EXAMPLE_HOST.",
        "channels.example.port: must be a whole number from 1 to 9.",
    ]


def test_what_the_struct_itself_refuses_is_a_mistake_of_the_section() -> None:
    _, mistakes = decode(Example, {"host": "a", "from": "a"}, "example")

    assert [str(mistake) for mistake in mistakes] == ["example: host and from must differ"]


def test_a_variable_is_named_after_its_setting() -> None:
    assert variable("channels.email_smtp.host") == "ANGARIUM_CHANNELS_EMAIL_SMTP_HOST"


@pytest.mark.parametrize(
    ("word", "hint"), [("prot", " Did you mean port?"), ("zebra", ""), ("", "")]
)
def test_a_hint_names_only_what_is_near(word: str, hint: str) -> None:
    assert suggest(word, ["port", "host"]) == hint


def test_every_setting_has_a_meaning() -> None:
    bare = [
        f"{section.name}.{field.name}"
        for section in describe(Settings)
        if section.name != "channels"
        for field in describe(section.type)
        if not field.description.endswith(".")
    ]

    assert bare == []
