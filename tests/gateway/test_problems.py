"""The one table of refusals, and the shape in which they are said."""

import msgspec
import pytest

from angarium.gateway.problems import Problem, Refusal, catalogue, retry_after, to_pointer


def test_every_code_is_there_once_with_its_status_title_and_remedy() -> None:
    codes = [one["code"] for one in catalogue()]

    assert len(codes) == len(set(codes)) == len(Problem.__members__)
    for one in catalogue():
        assert 400 <= one["status"] <= 599
        assert one["title"]
        assert one["remedy"].endswith(".")


@pytest.mark.parametrize("problem", list(Problem))
def test_a_refusal_has_the_members_of_rfc_9457_and_those_of_segment(problem: Problem) -> None:
    body = msgspec.to_builtins(Refusal(problem, "field x is empty").body("req-1"))

    assert body == {
        "type": f"urn:angarium:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": "field x is empty",
        "code": problem.code,
        "message": f"field x is empty. {problem.remedy}",
        "request_id": "req-1",
        "errors": [],
    }


def test_fields_are_listed_with_their_pointers() -> None:
    body = Refusal(Problem.INVALID, errors=[("/name", "it is empty")]).body("r")

    assert msgspec.to_builtins(body)["errors"] == [{"pointer": "/name", "detail": "it is empty"}]
    assert body.detail == Problem.INVALID.title


def test_a_finer_code_stands_in_place_of_the_problems_own() -> None:
    body = Refusal(Problem.MESSAGE_REFUSED, "no", code="no_id").body("r")

    assert (body.code, body.type) == ("no_id", "urn:angarium:problem:message_refused")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("", ""), ("a", "/a"), ("a.b", "/a/b"), ("a[1].b", "/a/1/b"), ("a[...]", "/a"), ("[0]", "/0")],
)
def test_a_path_becomes_a_json_pointer(path: str, pointer: str) -> None:
    assert to_pointer(path) == pointer


@pytest.mark.parametrize(("seconds", "text"), [(0, "1"), (1, "1"), (17, "17")])
def test_clients_are_told_whole_seconds(seconds: int, text: str) -> None:
    assert retry_after(seconds) == {"Retry-After": text}
