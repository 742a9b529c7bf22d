"""Print what came of it: tables, one mail, one explanation, and where to look further."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from angarium.gateway.demo.figures import STATES, CampaignFigures, PeopleFigures, Reject, add_up
from angarium.gateway.demo.mails import Mail
from angarium.gateway.demo.runner import Outcome, Refused
from angarium.gateway.demo.screen import Screen

PLANNED: Final = "planned"
REACTIONS: Final = ("opened", "clicked", "unsubscribed")
VERDICTS: Final = {"send": "green", "skip": "red", "hold": "yellow"}
VALUE_LETTERS: Final = 24


class Report:
    """Writes to a screen: with frames and colours on a terminal, as plain lines elsewhere."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._framed = screen.is_terminal

    def show(self, outcome: Outcome) -> None:
        """All of it."""
        self._head("What was sent")
        self._say(_sent(outcome))
        self._head("People")
        self._say(*_people(outcome.people))
        self._head("Events")
        self._print(self._events(outcome.events))
        self._head("Campaigns")
        self._print(self._campaigns(outcome.campaigns))
        self._say(*_sums(outcome))
        self._head("What was not stored, and why: the last of it")
        self._print(self._rejects(outcome.rejects))
        if outcome.sample is not None:
            self._head("One of the mails")
            self._mail(outcome.sample)
        if outcome.refused is not None:
            self._head(f"Why {outcome.refused.user_id} did not get “{outcome.refused.campaign}”")
            self._explain(outcome.refused)

    def places(self, rows: Iterable[tuple[str, str]]) -> None:
        """Addresses and keys, one a line, whole: they are for copying."""
        self._head("Where to look")
        rows = list(rows)
        width = max(len(name) for name, _ in rows)
        for name, text in rows:
            self._screen.console.print(Text(f"  {name:{width}}  {text}"), soft_wrap=True)

    def _events(self, events: Mapping[str, int]) -> Table:
        table = self._table("event", "times")
        for name, count in sorted(events.items(), key=lambda item: -item[1]):
            table.add_row(name, f"{count:,}")
        return table

    def _campaigns(self, campaigns: Sequence[CampaignFigures]) -> Table:
        table = self._table("", *(campaign.name for campaign in campaigns), "all")
        for name, numbers, ends in _rows(campaigns):
            table.add_row(
                name,
                *map(_number, numbers),
                _number(sum(numbers)),
                end_section=ends,
                style="bold" if name == PLANNED else "",
            )
        return table

    def _rejects(self, rejects: Sequence[Reject]) -> Table:
        table = self._table("field", "value", "code", "reason", numbers=False)
        for one in rejects:
            table.add_row(
                Text(one.field or "(the message)"),
                Text(_cut(one.value)),
                one.code,
                Text(one.reason),
            )
        return table

    def _mail(self, mail: Mail) -> None:
        """Without a frame: right-to-left text breaks frames, and frames break long links."""
        lines = [
            f"From: {mail.sender}",
            f"To: {mail.to}",
            f"Subject: {mail.subject}",
            f"List-Unsubscribe: <{mail.unsubscribing}>",
            "",
            *mail.text.strip().splitlines(),
            "",
        ]
        for line in lines:
            self._screen.console.print(Text("  | " + line), soft_wrap=True)
        direction = "right to left" if mail.is_persian else "left to right"
        self._say(f"Its HTML part reads {direction} ({len(mail.html):,} characters).")

    def _explain(self, refused: Refused) -> None:
        decision = refused.decision
        table = self._table("gate", "verdict", "reason", "what it saw", numbers=False)
        for gate in decision["gates"]:
            verdict = gate["verdict"]
            style = VERDICTS.get(verdict, "dim")
            table.add_row(
                gate["gate"], Text(verdict, style), gate["reason"], Text(_json(gate["saw"]))
            )
        self._print(table)
        ended = f"{decision['outcome']}, {decision['reason']}"
        self._say(f"Outcome: {ended} (delivery {decision['delivery']})")

    def _table(self, first: str, *others: str, numbers: bool = True) -> Table:
        table = Table(
            box=box.ROUNDED if self._framed else None,
            header_style="bold",
            pad_edge=True,
            show_edge=self._framed,
        )
        table.add_column(first, no_wrap=True)
        for name in others:
            table.add_column(name, justify="right" if numbers else "left", overflow="fold")
        return table

    def _head(self, title: str) -> None:
        self._screen.console.print()
        self._screen.console.print(Text(title, "bold magenta" if self._framed else ""))

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._screen.console.print(Text("  " + line))

    def _print(self, table: Table) -> None:
        self._screen.console.print(table)


def _sent(outcome: Outcome) -> str:
    return (
        f"{outcome.messages:,} messages in {outcome.requests:,} requests; "
        f"{outcome.rejected} of them refused at the door, some repeated as clients do, "
        f"and {sum(outcome.events.values()):,} events stored, each once."
    )


def _people(people: PeopleFigures) -> list[str]:
    return [
        f"{people.known + people.anonymous:,} people: {people.known:,} known, "
        f"{people.anonymous:,} anonymous.",
        f"{people.browsers:,} anonymous ids turned out to belong to the known ones, "
        f"{people.in_several_browsers:,} of whom came in more than one browser.",
        f"{people.opted_out:,} have opted out of email.",
    ]


def _rows(campaigns: Sequence[CampaignFigures]) -> Iterator[tuple[str, list[int], bool]]:
    """Name, one number for each campaign, and whether a line is drawn below it."""
    yield "enrolled", [one.enrolled for one in campaigns], False
    yield "  stopped in time", [one.stopped for one in campaigns], False
    yield "  still waiting", [one.waiting for one in campaigns], True
    yield PLANNED, [one.totals["planned"] for one in campaigns], False
    for state in STATES:
        numbers = [one.totals[state] for one in campaigns]
        yield "  " + state.replace("_", " "), numbers, state == STATES[-1]
        if state == "skipped":
            for reason in sorted({reason for one in campaigns for reason in one.skipped}):
                yield f"    {reason}", [one.skipped.get(reason, 0) for one in campaigns], False
    for reaction in REACTIONS:
        yield reaction, [one.reactions[reaction] for one in campaigns], False


def _sums(outcome: Outcome) -> list[str]:
    """The line that must hold at every instant, and what a witness says."""
    totals = add_up(outcome.campaigns)
    parts = " + ".join(f"{totals[state]:,} {state.replace('_', ' ')}" for state in STATES)
    lines = [
        "Enrolled counts every start of the clock, also those that a later cart started anew.",
        f"planned {totals['planned']:,} = {parts}",
    ]
    if outcome.mails is not None:
        lines.append(f"The mail server's own log holds {outcome.mails:,} mails.")
    return lines


def _number(number: int) -> str:
    return f"{number:,}" if number else "·"


def _cut(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= VALUE_LETTERS else text[: VALUE_LETTERS - 1] + "…"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode() if value else ""
