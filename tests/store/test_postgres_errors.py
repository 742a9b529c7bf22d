"""What PostgreSQL's errors mean."""

import asyncpg
import pytest

from angarium.core.store.errors import Contention, Refused, StoreError, StoreUnavailable
from angarium.core.store.postgres_errors import meaning


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DeadlockDetectedError, Contention),
        (asyncpg.SerializationError, Contention),
        (asyncpg.LockNotAvailableError, Contention),
        (asyncpg.InvalidCachedStatementError, Contention),
        (asyncpg.ConnectionDoesNotExistError, StoreUnavailable),
        (asyncpg.AdminShutdownError, StoreUnavailable),
        (asyncpg.CannotConnectNowError, StoreUnavailable),
        (asyncpg.TooManyConnectionsError, StoreUnavailable),
        (asyncpg.DiskFullError, StoreUnavailable),
        (asyncpg.InvalidPasswordError, StoreUnavailable),
        (asyncpg.InvalidCatalogNameError, StoreUnavailable),
        (asyncpg.DataCorruptedError, StoreUnavailable),
        (asyncpg.QueryCanceledError, StoreUnavailable),
        (asyncpg.IdleInTransactionSessionTimeoutError, StoreUnavailable),
        (asyncpg.ReadOnlySQLTransactionError, StoreUnavailable),
        (asyncpg.UniqueViolationError, Refused),
        (asyncpg.UndefinedTableError, Refused),
        (asyncpg.CharacterNotInRepertoireError, Refused),
        (asyncpg.UntranslatableCharacterError, Refused),
        (ConnectionResetError, StoreUnavailable),
        (TimeoutError, StoreUnavailable),
        (asyncpg.InterfaceError, Refused),
        (asyncpg.InternalClientError, StoreUnavailable),
    ],
)
def test_an_error_says_what_to_do(error: type[Exception], expected: type[StoreError]) -> None:
    assert type(meaning(error("reason"))) is expected


def test_a_call_on_a_lost_connection_is_unavailable() -> None:
    error = asyncpg.InterfaceError("the connection is closed")

    assert type(meaning(error, closed=True)) is StoreUnavailable


def test_writing_where_one_promised_not_to_is_refused() -> None:
    error = asyncpg.ReadOnlySQLTransactionError("read-only")

    assert type(meaning(error, readonly=True)) is Refused


def test_no_value_is_told() -> None:
    error = asyncpg.UniqueViolationError("duplicate key")
    error.detail = "Key (address)=(sara@example.com) already exists."

    assert str(meaning(error)) == "duplicate key (23505)"
    assert "sara" not in str(meaning(UnicodeEncodeError("utf-8", "sara\ud800", 4, 5, "no")))


def test_an_error_without_words_is_told_by_its_name() -> None:
    assert "TimeoutError" in str(meaning(TimeoutError()))
