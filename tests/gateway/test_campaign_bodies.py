"""Campaigns as bodies: merge patches and editions."""

from typing import Any

import pytest

from angarium.core.store.campaigns import StoredCampaign
from angarium.gateway.campaign_bodies import check_match, merge_patch, tagged, without_unchanged
from angarium.gateway.campaigns import answer
from angarium.gateway.problems import Problem, Refusal

STORED = StoredCampaign("cmp_1", 3, "Cart", "active", 1, 2, 2, '{"name": "Cart"}')


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        # The examples of RFC 7396, appendix A, that begin with an object.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_is_merged_as_rfc_7396_says(old: Any, change: Any, new: Any) -> None:
    assert merge_patch(old, change) == new


def test_an_answer_is_tagged_with_the_edition_that_if_match_names() -> None:
    tag = tagged(answer(STORED)).headers["ETag"]

    check_match(tag, STORED)
    check_match(f'"x", {tag}', STORED)
    check_match("*", STORED)
    check_match(None, STORED)


@pytest.mark.parametrize("header", ['"x"', "", 'W/"3-active-2"', '"3-active-2", "'])
def test_another_edition_is_refused(header: str) -> None:
    changed = StoredCampaign("cmp_1", 3, "Cart", "paused", 1, 2, 2, "{}")

    with pytest.raises(Refusal) as caught:
        check_match(header, changed)

    assert caught.value.problem is Problem.PRECONDITION_FAILED


def test_what_was_told_and_is_unchanged_may_be_sent_back() -> None:
    body = {"id": "cmp_1", "version": 3, "state": "draft", "name": "Cart"}

    assert without_unchanged(body, STORED) == {"state": "draft", "name": "Cart"}
