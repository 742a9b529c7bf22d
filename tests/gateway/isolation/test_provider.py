"""A provider in a process of its own: what crosses, and what a rogue costs (D17)."""

import asyncio
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from angarium.gateway.isolation.life import BEAT_SECONDS, DUMP_SECONDS, LATE_SECONDS
from angarium.plugins import (
    Accepted,
    EmailContent,
    InDoubt,
    Message,
    PermanentFailure,
    TemporaryFailure,
)
from angarium.plugins.settings import SettingsInvalid
from tests.gateway.isolation.conftest import SECRET, Load, Open
from tests.gateway.isolation.sending import ADDRESS, message, rested, send

QUICK = {"hang_seconds": 1.0}
"""Only where a loop is blocked: on a busy machine every process is late at times."""


async def test_a_strangers_plugin_delivers_and_is_never_imported_here(open_rogue: Open) -> None:
    rogue = await open_rogue()

    assert await rogue.send(message("سلام 🎉")) == Accepted("True-dlv_1")
    assert "angarium_rogue" not in sys.modules


async def test_what_a_provider_may_answer_crosses_as_it_is(open_rogue: Open) -> None:
    rogue = await open_rogue()

    later, never, perhaps = await send(rogue, "later", "never", "perhaps")

    assert isinstance(later, TemporaryFailure)
    assert (later.reason, later.retry_after, later.pause) == ("sms_rogue: busy", 7, True)
    assert isinstance(never, PermanentFailure)
    assert (never.reason, never.address_dead) == ("sms_rogue: gone", True)
    assert isinstance(perhaps, InDoubt)
    assert perhaps.reason == "sms_rogue: no answer"
    assert rogue.keeper.conduct.count == 0


async def test_many_at_once_do_not_mingle(open_rogue: Open) -> None:
    rogue = await open_rogue()

    accepted = await send(rogue, *(f"slow 0.0{n % 10}" for n in range(100)))

    assert [one.provider_id for one in accepted] == [f"True-dlv_{n}" for n in range(100)]


async def test_a_large_message_crosses(open_rogue: Open) -> None:
    rogue = await open_rogue()

    assert await rogue.send(message("متن بلند " * 100_000))


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("raise", "sms_rogue: raised KeyError"),
        ("none", "sms_rogue: did not answer with Accepted"),
        ("odd", "sms_rogue: raised OddOne"),
        ("cancelled", "sms_rogue: raised CancelledError"),
        ("nonsense", "sms_rogue: raised a TemporaryFailure with fields of the wrong kind"),
        ("overflow", "sms_rogue: raised a PermanentFailure with fields of the wrong kind"),
    ],
)
async def test_a_plugin_that_breaks_the_contract_is_named_and_its_send_in_doubt(
    open_rogue: Open, word: str, reason: str
) -> None:
    rogue = await open_rogue()
    with capture_logs() as lines:
        broken, sound = await send(rogue, word, "hello")

    assert isinstance(broken, InDoubt)
    assert broken.reason == reason
    assert isinstance(sound, Accepted)
    [line] = [line for line in lines if line["event"] == "plugin_broke_the_contract"]
    assert (line["plugin"], line["serves"]) == ("sms_rogue", "sms_rogue")
    assert "secret" not in str(lines)


async def test_the_line_that_raised_is_named(open_rogue: Open) -> None:
    rogue = await open_rogue()
    with capture_logs() as lines:
        await send(rogue, "raise")

    [line] = [line for line in lines if line["event"] == "plugin_broke_the_contract"]
    assert line["where"].startswith("angarium_rogue.py:")
    assert line["where"].endswith(" in _raise")


@pytest.mark.parametrize("word", ["hang", "cling"])
async def test_one_that_hangs_is_given_up_at_the_callers_limit(open_rogue: Open, word: str) -> None:
    rogue = await open_rogue()

    [hung] = await send(rogue, word, seconds=0.2)
    [sound] = await send(rogue, "hello")

    assert isinstance(hung, TimeoutError)
    assert isinstance(sound, Accepted)
    assert rogue.keeper.conduct.count == 1


