"""The machine against a model that knows the whole history in order (G4, G7).

The model is the rule as one would tell it: go through the history by event time, keep a list of
the triggers that nothing has stopped yet, and choose from it by the campaign's mode.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angarium.core.campaigns.machine import collapse
from angarium.core.campaigns.rules import Rule
from angarium.core.campaigns.runs import CANCELLED, Occurrence
from tests.campaigns.examples import ANYBODY, T0, Journal, rule_of

DELAY = 30
"""Seconds; instants in histories are seconds too."""

Kind = Literal["trigger", "both", "stop"]
RANK: Mapping[Kind, int] = {"trigger": 0, "both": 1, "stop": 2}


class Said(NamedTuple):
    at: int
    kind: Kind
    id: str
    device: str | None


class Mode(NamedTuple):
    retrigger: str
    same_device: bool
    same_event: bool


MODES = [
    Mode(retrigger, same_device, same_event)
    for retrigger in ("restart", "ignore", "each")
    for same_device in (False, True)
    for same_event in (False, True)
]


class Model:
    """One person; `alive` are the triggers that nothing has stopped, by event time."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.alive: list[Said] = []
        self.sent: list[int] = []

    def hear(self, said: Said) -> None:
        if said.kind != "trigger":
            self.alive = [one for one in self.alive if not self.counts(said, one)]
        if said.kind != "stop":
            self.alive.append(said)

    def counts(self, stop: Said, trigger: Said) -> bool:
        if not self.mode.same_device or trigger.device is None:
            return True
        return stop.device == trigger.device

    def chosen(self) -> list[Said]:
        """Those whose messages wait."""
        alive = sorted(self.alive, key=lambda said: (said.at, said.id))
        if self.mode.retrigger == "each":
            return alive
        if self.mode.retrigger == "restart":
            return alive[-1:]
        chosen: list[Said] = []
        for one in alive:
            if not chosen or one.at >= chosen[-1].at + DELAY:
                chosen.append(one)
        return chosen

    def tick(self, at: int) -> None:
        """Send what is due, and forget the triggers that gave way to it."""
        for one in [one for one in self.chosen() if one.at + DELAY <= at]:
            self.sent.append(one.at)
            if self.mode.retrigger == "each":
                self.alive = [other for other in self.alive if other != one]
            elif self.mode.retrigger == "restart":
                self.alive = []
            else:
                self.alive = [other for other in self.alive if other.at >= one.at + DELAY]


def expected(mode: Mode, history: Sequence[Said]) -> list[str]:
    """The messages whose triggers wait at the end, whatever order they came in."""
    model = Model(mode)
    for said in sorted(history, key=lambda said: (said.at, RANK[said.kind], said.id)):
        model.hear(said)
    return [said.id for said in model.chosen()]


def rule(mode: Mode) -> Rule:
    def match(name: str, role: str) -> dict[str, object]:
        event = "E" if mode.same_event else name
        return {"event": event, "where": {"property": role, "is": True}}

    return rule_of(
        {
            "trigger": match("T", "triggers"),
            "delay": f"PT{DELAY}S",
            "stop": match("S", "stops"),
            "retrigger": mode.retrigger,
            "same_device": mode.same_device,
        }
    )


RULES = {mode: rule(mode) for mode in MODES}


def occurrence(mode: Mode, said: Said) -> Occurrence:
    name = "E" if mode.same_event else {"trigger": "T", "stop": "S"}[said.kind]
    roles = {"triggers": said.kind != "stop", "stops": said.kind != "trigger"}
    return Occurrence(name, roles, T0 + said.at * 1000, said.id, said.device)


def waiting(journal: Journal) -> list[str]:
    return [str(run.context["messageId"]) for run in journal.waiting]


@st.composite
def histories(draw: st.DrawFn, mode: Mode, span: int) -> list[Said]:
    """In the order of arrival. Where one event is trigger and stop, one that is a stop alone has
    an instant of its own: which of such twins came first, the totals cannot tell."""
    kinds: list[Kind] = ["trigger", "stop"]
    if mode.same_event:
        kinds.append("both")
    said = st.builds(
        Said,
        at=st.integers(0, span // 2).map(lambda half: 2 * half),
        kind=st.sampled_from(kinds),
        id=st.just(""),
        device=st.sampled_from(["phone", "laptop", None]),
    )
    found = draw(st.lists(said, max_size=8))
    ids = draw(st.permutations([f"m{number}" for number in range(len(found))]))
    apart = 1 if mode.same_event else 0
    return [
        one._replace(id=id, at=one.at + (apart if one.kind == "stop" else 0))
        for one, id in zip(found, ids, strict=True)
    ]


EXAMPLES = 40
"""For each mode and each test: some two thousand histories in all."""


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("span", [DELAY - 2, 4 * DELAY])
def test_any_order_of_arrival_comes_to_the_same(mode: Mode, span: int) -> None:
    """As long as nothing has been sent: within the time of waiting, or in one late batch."""

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(histories(mode, span))
    def check(history: list[Said]) -> None:
        journal = Journal(RULES[mode])
        for said in history:
            journal.hear(occurrence(mode, said), T0)
        assert waiting(journal) == expected(mode, history)

    check()


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_in_order_and_with_a_running_clock_the_same_messages_go_out(mode: Mode) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(histories(mode, 6 * DELAY))
    def check(history: list[Said]) -> None:
        journal, model = Journal(RULES[mode]), Model(mode)
        instants = {said.at: said for said in history}  # one at each instant
        for at in sorted({*instants, *range(0, 8 * DELAY, 7)}):
            journal.tick(at * 1000)
            model.tick(at)
            if at in instants:
                journal.hear(occurrence(mode, instants[at]), T0 + at * 1000)
                model.hear(instants[at])
        assert [at // 1000 for at in journal.sent] == model.sent

    check()


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_two_people_who_turn_out_to_be_one_come_to_the_same(mode: Mode) -> None:
    """The first half of the history was one profile's, the second half the other's."""

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(histories(mode, 4 * DELAY), st.integers(0, 8))
    def check(history: list[Said], cut: int) -> None:
        halves = [Journal(RULES[mode], profile="prf_1"), Journal(RULES[mode], profile="prf_2")]
        for journal, part in zip(halves, (history[:cut], history[cut:]), strict=True):
            for said in part:
                journal.hear(occurrence(mode, said), T0)
        joined = halves[0]
        joined.runs |= halves[1].runs
        joined.stops += halves[1].stops
        join(joined)
        assert waiting(joined) == expected(mode, history)
        before = dict(joined.runs)
        join(joined)
        assert joined.runs == before

    check()


def join(journal: Journal) -> None:
    by_device: dict[str, int] = {}
    for stop in journal.stops:
        device = stop.device or ""
        by_device[device] = max(stop.at, by_device.get(device, stop.at))
    journal.save(
        collapse(
            journal.rule,
            [run for run in journal.runs.values() if run.state != CANCELLED],
            ANYBODY,
            T0,
            profile=journal.profile,
            stopped_at=max((stop.at for stop in journal.stops), default=None),
            device_stopped_at=by_device,
        )
    )
