"""What PostgreSQL's errors mean to the caller of the store."""

import asyncpg

from angarium.core.store.errors import Contention, Refused, StoreError, StoreUnavailable

CAUGHT = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # includes TimeoutError
    UnicodeEncodeError,
)
"""Everything that asyncpg raises when a statement or a connection fails."""

_CONTENTION = (
    "40",  # deadlock, serialization failure
    "55P03",  # lock_timeout
)
_UNAVAILABLE = (
    "08",  # connection lost or refused
    "28",  # log-in refused
    "3D",  # no such database
    "53",  # disk, memory or connections exhausted
    "57P",  # shutting down, starting up
    "58",  # input or output failed
    "XX",  # damage
    "25P03",  # idle_in_transaction_session_timeout
    "57014",  # statement_timeout, or cancelled by the administrator
)
_READ_ONLY = "25006"


def meaning(error: Exception, *, closed: bool = False, readonly: bool = False) -> StoreError:
    """`closed`: the connection is gone. `readonly`: the caller had promised to write nothing."""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return Contention(f"the schema has just been changed: {error}")
    if isinstance(error, asyncpg.PostgresError):
        return _by_state(error, readonly=readonly)
    if isinstance(error, ValueError):  # its text shows the value, which may be about a person
        return Refused(f"a value does not fit its column ({type(error).__name__})")
    if isinstance(error, asyncpg.InterfaceError) and not closed:
        return Refused(str(error))
    return StoreUnavailable(f"the database cannot be reached: {str(error) or type(error).__name__}")


def _by_state(error: asyncpg.PostgresError, *, readonly: bool) -> StoreError:
    state = error.sqlstate or ""
    text = f"{error.args[0]} ({state})"  # without the detail, which shows the row
    if state.startswith(_CONTENTION):
        return Contention(text)
    if state.startswith(_UNAVAILABLE) or (state == _READ_ONLY and not readonly):
        return StoreUnavailable(f"the database does not serve us: {text}")
    return Refused(text)
