"""``vagus user``: who signs in to the console with a password. Each command works beside a running server."""

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from .arguments import configuration_options, json_option
from .faults import CommandError
from .key import moment, print_table
from .migrate import on_store
from .surroundings import Surroundings

if TYPE_CHECKING:
    from vagus.apps.console.users import User
    from vagus.store import Store


role_option: Final = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    metavar="ROLE",
    help="viewer, operator, admin or auditor; may be repeated.",
)


@click.group()
def user() -> None:
    """Let people sign in to the console with a password.

    A password is asked for, or read from standard input if that is no terminal.

    \b
    vagus user add ada --role admin
    """


@user.command()
@click.argument("name")
@role_option
@configuration_options
def add(name: str, roles: tuple[str, ...], config: str | None, data_dir: str | None) -> None:
    """Add a user."""
    from vagus.apps.console import users
    from vagus.apps.console.tables import TURN

    surroundings = Surroundings.found(config, data_dir)
    hash = _hash_of_new_password()

    async def enter(store: "Store") -> None:
        async with store.begin(alone=TURN) as transaction:
            await users.add(transaction, name, hash=hash, roles=frozenset(roles), now=time.time())

    try:
        on_store(surroundings, enter)
    except ValueError as error:
        raise CommandError(str(error)) from None
    click.echo(f"added {name} ({', '.join(sorted(roles))})")


@user.command()
@click.argument("name")
@configuration_options
def password(name: str, config: str | None, data_dir: str | None) -> None:
    """Give a user another password. All sessions of the user end within seconds."""
    from vagus.apps.console import sessions, users
    from vagus.apps.console.tables import TURN

    surroundings = Surroundings.found(config, data_dir)
    hash = _hash_of_new_password()

    async def change(store: "Store") -> bool:
        async with store.begin(alone=TURN) as transaction:
            await sessions.end_of(transaction, name)
            return await users.set_hash(transaction, name, hash, now=time.time())

    _needed(name, on_store(surroundings, change))
    click.echo(f"changed the password of {name}")


@user.command()
@click.argument("name")
@role_option
@configuration_options
def role(name: str, roles: tuple[str, ...], config: str | None, data_dir: str | None) -> None:
    """Give a user these roles and no others. All sessions of the user end within seconds, unless nothing changes.

    \b
    vagus user role ada --role viewer --role auditor
    """
    from vagus.apps.console import sessions, users
    from vagus.apps.console.tables import TURN

    surroundings, wanted = Surroundings.found(config, data_dir), frozenset(roles)

    async def change(store: "Store") -> "User | None":
        async with store.begin(alone=TURN) as transaction:
            before = await users.find(transaction, name)
            if before is not None and before.roles != wanted:
                await users.set_roles(transaction, name, wanted, now=time.time())
                await sessions.end_of(transaction, name)
            return before

    try:
        before = on_store(surroundings, change)
    except ValueError as error:
        raise CommandError(str(error)) from None
    _needed(name, before is not None)
    is_news = before is not None and before.roles != wanted
    click.echo(f"{name} {'now has' if is_news else 'already had'} the roles {', '.join(sorted(wanted))}")


@user.command()
@click.argument("name")
@configuration_options
def remove(name: str, config: str | None, data_dir: str | None) -> None:
    """Remove a user. All sessions of the user end within seconds."""
    from vagus.apps.console import sessions, users
    from vagus.apps.console.tables import TURN

    async def take_out(store: "Store") -> bool:
        async with store.begin(alone=TURN) as transaction:
            await sessions.end_of(transaction, name)
            return await users.remove(transaction, name)

    _needed(name, on_store(Surroundings.found(config, data_dir), take_out))
    click.echo(f"removed {name}")


@user.command("list")
@configuration_options
@json_option
def list_(config: str | None, data_dir: str | None, as_json: bool) -> None:
    """List the users, with when each signed in last."""
    from vagus.apps.console import users

    async def look(store: "Store") -> "list[User]":
        async with store.reading() as transaction:
            return await users.every(transaction)

    found = on_store(Surroundings.found(config, data_dir), look)
    if as_json:
        click.echo(msgspec.json.encode([_shown(each) for each in found]))
        return
    print_table([("NAME", "ROLES", "ADDED", "SIGNED IN"), *(_cells(each) for each in found)])


def _shown(user: "User") -> dict[str, Any]:
    return {
        "name": user.name,
        "roles": sorted(user.roles),
        "created_at": user.created_at,
        "signed_in_at": user.signed_in_at,
    }


def _cells(user: "User") -> tuple[str, ...]:
    return user.name, " ".join(sorted(user.roles)), moment(user.created_at), moment(user.signed_in_at)


def _hash_of_new_password() -> str:
    from vagus.auth.passwords import password_hash

    try:
        return password_hash(_new_password())
    except ValueError as error:
        raise CommandError(str(error)) from None


def _new_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    return typed


def _needed(name: str, is_there: bool) -> None:
    if not is_there:
        raise CommandError(f"there is no user {name}: vagus user list shows them")
