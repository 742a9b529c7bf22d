"""A request that never left, one that may have arrived, and no more than was asked for."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from angarium.channels._guard import Address, GuardedResolver, allowed_by, is_public
from angarium.channels._http import LONGEST_WAIT, Answer, Http, retry_after
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure
from tests.counterparts.http_scripted import (
    HttpScripted,
    Reply,
    hangs_up,
    http_scripted,
    says,
    says_nothing,
    says_raw,
)
from tests.counterparts.smtp_certificates import make_certificate


@pytest.fixture
async def server() -> AsyncGenerator[HttpScripted, None]:
    async with http_scripted() as scripted:
        yield scripted


@asynccontextmanager
async def client(**options: Any) -> AsyncGenerator[Http, None]:
    http = Http("sms_x", **options)
    try:
        yield http
    finally:
        await http.close()


async def test_a_request_and_its_answer(server: HttpScripted) -> None:
    server.reply = says(201, b"taken", X_Thing="a", x_thing="b")
    async with client() as http:
        answer = await http.post(f"{server.url}/send?a=1", body=b"{}", headers={"X-Key": "k"})

    assert (answer.status, answer.body) == (201, b"taken")
    assert answer.headers["x-thing"] == "a, b"
    [heard] = server.heard
    assert heard.line == "POST /send?a=1 HTTP/1.1"
    assert (heard.body, heard.headers["x-key"]) == (b"{}", "k")
    assert heard.headers["user-agent"] == "angarium"


async def test_connections_are_shared_and_counted(server: HttpScripted) -> None:
    async with client(connections=3) as http:
        await asyncio.gather(
            *(http.post(server.url, body=b"x", headers={}) for _ in range(30)),
        )

    assert len(server.heard) == 30
    assert server.connections <= 3


async def test_a_redirect_is_an_answer_like_any_other(server: HttpScripted) -> None:
    server.reply = says(302, Location=f"{server.url}/elsewhere")
    async with client() as http:
        answer = await http.post(server.url, body=b"", headers={})

    assert answer.status == 302
    assert len(server.heard) == 1


async def test_cookies_are_not_kept(server: HttpScripted) -> None:
    server.reply = says(200, Set_Cookie="a=b; Path=/")
    async with client() as http:
        await http.get(server.url, headers={})
        await http.get(server.url, headers={})

    assert "cookie" not in server.heard[1].headers


async def test_no_proxy_is_taken_from_the_environment(
    server: HttpScripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with client() as http:
        assert (await http.get(server.url, headers={})).status == 200


@pytest.mark.parametrize("length", [b"Content-Length: 9000000\r\n", b"Connection: close\r\n"])
async def test_no_more_of_an_answer_is_read_than_was_asked_for(
    server: HttpScripted, length: bytes
) -> None:
    server.reply = says_raw(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 200_000)
    async with client(most_bytes=1000) as http:
        answer = await http.get(server.url, headers={})

    assert answer.body == b"x" * 1000


async def test_a_bomb_is_cut_where_it_would_unfold(server: HttpScripted) -> None:
    server.reply = says(200, gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")
    async with client(most_bytes=1000) as http:
        assert (await http.get(server.url, headers={})).body == b"0" * 1000


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (hangs_up, "no answer came"),
        (says_nothing, "no answer came in time"),
        (says_raw(b"HTTP/1.1 2"), "no answer came in time"),
        (says_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), "no answer came in time"),
        (says_raw(b"SSH-2.0-OpenSSH\r\n\r\n", hang_up=True), "cannot be read"),
        (
            says_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", hang_up=True),
            "cannot be read",
        ),
        (says(200, b"no gzip", Content_Encoding="gzip"), "cannot be read"),
        (says_raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 90_000 + b"\r\n\r\n"), "cannot be read"),
    ],
)
async def test_what_may_have_arrived_is_in_doubt(
    server: HttpScripted, reply: Reply, said: str
) -> None:
    server.reply = reply
    async with client(connect_seconds=0.2, answer_seconds=0.2) as http:
        with pytest.raises(InDoubt, match=f"^sms_x: sent, and .*{said}"):
            await http.post(f"{server.url}/t0ken", body=b"x", headers={})

    assert len(server.heard) == 1


@pytest.mark.parametrize("answered", [0, 1], ids=["a new connection", "one that is open"])
async def test_what_may_have_arrived_is_not_sent_again(server: HttpScripted, answered: int) -> None:
    async with client() as http:
        for _ in range(answered):
            await http.get(server.url, headers={})
        server.reply = hangs_up
        with pytest.raises(InDoubt):
            await http.get(server.url, headers={})

    assert len(server.heard) == answered + 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/t0ken", "https://nowhere.invalid/t0ken"])
async def test_what_never_left_pauses_the_provider(url: str) -> None:
    async with client() as http:
        with pytest.raises(TemporaryFailure, match=r"^sms_x: unable to connect") as caught:
            await http.post(url, body=b"x", headers={})

    assert caught.value.pause
    assert "t0ken" not in repr(caught.value)
    assert caught.value.__cause__ is None


async def test_one_persons_dead_host_pauses_nobody_elses() -> None:
    async with client(one_host=False) as http:
        with pytest.raises(TemporaryFailure) as caught:
            await http.post("http://127.0.0.1:1", body=b"x", headers={})

    assert not caught.value.pause


async def test_a_certificate_that_nobody_vouches_for_stops_the_request(tmp_path: Path) -> None:
    context, trusted = make_certificate(tmp_path)
    async with http_scripted(tls=context) as server:
        url = f"https://localhost:{server.port}"
        async with client() as http:
            with pytest.raises(TemporaryFailure, match="no TLS") as caught:
                await http.post(url, body=b"x", headers={})
        async with client(tls=ssl.create_default_context(cafile=str(trusted))) as http:
            assert (await http.post(url, body=b"x", headers={})).status == 200

    assert caught.value.pause
    assert len(server.heard) == 1


async def test_a_server_that_speaks_no_tls_is_not_in_doubt(server: HttpScripted) -> None:
    async with client(connect_seconds=0.2) as http:
        with pytest.raises(TemporaryFailure, match="unable to connect"):
            await http.post(f"https://127.0.0.1:{server.port}", body=b"x", headers={})


async def test_one_that_is_cut_off_while_it_waits_for_its_turn_was_not_sent(
    server: HttpScripted,
) -> None:
    server.reply = says_nothing
    async with client(connections=1) as http:
        first = asyncio.ensure_future(http.post(server.url, body=b"x", headers={}))
        await server.arrived.wait()
        second = asyncio.ensure_future(http.post(server.url, body=b"x", headers={}))
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
        ends = await asyncio.gather(first, second, return_exceptions=True)

    assert isinstance(ends[0], asyncio.CancelledError)
    assert isinstance(ends[1], TemporaryFailure)


async def test_who_waits_in_vain_for_its_turn_finds_a_slow_service_no_absent_one(
    server: HttpScripted,
) -> None:
    server.reply = says_nothing
    async with client(connections=1, connect_seconds=0.2, answer_seconds=0.2) as http:
        posts = [http.post(server.url, body=b"x", headers={}) for _ in range(8)]
        ends = await asyncio.gather(*posts, return_exceptions=True)

    waited = [end for end in ends if isinstance(end, TemporaryFailure)]
    assert waited
    assert {(str(end), end.pause) for end in waited} == {("sms_x: all connections are busy", False)}


@pytest.mark.parametrize("url", ["", "ftp://example.org", "no url", "http://", "http://[::1"])
async def test_what_is_no_url_fails_for_good(url: str) -> None:
    async with client() as http:
        with pytest.raises(PermanentFailure, match="not a URL"):
            await http.post(url, body=b"x", headers={})


async def test_after_it_was_closed_nothing_leaves(server: HttpScripted) -> None:
    async with client() as http:
        await http.get(server.url, headers={})
    await http.close()
    with pytest.raises(TemporaryFailure, match="is closed"):
        await http.get(server.url, headers={})

    assert len(server.heard) == 1


class Names(AbstractResolver):
    """Another answer at every question, as a rebinding name gives."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=one, port=port, family=2, proto=0, flags=0)
            for one in answer.split()
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433"])
async def test_nothing_that_is_not_public_is_connected_to(server: HttpScripted, host: str) -> None:
    async with client(allowed=is_public, one_host=False) as http:
        with pytest.raises(PermanentFailure, match=r"public|usual way"):
            await http.post(f"http://{host}:{server.port}", body=b"x", headers={})

    assert server.connections == 0


