"""The rules in force, read anew when somebody has changed a definition."""

from collections.abc import Iterable

import structlog

from angarium.core.campaigns.rules import RuleBook, compile_rules
from angarium.core.delivery.rules import NO_RULES, MessageRules
from angarium.core.store.campaigns import definitions_revision
from angarium.core.store.protocol import Transaction
from angarium.core.store.runs import StoredRule, list_rules
from angarium.core.workers.planning import Channels

log = structlog.get_logger()

EMPTY = compile_rules((), zone="UTC")


class RuleShelf:
    """The rule books of all workspaces; one for each process."""

    def __init__(self, channels: Channels, zone: str, messages: MessageRules = NO_RULES) -> None:
        """`zone`: of people whose own is not known (IANA). `messages`: the operator's rules."""
        self.channels = channels
        self.messages = messages
        self._zone = zone
        self._revision = -1
        self._books: dict[str, RuleBook] = {}

    async def refresh(self, tx: Transaction) -> None:
        """Make sure that the rules are those of this transaction's snapshot."""
        revision = await definitions_revision(tx)
        if revision != self._revision:
            self._books = self._compile(await list_rules(tx))
            self._revision = revision

    def book(self, workspace: str) -> RuleBook:
        """The rules of a workspace."""
        return self._books.get(workspace, EMPTY)

    def _compile(self, stored: Iterable[StoredRule]) -> dict[str, RuleBook]:
        by_workspace: dict[str, list[StoredRule]] = {}
        for rule in stored:
            by_workspace.setdefault(rule.workspace, []).append(rule)
        books = {
            workspace: compile_rules(
                [rule for rule in rules if rule.entering],
                zone=self._zone,
                older=[rule for rule in rules if not rule.entering],
            )
            for workspace, rules in by_workspace.items()
        }
        for book in books.values():
            for (campaign, version), faults in book.unreadable.items():
                log.error(
                    "definition_unreadable", campaign=campaign, version=version, faults=len(faults)
                )
        return books
