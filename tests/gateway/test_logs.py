import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from angarium.config.settings import Log
from angarium.gateway.logs import HIDDEN, clean_text, configure_logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_that_names_its_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(Log(format="json"), process="core")

    structlog.get_logger().info("batch_applied", messages=3, stream="EVENTS")

    [line] = lines(capsys)
    assert list(line)[:4] == ["at", "level", "process", "event"]
    assert str(line.pop("at")).endswith("Z")
    assert line == {
        "level": "info",
        "process": "core",
        "event": "batch_applied",
        "messages": 3,
        "stream": "EVENTS",
    }


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Log(format="json", level="warning"), process="core")

    structlog.get_logger().info("small")
    logging.getLogger("library").info("small")
    structlog.get_logger().warning("large")

    assert [line["event"] for line in lines(capsys)] == ["large"]


def test_a_library_s_lines_have_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Log(format="json"), process="gateway")

    logging.getLogger("somebody.else").info("listening on %s", "somewhere")

    [line] = lines(capsys)
    assert (line["event"], line["process"]) == ("listening on somewhere", "gateway")


def test_requests_are_not_logged_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Log(format="json"), process="gateway")

    logging.getLogger("uvicorn.access").info("GET /health/live 200")

    assert lines(capsys) == []


def test_what_is_bound_to_the_request_is_in_every_line_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(Log(format="json"), process="gateway")
    structlog.contextvars.bind_contextvars(request_id="req-1")

    structlog.get_logger().info("stored")
    logging.getLogger("library").warning("odd")

    assert [line["request_id"] for line in lines(capsys)] == ["req-1", "req-1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ang_ak_A1b2C3d4 was used", f"{HIDDEN} was used"),
        ("Authorization: Bearer abc.def-1", f"Authorization: Bearer {HIDDEN}"),
        ("nats://s3cret@127.0.0.1:4222 is away", f"nats://{HIDDEN}@127.0.0.1:4222 is away"),
        ("postgresql://u:p@db/x", f"postgresql://{HIDDEN}@db/x"),
        ("to sara.k+x@example.co.uk: no", f"to {HIDDEN}: no"),
        ("+989121234567 and 09121234567", f"{HIDDEN} and {HIDDEN}"),
        ("۰۹۱۲۱۲۳۴۵۶۷", HIDDEN),
        ("2026-11-22T10:00:00.000Z", "2026-11-22T10:00:00.000Z"),
        ("dlv_abcdefghijklmnopqrstuvwx 42", "dlv_abcdefghijklmnopqrstuvwx 42"),
    ],
)
def test_text_loses_keys_and_addresses(text: str, shown: str) -> None:
    assert clean_text(text) == shown


def test_no_line_shows_a_secret_or_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Log(format="json"), process="deliver")
    log = structlog.get_logger()

    log.info("sent", address="canary", nested={"token": "canary", "list": ["canary@example.org"]})
    log.info("asked", phone="canary", error=ValueError("canary@example.org"))
    try:
        raise ValueError("canary@example.org has 09121234567 by ang_wk_canary")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed for %s", "canary@example.org")

    assert "canary" not in (said := capsys.readouterr().err)
    assert "09121234567" not in said
    assert "ValueError" in said


def test_text_for_people_hides_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Log(format="console"), process="deliver")

    structlog.get_logger().info("sent", address="canary", count=2)

    said = capsys.readouterr().err
    assert "canary" not in said
    assert "count" in said