async def test_unless_the_operator_asked_for_it(server: HttpScripted) -> None:
    async with client(allowed=allowed_by(allow_private=True)) as http:
        await http.post(f"http://localhost:{server.port}", body=b"x", headers={})

    assert len(server.heard) == 1


@pytest.mark.parametrize("answer", ["127.0.0.1", "192.0.2.1 127.0.0.1", "127.0.0.1 192.0.2.1"])
async def test_a_name_with_one_bad_answer_leads_nowhere(server: HttpScripted, answer: str) -> None:
    names, allowed = Names(answer), lambda address: str(address) == "192.0.2.1"
    async with client(allowed=allowed, names=names, one_host=False) as http:
        with pytest.raises(PermanentFailure, match="no public address"):
            await http.post(f"http://two.faces:{server.port}", body=b"x", headers={})

    assert server.connections == 0


async def test_a_name_of_the_operators_own_that_is_hijacked_costs_no_message(
    server: HttpScripted,
) -> None:
    async with client(allowed=is_public, names=Names("10.10.34.34")) as http:
        with pytest.raises(TemporaryFailure, match="no public address") as caught:
            await http.post(f"http://hooks.test:{server.port}", body=b"x", headers={})

    assert caught.value.pause
    assert server.connections == 0


async def test_a_name_that_changes_its_mind_is_asked_once(server: HttpScripted) -> None:
    looked_at: list[str] = []

    def allowed(address: Address) -> bool:
        looked_at.append(str(address))
        return str(address) == "127.0.0.1"  # stands for a public address here

    names = Names("127.0.0.1", "169.254.169.254")
    async with client(allowed=allowed, names=names) as http:
        await http.post(f"http://two.faces:{server.port}", body=b"x", headers={})

    assert names.asked == 1
    assert set(looked_at) == {"127.0.0.1"}
    assert len(server.heard) == 1


async def test_the_resolver_of_the_system_is_the_one_that_is_guarded() -> None:
    with pytest.raises(OSError, match="not a public one"):
        await GuardedResolver(is_public).resolve("localhost")


DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 120 "}, 120.0),
        ({"retry-after": "9" * 5000}, LONGEST_WAIT),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "١٢"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT", "date": DATE}, 90.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Fri, 22 Nov 2999 10:00:00 GMT", "date": DATE}, LONGEST_WAIT),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30", "date": DATE}, None),
        ({"retry-after": "Sun, 99 Nov 99999 10:01:30 GMT", "date": DATE}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(Answer(429, headers, b"")) == seconds
