import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.core.bus import subjects
from angarium.core.bus.errors import BadToken

ODD = ["", ".", "a.b", "*", ">", "a b", "a\r\nPUB x 0", "ü", "a" * 65, "a\x00", "$JS", "\n", "a\n"]


def test_every_subject_is_built_of_its_tokens() -> None:
    assert [
        subjects.events_subject("default", "_"),
        subjects.decisions_subject("default"),
        subjects.deliver_subject("web_push"),
        subjects.reports_subject("default", "email", "accepted"),
        subjects.rejects_subject("default"),
        subjects.feedback_subject("default"),
        subjects.events_filter(3),
    ] == [
        "angarium.events.default._",
        "angarium.decisions.default",
        "angarium.deliver.web_push",
        "angarium.reports.default.email.accepted",
        "angarium.rejects.default",
        "angarium.feedback.default",
        "angarium.events.3.*.*",
    ]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_token_never_becomes_part_of_a_subject(odd: str) -> None:
    with pytest.raises(BadToken):
        subjects.events_subject("default", odd)
    with pytest.raises(BadToken):
        subjects.reports_subject(odd, "email", "accepted")
    with pytest.raises(BadToken):
        subjects.deliver_subject(odd)


@pytest.mark.parametrize(
    ("subject", "stream"),
    [
        ("angarium.events.default._", subjects.EVENTS),
        ("angarium.decisions.default", subjects.DECISIONS),
        ("angarium.reports.default.sms.failed", subjects.REPORTS),
        ("angarium.rejects.default", subjects.REJECTS),
        ("angarium.feedback.default", subjects.FEEDBACK),
    ],
)
def test_a_subject_belongs_to_one_stream(subject: str, stream: str) -> None:
    assert subjects.stream_of(subject) == stream


@pytest.mark.parametrize(
    "subject",
    [
        "angarium.events.default",
        "angarium.events.default.a.b",
        "angarium.events..a",
        "angarium.deliver.email",
        "angarium.other.default",
        "other.events.default.a",
        "angarium",
        "",
        "angarium.events.default." + "a" * 5000,
        "angarium.events.default.*",
        "angarium.decisions.>",
    ],
)
def test_a_subject_that_no_stream_takes_is_refused(subject: str) -> None:
    with pytest.raises(BadToken):
        subjects.stream_of(subject)


def test_the_refusal_of_a_long_token_stays_short() -> None:
    with pytest.raises(BadToken) as refusal:
        subjects.events_subject("default", "x" * 100_000)

    assert len(str(refusal.value)) < 200


@given(st.text())
def test_any_id_has_a_token_and_always_the_same(id: str) -> None:
    token = subjects.person_token(id)

    assert token == subjects.person_token(id)
    assert subjects.stream_of(subjects.events_subject("default", token)) == subjects.EVENTS


def test_a_person_token_is_the_beginning_of_a_sha_256() -> None:
    assert subjects.person_token("abc") == "ba7816bf8f01cfea414140de5dae2223"


def test_an_id_that_is_no_valid_unicode_still_has_a_token() -> None:
    assert subjects.person_token("\ud800") != subjects.person_token("\ud801")


@given(st.text(), st.integers(1, 64))
def test_a_partition_is_one_of_those_that_there_are(id: str, partitions: int) -> None:
    token = subjects.person_token(id)

    assert 0 <= subjects.partition_of("default", token, partitions) < partitions


@pytest.mark.parametrize(
    ("stored", "workspace"),
    [
        ("angarium.events.0.acme.abc", "acme"),
        ("angarium.decisions.acme", "acme"),
        ("angarium.feedback.acme", "acme"),
        ("angarium.reports.acme.sms.failed", "acme"),
    ],
)
def test_the_workspace_is_read_out_of_a_stored_subject(stored: str, workspace: str) -> None:
    assert subjects.workspace_of(stored) == workspace


@pytest.mark.parametrize("subject", ["angarium.deliver.email", "angarium.deliver.*"])
def test_wake_ups_have_subjects_of_their_own(subject: str) -> None:
    subjects.check_wake_up(subject)


@pytest.mark.parametrize(
    "subject", ["angarium.deliver.>", "angarium.events.default._", "angarium.deliver", "deliver.x"]
)
def test_a_wake_up_goes_to_no_stream(subject: str) -> None:
    with pytest.raises(BadToken):
        subjects.check_wake_up(subject)