async def test_what_was_given_up_before_it_began_is_surely_not_sent(
    open_rogue: Open, tmp_path: Path
) -> None:
    """Its caller's limit may be shorter than what a loop may stand still."""
    rogue = await open_rogue({"log": str(tmp_path / "vendor.log")})

    blocking, *waiting = await send(rogue, "block", "hello", "hello", seconds=0.2)
    await rested(rogue)
    [again] = await send(rogue, "hello")

    assert isinstance(blocking, TimeoutError)
    assert [type(one) for one in waiting] == [TemporaryFailure, TemporaryFailure]
    assert isinstance(again, Accepted)
    assert (tmp_path / "vendor.log").read_text() == "dlv_0\n"
    assert rogue.keeper.conduct.last == "did not begin a send in time"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("exit", "ended with status 3"),
        ("quit", "called exit()"),
        ("crash", "was ended by SIGSEGV"),
        ("leak", "ran out of its 128 MiB of memory"),
        ("block", "blocked its loop for 1 s"),
        ("spin", "blocked its loop for 1 s"),
        ("seize", "blocked its loop for 1 s"),
    ],
)
async def test_a_process_that_dies_takes_only_what_it_had_begun(
    open_rogue: Open, word: str, reason: str
) -> None:
    """D17: what was not begun is surely not sent; the next send finds a process again."""
    rogue = await open_rogue(memory_mb=128, **(QUICK if "blocked" in reason else {}))
    first = rogue.keeper.pid
    with capture_logs() as lines:
        begun, killer, *rest = await send(rogue, "slow 30", word, "hello", "hello")
    waiting = await send(rogue, "hello")
    await rested(rogue)
    [again] = await send(rogue, "hello")

    assert isinstance(begun, InDoubt)
    assert isinstance(killer, InDoubt)
    assert killer.reason == f"sms_rogue: its process {reason}"
    assert not [one for one in rest if not isinstance(one, Accepted | TemporaryFailure)]
    assert isinstance(waiting[0], TemporaryFailure)
    assert waiting[0].pause
    assert isinstance(again, Accepted)
    assert rogue.keeper.pid != first
    [death] = [line for line in lines if line["event"] == "plugin_died"]
    assert (death["plugin"], death["reason"]) == ("sms_rogue", reason)


@pytest.mark.parametrize("file", [3, 4])
async def test_one_that_closes_the_files_between_us_dies(open_rogue: Open, file: int) -> None:
    """It ends itself, unless its loop waits for ever at what is closed."""
    rogue = await open_rogue(**QUICK)

    begun, *_ = await send(rogue, "slow 30", f"close {file}")

    assert isinstance(begun, InDoubt)
    assert begun.reason in (
        "sms_rogue: its process ended with status 1",
        "sms_rogue: its process blocked its loop for 1 s",
    )


async def test_a_huge_answer_is_cut(open_rogue: Open) -> None:
    rogue = await open_rogue()

    slow, huge = await send(rogue, "slow 0.1", "huge")

    assert isinstance(slow, Accepted)
    assert isinstance(huge, Accepted)
    assert 200 <= len(huge.provider_id) <= 1000


def test_a_blocked_loop_is_ended_within_two_seconds_of_its_limit() -> None:
    """D17; what is added to the limit, by the clock of the process that watches."""
    assert BEAT_SECONDS + LATE_SECONDS + DUMP_SECONDS <= 2.0


async def test_where_a_loop_is_blocked_is_logged(open_rogue: Open) -> None:
    rogue = await open_rogue(**QUICK)
    with capture_logs() as lines:
        await send(rogue, "block")

    said = "\n".join(line["line"] for line in lines if line["event"] == "plugin_said")
    assert "in _block" in said
    assert [line["plugin"] for line in lines if line["event"] == "plugin_blocks_its_loop"]


async def test_what_a_plugin_starts_goes_with_it(open_rogue: Open) -> None:
    rogue = await open_rogue()
    [forked] = await send(rogue, "fork")

    await rogue.close()  # would wait for the fork, which has the same files open

    assert isinstance(forked, Accepted)


async def test_after_so_many_failures_it_is_put_aside_and_then_tried_again(
    open_rogue: Open,
) -> None:
    rogue = await open_rogue(failures=3, aside_seconds=0.5)
    with capture_logs() as lines:
        await send(rogue, "raise", "none", "raise")
        [refused] = await send(rogue, "hello")
        state = rogue.keeper.state
    await rested(rogue)
    [again] = await send(rogue, "hello")

    assert isinstance(refused, TemporaryFailure)
    assert refused.reason.startswith("sms_rogue: put aside after 3 failures (")
    assert state == "aside"
    assert isinstance(again, Accepted)
    [line] = [line for line in lines if line["event"] == "plugin_put_aside"]
    assert line["plugin"] == "sms_rogue"


async def test_one_that_dies_too_often_is_put_aside_as_well(open_rogue: Open) -> None:
    rogue = await open_rogue(failures=2)
    with capture_logs() as lines:
        await send(rogue, "exit")
        await rested(rogue)
        await send(rogue, "exit")

    assert rogue.keeper.state == "aside"
    assert [line["last"] for line in lines if line["event"] == "plugin_put_aside"] == [
        "ended with status 3"
    ]


