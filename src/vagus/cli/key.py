"""``vagus key``: keys for the server's API, of which only the hash is kept: in the configuration, or in the store."""

import math
import re
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .arguments import configuration_options, duration, json_option
from .faults import CommandError
from .migrate import on_store
from .surroundings import Surroundings

if TYPE_CHECKING:
    from vagus.store import Store
    from vagus.store.keys import StoredKey


@click.group()
def key() -> None:
    """Make keys for the server's API, list and revoke them.

    Without any key in its configuration, a server makes one in its data folder. Keys that are saved into its store work
    and end within seconds, without a restart.
    """


@key.command()
@click.option("--name", required=True, metavar="NAME", help="Whose key it is.")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="What it is for; may be repeated. All without.")
@click.option("--expires", type=duration, default="never", metavar="DURATION", help="30m, 12h, 90d; never by default.")
@click.option("--save", is_flag=True, help="Into the store of the server, instead of showing what to configure.")
@configuration_options
@json_option
def new(
    name: str,
    scopes: tuple[str, ...],
    expires: float,
    save: bool,
    config: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Make a key. It is shown this once; the configuration or the store keeps its hash.

    \b
    vagus key new --name billing --scope publish --save
    """
    from vagus.auth.keys import key_hash, new_key

    secret = new_key()
    row: dict[str, Any] = {"name": name, "hash": key_hash(secret), "scopes": list(scopes or ("*",))}
    if expires != math.inf:
        row["expires_at"] = round(time.time() + expires)
    if save:
        row["id"] = _save(Surroundings.found(config, data_dir, may_be_new=True), row).id
    if as_json:
        click.echo(msgspec.json.encode({"key": secret, **row}))
    elif save:
        click.echo(
            f"{secret}\n\nThis is the only time it is shown. Servers take it within seconds; its id is {row['id']}."
        )
    else:
        click.echo(f"{secret}\n\nThis is the only time it is shown. To vagus.toml, add:\n")
        click.echo("[[keys]]\n" + "\n".join(f"{name} = {_toml(value)}" for name, value in row.items()))


def _save(surroundings: Surroundings, row: dict[str, Any]) -> "StoredKey":
    from vagus.store import keys

    if row["name"] in {key.name for key in surroundings.settings.keys}:
        raise CommandError(f"the configuration has a key named {row['name']} already: choose another name")

    async def add(store: "Store") -> "keys.StoredKey":
        async with store.begin() as transaction:
            return await keys.add(transaction, **row | {"scopes": frozenset(row["scopes"])}, now=time.time())

    try:
        return on_store(surroundings, add, make=True)
    except ValueError as error:
        raise CommandError(str(error)) from None


@key.command("list")
@click.option("--all", "revoked", is_flag=True, help="Those that were revoked too.")
@configuration_options
@json_option
def list_(revoked: bool, config: str | None, data_dir: str | None, as_json: bool) -> None:
    """List the keys in the store, with when each was used last, a minute late at most.

    Those of the configuration are there for all to see.
    """
    from vagus.store import keys

    async def look(store: "Store") -> "list[keys.StoredKey]":
        async with store.reading() as transaction:
            return await keys.every(transaction, revoked=revoked)

    rows = on_store(Surroundings.found(config, data_dir), look)
    if as_json:
        shown = [{name: value for name, value in msgspec.to_builtins(row).items() if name != "hash"} for row in rows]
        click.echo(msgspec.json.encode(shown))
        return
    print_table([("ID", "NAME", "SCOPES", "MADE", "USED", "ENDS"), *(_cells(row) for row in rows)])


@key.command()
@click.argument("which", metavar="ID")
@configuration_options
@json_option
def revoke(which: str, config: str | None, data_dir: str | None, as_json: bool) -> None:
    """End a key of the store for good, by its id or its name. Servers refuse it within seconds."""
    from vagus.store import keys

    async def end(store: "Store") -> "keys.StoredKey | None":
        async with store.begin() as transaction:
            return await keys.revoke(transaction, which, now=time.time())

    revoked = on_store(Surroundings.found(config, data_dir), end)
    if revoked is None:
        raise CommandError(f"there is no key {which} in the store: vagus key list shows them")
    if as_json:
        click.echo(msgspec.json.encode({"id": revoked.id, "name": revoked.name, "revoked_at": revoked.revoked_at}))
    else:
        click.echo(f"revoked {revoked.id} ({revoked.name})")


@key.command("hash")
@click.argument("secret", required=False)
def hash_(secret: str | None) -> None:
    """Print the hash of a key. Without an argument it is read from standard input, so that no shell remembers it."""
    from vagus.auth.keys import key_hash

    text = secret if secret is not None else sys.stdin.readline()
    click.echo(key_hash(re.sub(r"\r?\n\Z", "", text)))


def _toml(value: object) -> str:
    """Strings and lists of them are the same in TOML as in JSON."""
    return msgspec.json.encode(value).decode()


def _cells(row: "StoredKey") -> tuple[str, ...]:
    end = moment(row.expires_at) if row.revoked_at is None else f"revoked {moment(row.revoked_at)}"
    return row.id, row.name, " ".join(sorted(row.scopes)), moment(row.created_at), moment(row.used_at), end


def moment(at: float | None) -> str:
    """A time as tables show it, in UTC."""
    return "never" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def print_table(rows: Iterable[tuple[str, ...]]) -> None:
    """Rows of cells, the first with the names of the columns."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
