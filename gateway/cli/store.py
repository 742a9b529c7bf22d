"""The commands that work on the store: migrate, keys.

Imports stand inside functions so that `angarium --help` is quick.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from angarium.gateway.cli.options import Chosen, Failure, config_option, load, run_async

if TYPE_CHECKING:
    from angarium.core.store.keys import KeyRecord
    from angarium.core.store.protocol import Transaction

T = TypeVar("T")


@click.command()
@config_option
def migrate(config: Chosen) -> None:
    """Bring the database up to date.

    Its schema, and the first keys if there are none. `angarium up` does it by itself. Running it
    twice, or from two machines at once, does no harm.
    """
    from angarium.core.workers.clock import now
    from angarium.gateway.first import prepare_store

    settings = load(config).settings
    version, keys = run_async(lambda: prepare_store(settings, now()))
    for kind, text in keys.items():
        click.echo(f"New {kind} key, shown only now: {text}")
    click.echo(f"The schema is at version {version}.")


@click.group()
def keys() -> None:
    """Make, list and revoke keys."""


@keys.command("create")
@config_option
@click.option("--kind", type=click.Choice(["admin", "write"]), required=True)
@click.option("--name", required=True, help="What it is for, so that it can be recognised.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="What an admin key may do, as campaigns:write or campaigns:*. Without: everything.",
)
@click.option("--expires", metavar="DURATION", help="ISO 8601, as P90D. Without: never.")
def create_key(
    config: Chosen,
    kind: Literal["admin", "write"],
    name: str,
    scopes: Sequence[str],
    expires: str | None,
) -> None:
    """Make a key and show it, once."""
    from angarium.core.events.times import parse_duration
    from angarium.core.store.keys import make_key, save_key, scope_mistake
    from angarium.core.workers.clock import now
    from angarium.gateway.first import WORKSPACE

    at, text = now(), make_key(kind)
    try:
        expires_at = at + parse_duration(expires) if expires else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from None
    if mistake := scope_mistake(kind, scopes):
        raise click.BadParameter(mistake, param_hint="--scope")

    async def work(tx: "Transaction") -> str:
        return await save_key(
            tx,
            WORKSPACE,
            kind,
            text,
            name=name,
            now=at,
            scopes=list(scopes) or None,
            expires_at=expires_at,
        )

    id_ = _in_store(config, work)
    click.echo(f"{id_}  {text}")


@keys.command("list")
@config_option
def list_keys(config: Chosen) -> None:
    """Show the keys.

    Id, kind, state, first and last letters, scopes, name.
    """
    from angarium.core.store import keys as stored
    from angarium.core.workers.clock import now
    from angarium.gateway.first import NEWEST, WORKSPACE

    async def work(tx: "Transaction") -> "list[KeyRecord]":
        return await stored.list_keys(tx, WORKSPACE, before=NEWEST, most=10_000)

    at = now()
    for key in _in_store(config, work):
        scopes = ",".join(key.scopes)
        click.echo(f"{key.id}  {key.kind:5}  {_state(key, at):8}  {key.hint}  {scopes}  {key.name}")


def _state(key: "KeyRecord", at: int) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= at else "in force"


@keys.command("revoke")
@config_option
@click.argument("key_id")
def revoke_key(config: Chosen, key_id: str) -> None:
    """Take a key out of force.

    Every door refuses it within five seconds.
    """
    from angarium.core.store import keys as stored
    from angarium.core.workers.clock import now
    from angarium.gateway.first import WORKSPACE

    async def work(tx: "Transaction") -> bool:
        found = await stored.find_key(tx, WORKSPACE, key_id)
        await stored.revoke_key(tx, WORKSPACE, key_id, now())
        return found is not None

    if not _in_store(config, work):
        raise Failure(f"There is no key {key_id}: `angarium keys list` shows those there are.")
    click.echo(f"{key_id} is revoked.")


def _in_store(config: Chosen, work: "Callable[[Transaction], Awaitable[T]]") -> T:
    from angarium.core.store.errors import Refused
    from angarium.core.store.open import open_store
    from angarium.core.store.retry import transact

    url = load(config).settings.database.url

    async def run() -> T:
        store = await open_store(url)
        try:
            return await transact(store, work)
        finally:
            await store.close()

    try:
        return run_async(run)
    except Failure as failure:
        if isinstance(failure.__cause__, Refused):
            raise Failure("The database has no tables yet: run `angarium migrate` first.") from None
        raise


COMMANDS = (migrate, keys)