async def test_what_is_under_way_when_it_is_put_aside_still_ends_well(open_rogue: Open) -> None:
    rogue = await open_rogue(failures=1, aside_seconds=60.0)

    slow, raised = await send(rogue, "slow 0.5", "raise")

    assert isinstance(slow, Accepted)
    assert isinstance(raised, InDoubt)
    assert rogue.keeper.state == "aside"


async def test_it_sees_nothing_of_our_environment_but_what_an_operator_lets_it(
    open_rogue: Open,
) -> None:
    rogue = await open_rogue(environ=["ROGUE_LOG"])

    [names] = await send(rogue, "environ")

    seen = names.provider_id.split()
    assert "PATH" in seen
    assert "ROGUE_LOG" in seen
    assert not [name for name in seen if name.startswith(("ANGARIUM", "AWS"))]


async def test_what_it_prints_is_logged_without_secrets_and_addresses(open_rogue: Open) -> None:
    rogue = await open_rogue()
    with capture_logs() as lines:
        await send(rogue, "print look at")
        await rogue.close()

    said = [line["line"] for line in lines if line["event"] == "plugin_said"]
    assert said == ["look at [hidden] [hidden]"]
    assert SECRET not in str(lines)
    assert ADDRESS not in str(lines)


async def test_a_plugin_cannot_flood_the_log(open_rogue: Open) -> None:
    rogue = await open_rogue()
    with capture_logs() as lines:
        await send(rogue, "flood")
        await rogue.close()

    assert len([line for line in lines if line["event"] == "plugin_said"]) == 120
    [dropped] = [line for line in lines if line["event"] == "plugin_said_too_much"]
    assert dropped["lines_left_out"] == 880


async def test_a_wrong_section_is_refused_with_every_mistake_and_no_value(load: Load) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        load().create_providers({"sms_rogue": {"tokn": "hunter2", "log": 5}})

    assert invalid.value.errors == [
        ("channels.sms_rogue.tokn", "unknown setting; did you mean token?"),
        ("channels.sms_rogue.log", "Expected str, got int"),
    ]


async def test_what_the_settings_struct_itself_finds_wrong_is_told_too(load: Load) -> None:
    with pytest.raises(SettingsInvalid, match="token: has at least 20 letters"):
        load().create_provider("sms_rogue", {"token": "short"})


async def test_one_that_dies_while_it_opens_is_tried_again_later(
    open_rogue: Open, tmp_path: Path
) -> None:
    with capture_logs() as lines:
        rogue = await open_rogue({"opening": "exit"})
    [later] = await send(rogue, "hello")

    assert isinstance(later, TemporaryFailure)
    assert [line["reason"] for line in lines if line["event"] == "plugin_died"] == [
        "ended with status 3"
    ]


async def test_one_that_does_not_open_in_time_is_ended(open_rogue: Open) -> None:
    rogue = await open_rogue({"opening": "hang"}, start_seconds=3.0)

    assert rogue.keeper.conduct.last in ("did not open in 3 s", "did not load in 3 s")


async def test_one_that_does_not_take_its_settings_after_all_says_so(open_rogue: Open) -> None:
    with capture_logs() as lines, pytest.raises(ValueError, match="is not known there"):
        await open_rogue({"opening": "refuse"})

    [line] = [line for line in lines if line["event"] == "plugin_refused_its_settings"]
    assert line["settings"] == ["channels.sms_rogue"]
    assert SECRET not in str(lines)


async def test_one_that_is_slow_to_open_keeps_nobody_waiting(
    open_rogue: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Providers are opened one after the other."""
    monkeypatch.setattr("angarium.gateway.isolation.provider.OPEN_SECONDS", 0.01)
    rogue = await open_rogue({"opening": "slow"})
    is_open = rogue.keeper.pid is not None

    [accepted] = await send(rogue, "hello")

    assert not is_open
    assert accepted == Accepted("True-dlv_0")


async def test_content_of_another_channel_is_not_sent(open_rogue: Open) -> None:
    rogue = await open_rogue()
    mail = Message(key="k", address="a@b.co", content=EmailContent(subject="s"))

    with pytest.raises(TemporaryFailure, match="raised ValidationError"):
        await rogue.send(mail)


async def test_sends_that_nobody_waits_for_any_more_are_cancelled_there(open_rogue: Open) -> None:
    rogue = await open_rogue()
    sending = asyncio.ensure_future(rogue.send(message("slow 1000")))
    await send(rogue, "hello")
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_after_closing_nothing_is_sent(open_rogue: Open) -> None:
    rogue = await open_rogue()
    await rogue.close()
    await rogue.close()

    with pytest.raises(TemporaryFailure, match="was closed"):
        await rogue.send(message())
