"""The name of a request: the client's own when it is safe, else a new one, and always the same."""

from typing import Any

import pytest

from angarium.gateway.request_ids import request_id_of


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"headers": list(headers), "state": {}}


@pytest.mark.parametrize(
    "given", ["a", "req-1", "0af7651916cd43dd8448eb211c80319c", "x" * 64, "a/b"]
)
def test_a_safe_id_of_the_client_is_kept(given: str) -> None:
    assert request_id_of(scope((b"x-request-id", given.encode()))) == given


@pytest.mark.parametrize("given", ["", " ", "a b", 'a"b', "a\\b", "x" * 65, "سلام", "a\r\nb"])
def test_any_other_is_replaced(given: str) -> None:
    found = request_id_of(scope((b"x-request-id", given.encode())))

    assert found != given
    assert len(found) == 20


def test_a_request_keeps_its_id() -> None:
    request = scope()

    assert request_id_of(request) == request_id_of(request)
    assert request_id_of(request) != request_id_of(scope())
