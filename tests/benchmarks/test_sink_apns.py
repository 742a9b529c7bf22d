from benchmarks.sink_apns import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    SETTINGS,
    answer,
    frame,
    take_frames,
)


def test_frames_are_taken_when_they_are_whole() -> None:
    whole = frame(HEADERS, END_HEADERS, 5, b"abc") + frame(DATA, END_STREAM, 5, b"")
    data = bytearray()
    found: list[tuple[int, int, int, bytes]] = []
    for byte in whole:
        data.append(byte)
        found += take_frames(data)
    assert found == [(HEADERS, END_HEADERS, 5, b"abc"), (DATA, END_STREAM, 5, b"")]
    assert not data


def test_only_what_ends_a_request_is_answered_on_its_stream() -> None:
    assert answer(HEADERS, END_HEADERS, 7, b"abc") == b""
    assert answer(DATA, 0, 7, b"abc") == b""
    ended = bytearray(answer(DATA, END_STREAM, 7, b"abc"))
    assert list(take_frames(ended)) == [(HEADERS, END_HEADERS | END_STREAM, 7, b"\x88")]


def test_settings_and_pings_are_acknowledged_once() -> None:
    assert answer(SETTINGS, 0, 0, b"") == frame(SETTINGS, ACK, 0)
    assert answer(PING, 0, 0, b"12345678") == frame(PING, ACK, 0, b"12345678")
    assert answer(SETTINGS, ACK, 0, b"") == answer(PING, ACK, 0, b"12345678") == b""
