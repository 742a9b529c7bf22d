import asyncio
from pathlib import Path

from benchmarks.sink_smpp import HEAD, RESPONSE, answer, open_sink
from tests.benchmarks.sinks import listening

SUBMIT = 0x00000004


def test_an_answer_has_the_sequence_number_of_what_it_answers() -> None:
    found = answer(SUBMIT, 77)
    length, command, status, sequence = HEAD.unpack_from(found)
    assert (length, command, status, sequence) == (len(found), SUBMIT | RESPONSE, 0, 77)
    assert found.endswith(b"\0")


def test_what_needs_no_answer_gets_none() -> None:
    assert answer(0x80000005, 1) == b""  # deliver_sm_resp


async def test_messages_are_answered_in_their_order_however_they_come(tmp_path: Path) -> None:
    messages = b"".join(HEAD.pack(20, SUBMIT, 0, number) + b"body" for number in (1, 2, 3))
    async with listening(open_sink, tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(messages[:27])
        first = await reader.readexactly(len(answer(SUBMIT, 1)))
        writer.write(messages[27:])
        rest = await reader.readexactly(2 * len(first))
        writer.close()
    assert first + rest == b"".join(answer(SUBMIT, number) for number in (1, 2, 3))
