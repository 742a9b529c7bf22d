"""`angarium bounces`: what a mail means, in words."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from angarium.gateway.cli import main
from tests.channels.returned import AWAY, FORGED, RUBBISH, abuse, bounce, section

DEAD = "dlv_1 bounced (email_smtp: the mail came back (5.1.1)); the address is dead"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("ANGARIUM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    mails = {"bounce": bounce(), "abuse": abuse("dlv_2"), "forged": FORGED, "away": AWAY}
    for name, raw in {**mails, "rubbish": RUBBISH}.items():
        (tmp_path / name).write_bytes(raw)
    return tmp_path


def bounces(*arguments: str, given: bytes = b"", **changes: object) -> Result:
    settings = {k.upper(): str(v) for k, v in section(**changes).items()}
    environ = {f"ANGARIUM_CHANNELS_EMAIL_SMTP_{k}": v for k, v in settings.items()}
    return CliRunner().invoke(main, ["bounces", *arguments], input=given, env=environ)


def test_the_standard_input_is_read(folder: Path) -> None:
    result = bounces("-", given=bounce())
    assert (result.exit_code, result.output) == (0, f"{DEAD}\n")


def test_each_file_has_its_line(folder: Path) -> None:
    result = bounces("bounce", "abuse", "forged", "away", "rubbish")

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"bounce: {DEAD}",
        "abuse: dlv_2 complained",
        "forged: a report on no message of ours: its return path was not made here",
        "away: neither a bounce nor a complaint",
        "rubbish: no mail: it has no header",
    ]


def test_of_a_large_mail_the_beginning_is_read(folder: Path) -> None:
    assert bounces("-", given=bounce() + b"x" * 2_000_000).output == f"{DEAD}\n"


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "said"),
    [
        (["-"], {"host": "("}, 2, "channels.email_smtp"),
        (["-"], {"bounce_secret": "x"}, 2, "bounce_secret: must have at least"),
        (["--section", "email_other", "-"], {}, 1, "no section [channels.email_other]"),
        (["nowhere"], {}, 2, "nowhere"),
        ([], {}, 2, "FILE"),
    ],
)
def test_what_cannot_be_is_said(
    folder: Path, arguments: list[str], changes: dict[str, object], code: int, said: str
) -> None:
    result = bounces(*arguments, given=bounce(), **changes)
    assert (result.exit_code, said in result.output) == (code, True)
