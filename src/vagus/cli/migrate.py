"""``vagus migrate``: the schema of the store, brought up to date without a server; and how commands reach the store."""

import asyncio
from typing import TYPE_CHECKING, TypeVar

import click
import msgspec

from vagus.kernel.errors import ConflictError, StoreError

from .arguments import configuration_options, json_option
from .faults import CommandError, ConfigurationError
from .surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vagus.store import Schema, Step, Store

T = TypeVar("T")


@click.command()
@configuration_options
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if there is something to do.")
@json_option
def migrate(config: str | None, data_dir: str | None, check: bool, as_json: bool) -> None:
    """Bring the database's schema up to date, and say what was done.

    A server does this by itself when it starts. There is no way back but a backup: vagus export makes one.

    \b
    vagus migrate --check && echo "nothing to do"
    """
    surroundings = Surroundings.found(config, data_dir)
    schema, due = on_store(surroundings, _look if check else _migrate, start=False)
    if as_json:
        found = {"present": schema.present, "needed": schema.needed, "steps": due, "done": not check}
        click.echo(msgspec.json.encode(found))
    else:
        for step in due:
            click.echo(f"{step.revision}  {step.text}")
        click.echo(f"the schema {'would be' if check and due else 'is'} {schema.needed}")
    if check and due:
        raise SystemExit(1)


async def _look(store: "Store") -> "tuple[Schema, tuple[Step, ...]]":
    from vagus.store.migrating import Migrations

    schema = await store.schema()
    migrations = await asyncio.to_thread(Migrations)  # it reads files
    return schema, migrations.due(schema.present)


async def _migrate(store: "Store") -> "tuple[Schema, tuple[Step, ...]]":
    schema = await store.schema()
    return schema, await store.migrate()


def on_store(
    surroundings: Surroundings, work: "Callable[[Store], Awaitable[T]]", *, start: bool = True, make: bool = False
) -> T:
    """Do something with the store of a server here, whether one runs or not.

    Without ``start`` the schema stays as it is. With ``make`` there need not be a database yet.
    """
    from vagus.server.storing import sqlite_file, store_of

    try:
        file = sqlite_file(surroundings.settings, surroundings.folder)
        store = store_of(surroundings.settings, surroundings.folder)
    except ValueError as error:
        raise ConfigurationError(f"store.url: {error}") from None
    if file is not None and not make and not file.exists():
        raise CommandError(
            f"there is no database at {file} yet: vagus serve makes it; --data-dir names the folder of another server"
        )
    try:
        return asyncio.run(_on(store, work, start=start))
    except (StoreError, ConflictError) as error:
        raise CommandError(str(error)) from None


async def _on(store: "Store", work: "Callable[[Store], Awaitable[T]]", *, start: bool) -> T:
    await (store.start() if start else store.open())
    try:
        return await work(store)
    finally:
        await store.close()
