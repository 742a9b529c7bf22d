"""Whether somebody asked for messages on a channel (S2.10).

Who gave an address is opted in by default, where the channel's rule says so. An explicit word
rules: the latest by event time; and of what was said before and after people became one, the
stricter. So an opt-out made while anonymous counts as said at the moment of the login that
made that visitor known; an opt-in made while anonymous never outweighs a word of the known person.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from angarium.core.people.devices import Permission
from angarium.plugins.channel import BUILT_IN_CHANNELS, Channel

RECORDS_KEPT = 20
STRICTER: Final = 2**32
"""More than any message's own tie."""


def channels_by_attribute(added: Iterable[Channel] = ()) -> dict[str, str]:
    """Channels' names, ours and those added, by the attributes that hold people's consents."""
    return {one.consent_attribute: one.name for one in (*added, *BUILT_IN_CHANNELS)}


CONSENT_OF: Final[Mapping[str, str]] = channels_by_attribute()


class Word(msgspec.Struct, array_like=True):
    """One explicit word; `bound_at` is the first login at or after it (None: still anonymous)."""

    opted_in: bool
    at: int
    tie: int
    reason: str = "explicit"
    anonymous_id: str | None = None
    bound_at: int | None = None


class Consent(msgspec.Struct, array_like=True):
    """All that was said of one channel: the known person's last word, and the visitors' words."""

    known: Word | None = None
    anonymous: list[Word] = []


class Standing(msgspec.Struct):
    """Where a person stands: `opted_in`, `opted_out` or `unset`, why and since when."""

    state: str
    reason: str
    at: int | None = None


def say(consent: Consent | None, word: Word) -> Consent:
    """The consent after one more word, in whatever order words come."""
    consent = consent or Consent()
    if word.anonymous_id is None:
        if consent.known is None or _order(word) > _order(consent.known):
            consent.known = word
    elif word not in consent.anonymous:
        words = sorted([*consent.anonymous, word], key=_order)
        consent.anonymous = words[-RECORDS_KEPT:]
    return consent


def tie_of(tie: int, opted_in: bool) -> int:
    """What decides between words of one instant: the stricter rules; then the message's own tie."""
    return tie if opted_in else tie + STRICTER


def bind(consent: Consent, anonymous_id: str, at: int) -> bool:
    """Note a login: words of that visitor up to `at` are bound by it. Whether anything changed."""
    changed = False
    for word in consent.anonymous:
        nearer = word.bound_at is None or at < word.bound_at
        if word.anonymous_id == anonymous_id and word.at <= at and nearer:
            word.bound_at = at
            changed = True
    return changed


def merge(left: Consent | None, right: Consent) -> Consent:
    """The consent of two profiles that are one person's."""
    merged = left or Consent()
    for word in ([right.known] if right.known else []) + right.anonymous:
        merged = say(merged, word)
    return merged


def explicit(consent: Consent) -> Word | None:
    """The word that rules, if anything was ever said."""
    strict = consent.known
    weak: Word | None = None
    for word in _last_words(consent.anonymous):
        if word.opted_in and word.bound_at is not None:
            weak = word
            continue
        heard = word if word.bound_at is None else msgspec.structs.replace(word, at=word.bound_at)
        if strict is None or _order(heard) >= _order(strict):
            strict = heard
    return strict or weak


def standing(consent: Consent | None, has_address: bool, since: int | None) -> Standing:
    """The standing on a channel; `has_address` only where an address opts in by default."""
    word = explicit(consent) if consent is not None else None
    if word is not None:
        return Standing("opted_in" if word.opted_in else "opted_out", word.reason, word.at)
    return Standing("opted_in", "default", since) if has_address else Standing("unset", "none")


def heed(said: Standing, allowed: Permission) -> Standing:
    """The standing of one whose browser or phone spoke too (S2.10).

    Their own word rules, save that none outlives a later refusal of the permission.
    """
    refused_since = not allowed.granted and allowed.at >= (said.at or 0)
    if said.state != "unset" and not refused_since:
        return said
    return Standing("opted_in" if allowed.granted else "opted_out", "permission", allowed.at)


def standings(
    consents: Mapping[str, Consent],
    attributes: Mapping[str, Any],
    channels: Iterable[Channel] = BUILT_IN_CHANNELS,
) -> dict[str, Standing]:
    """Where a person stands on each channel, by its name."""
    return {
        channel.name: standing(
            consents.get(channel.name),
            channel.consent_default == "opted_in"
            and bool(attributes.get(channel.address_attribute)),
            None,
        )
        for channel in channels
    }


def _order(word: Word) -> tuple[int, int, bool]:
    return (word.at, word.tie, not word.opted_in)


def _last_words(words: Iterable[Word]) -> list[Word]:
    """The last word of each visit: a visit ends at the login that bound it."""
    last: dict[tuple[str | None, int | None], Word] = {}
    for word in words:
        key = (word.anonymous_id, word.bound_at)
        if key not in last or _order(word) > _order(last[key]):
            last[key] = word
    return list(last.values())
