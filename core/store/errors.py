"""What can go wrong with the store, by what the caller should do.

    StoreError
    ├── Contention          begin the transaction again, a little later (see retry.py)
    ├── StoreUnavailable    wait until the operator or time has mended it
    ├── Refused             do not repeat it: the statement or a value can never be stored
    ├── SchemaTooNew        start a newer Angarium
    └── QueryMistake        fix the code: a query file, or a call of a query, is wrong

The database's own exception is always kept as the cause (`raise … from`).
"""


class StoreError(Exception):
    """Something is wrong with the store."""


class Contention(StoreError):
    """Others were writing the same rows; nothing was changed, so the work may be done again.

    Deadlock, serialization failure, lock time-out (PostgreSQL classes 40 and 55P03), a lock on the
    file that was not to be had in time (SQLite).
    """


class StoreUnavailable(StoreError):
    """The database cannot be reached or cannot write: connection, disk, permissions, damage.

    Raised out of a commit it leaves open whether the transaction took effect; repeat only work
    that is safe to repeat (the positions' fence, insert-if-absent).
    """


class Refused(StoreError):
    """The database refuses the statement or one of its values, now and whenever it is repeated.

    A broken unique or not-null rule, text with a NUL character, a number beyond 64 bits.
    """


class SchemaTooNew(StoreError):
    """The database was migrated by a newer Angarium than this one."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the database is at schema version {found}, this Angarium knows versions up to "
            f"{known}: start the newer Angarium again, or restore a backup made before it"
        )
        self.found = found
        self.known = known


class QueryMistake(StoreError):
    """The code is wrong: an unknown or double query, a missing or extra value, a nested block."""
