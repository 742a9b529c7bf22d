"""What a plugin prints becomes lines of the log: whole, clean, and not endless."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from angarium.gateway.isolation.output import LINE_LENGTH, LINES_A_MINUTE, Output


def logged(*pieces: bytes, secrets: tuple[str, ...] = (), hide: tuple[str, ...] = ()) -> list[Any]:
    output = Output("chat_bale", secrets, lambda: hide)
    with capture_logs() as lines:
        for piece in pieces:
            output.take(piece, 0.0)
        output.finish(0.0)
    return [line.get("line", line) for line in lines]


def test_lines_are_whole_however_they_come() -> None:
    assert logged(b"one\ntw", b"o\n", b"\n", b"three") == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("token=hunter2", "token=[hidden]"),
        ("to 4711 now", "to [hidden] now"),
        ("mail a@b.co", "mail [hidden]"),
        ("phone +989121234567", "phone [hidden]"),
        ("red \x1b[31m\x07", "red  [31m "),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "ÿ"),
    ],
)
def test_nothing_that_must_not_be_shown_is(text: str, line: str) -> None:
    assert logged(text.encode() + b"\n", secrets=("hunter2",), hide=("4711", "no")) == [line]


def test_a_line_without_end_is_cut() -> None:
    [line] = logged(b"x" * 10_000)

    assert len(line) == LINE_LENGTH


def test_what_is_too_much_in_a_minute_is_counted_instead() -> None:
    *lines, dropped = logged(b"line\n" * (LINES_A_MINUTE + 7))

    assert len(lines) == LINES_A_MINUTE
    assert (dropped["event"], dropped["lines_left_out"]) == ("plugin_said_too_much", 7)


def test_the_next_minute_is_heard_again() -> None:
    output = Output("chat_bale", (), tuple)
    with capture_logs() as lines:
        output.take(b"line\n" * (LINES_A_MINUTE + 1), 0.0)
        output.take(b"again\n", 61.0)

    assert lines[-2]["lines_left_out"] == 1
    assert lines[-1]["line"] == "again"
