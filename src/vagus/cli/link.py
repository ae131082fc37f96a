"""``vagus link``: a link that signs somebody in to the console, once; made where a server runs, or has run before."""

import math
import time
from typing import TYPE_CHECKING

import click
import msgspec

from vagus.kernel.identity import Role

from .arguments import duration, json_option, server_options
from .faults import CommandError
from .migrate import on_store
from .surroundings import Surroundings

if TYPE_CHECKING:
    from vagus.store import Store


@click.command()
@click.option("--role", "roles", multiple=True, default=(Role.ADMIN,), metavar="ROLE", help="admin by default.")
@click.option("--user", metavar="NAME", help="Who signs in by it; the role's name by default.")
@click.option("--ttl", type=duration, default="15m", metavar="DURATION", help="How long it is good: 15m, 12h, 7d.")
@server_options
@json_option
def link(
    roles: tuple[str, ...],
    user: str | None,
    ttl: float,
    url: str | None,
    config: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Make a link that signs in to the console. It is good for one use.

    \b
    vagus link                                        for an admin, within 15 minutes
    vagus link --role viewer --user wall --ttl 12h    for a display on a wall
    """
    from vagus.apps.console.links import address_of
    from vagus.apps.console.users import ROLES

    if not set(roles) <= set(ROLES):
        raise click.BadParameter(f"--role is one of {', '.join(ROLES)}")
    surroundings, name = Surroundings.found(config, data_dir), user if user is not None else roles[0]
    code = new_code(surroundings, roles=frozenset(roles), user=name, ttl_s=ttl)
    address = address_of(surroundings.url(url), code)
    if as_json:
        click.echo(msgspec.json.encode({"url": address, "user": name, "roles": sorted(roles), "ttl_s": ttl}))
    else:
        click.echo(address)


def new_code(
    surroundings: Surroundings,
    *,
    roles: frozenset[str],
    user: str = Role.ADMIN,
    ttl_s: float = 900.0,
    start: bool = True,
) -> str:
    """A code in the store of the server here. Without ``start`` its schema is known to be up to date."""
    from vagus.apps.console import links

    async def make(store: "Store") -> str:
        async with store.begin() as transaction:
            now = time.time()
            return await links.make(transaction, roles=roles, user=user, ttl_s=ttl_s, now=now)

    if not surroundings.settings.console.enabled:
        raise CommandError("the console is turned off: console.enabled")
    if math.isinf(ttl_s):
        raise CommandError("a link has to end some time: --ttl")
    try:
        return on_store(surroundings, make, start=start)
    except ValueError as error:
        raise CommandError(str(error)) from None
