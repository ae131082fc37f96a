"""``vagus key``: keys for the server's API, of which only the hash is kept."""

import re
import sys

import click
import msgspec

from .arguments import json_option


@click.group()
def key() -> None:
    """Make keys for the server's API.

    Without any key in its configuration, a server makes one in its data folder.
    """


@key.command()
@click.option("--name", required=True, metavar="NAME", help="Whose key it is.")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="What it is for; may be repeated. All without.")
@json_option
def new(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key. It is shown this once; the configuration keeps its hash.

    \b
    vagus key new --name billing --scope publish
    """
    from vagus.auth.keys import key_hash, new_key

    secret = new_key()
    row = {"name": name, "hash": key_hash(secret), "scopes": list(scopes or ("*",))}
    if as_json:
        click.echo(msgspec.json.encode({"key": secret, **row}))
        return
    click.echo(f"{secret}\n\nThis is the only time it is shown. To vagus.toml, add:\n")
    click.echo("[[keys]]\n" + "\n".join(f"{name} = {_toml(value)}" for name, value in row.items()))


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
