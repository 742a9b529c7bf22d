import msgspec

from angarium.config.environment import known_variables
from angarium.config.reference import settings_page, show


class Pigeon(msgspec.Struct):
    """Carries messages through the air."""

    loft: str
    """Where they
    return to."""
    api_token: str = ""


def test_the_page_names_every_setting_and_its_variable() -> None:
    page = settings_page({"pigeon_white": Pigeon})

    missing = [variable for variable in known_variables() if f"`{variable}`" not in page]
    assert sorted(missing) == ["ANGARIUM_KEYS_ADMIN", "ANGARIUM_KEYS_WRITE"]
    assert "`ANGARIUM_ADMIN_KEY`" in page


def test_a_provider_has_its_own_table() -> None:
    page = settings_page({"pigeon_white": Pigeon})

    assert "## [channels.pigeon_white]\n\nCarries messages through the air." in page
    [row] = [line for line in page.splitlines() if line.startswith("| `loft` ")]
    assert row.endswith("_PIGEON_WHITE_LOFT` | text | *required* | Where they return to. |")
    assert "| text (secret) |" in page


def test_defaults_read_as_in_the_file() -> None:
    values = (8080, 2.5, "IR", "", True, ("*",))

    assert [show(value) for value in values] == [
        "`8080`",
        "`2.5`",
        '`"IR"`',
        "unset",
        "`true`",
        '`["*"]`',
    ]
