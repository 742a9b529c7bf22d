"""Known people who were joined: whose words a user id stands for, and what their consents become.

A join makes one person's user id mean another person from then on, and all that was said under it
theirs. A person is joined into another once; so joins form trees, whose roots are people.
"""

from collections.abc import Mapping

import msgspec

from angarium.core.people import consent
from angarium.core.people import profile as rules
from angarium.core.people.consent import Consent, Word
from angarium.core.people.identity import profile_of_user
from angarium.core.people.profile import State

MARK = "\x1f"
"""Begins what stands for a joined person where words name their visitor; no anonymous id does."""


class Join(msgspec.Struct, frozen=True):
    """Into whom somebody was joined, and the event time of it (ms)."""

    target: str
    at: int


class Joins:
    """The joins of one workspace, by the user id that means somebody else now."""

    def __init__(self, workspace: str, joins: Mapping[str, Join]) -> None:
        self._workspace = workspace
        self._joins = joins

    def __bool__(self) -> bool:
        return bool(self._joins)

    def find(self, user: str) -> Join | None:
        """The join that ended this person."""
        return self._joins.get(user)

    def path(self, user: str) -> list[str]:
        """The user, whom they were joined into, and so on up to the person that they are now."""
        path = [user]
        while (join := self._joins.get(path[-1])) is not None:
            path.append(join.target)
        return path

    def user_of(self, user: str) -> str:
        """The user id of the person that `user` means now."""
        return self.path(user)[-1] if self._joins else user

    def profile_of(self, user: str) -> str:
        """The profile of the person that `user` means now."""
        return profile_of_user(self._workspace, self.user_of(user))

    def speaker(self, user: str, at: int) -> str:
        """Whom `user` meant at `at`: later than a join it is whom they were joined into."""
        while (join := self._joins.get(user)) is not None and at > join.at:
            user = join.target
        return user

    def is_early(self, user: str | None, at: int) -> bool:
        """Whether what was said then under this id was said before a join of that person."""
        return bool(self._joins) and user is not None and self.speaker(user, at) in self._joins

    def add(self, user: str, join: Join) -> "Joins":
        """With one more; `user` was nobody else's before, and `join.target` is another person."""
        return Joins(self._workspace, {**self._joins, user: join})


def become_one(states: dict[str, State], joins: Joins) -> dict[str, State]:
    """What each person said, as one: `states` by speaker become states by the people they are.

    Of consents the stricter holds at the moment of a join, and later words rule over both.
    """
    for user in [*states]:
        for other in joins.path(user):
            states.setdefault(other, State())
    for user in sorted(states, key=lambda one: len(joins.path(one)), reverse=True):
        join = joins.find(user)
        if join is not None:
            leaving = _leave(states.pop(user), user, join.at)
            states[join.target] = rules.merge(states[join.target], leaving)
    return states


def _leave(state: State, user: str, at: int) -> State:
    """The state as it goes into another person's: where its consents stood is one word of `at`."""
    left = {channel: _stand(said, user, at) for channel, said in state.consents.items()}
    return State(state.cells, left)


def _stand(said: Consent, user: str, at: int) -> Consent:
    early = [word for word in said.anonymous if _heard(word) <= at]
    later = [word for word in said.anonymous if _heard(word) > at]
    word = consent.explicit(Consent(said.known, early))
    if word is not None:
        anonymous_id = f"{MARK}{user}"
        later.append(msgspec.structs.replace(word, anonymous_id=anonymous_id, bound_at=at))
    return Consent(None, later)


def _heard(word: Word) -> int:
    return word.at if word.bound_at is None else word.bound_at
