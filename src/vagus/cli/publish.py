"""``vagus publish``: one publication, through the server's API."""

import sys

import click
import msgspec

from .arguments import json_option, json_text, label, server_options
from .asking import post
from .surroundings import Surroundings


@click.command()
@server_options
@click.argument("channel")
@click.argument("data", metavar="JSON")
@click.option("--key", metavar="KEY", envvar="VAGUS_API_KEY", help="The API key, if not the one in the data folder.")
@click.option(
    "--tag", "tags", multiple=True, type=label, metavar="NAME=VALUE", help="A label to filter by; may be repeated."
)
@json_option
def publish(
    config: str | None,
    data_dir: str | None,
    url: str | None,
    channel: str,
    data: str,
    key: str | None,
    tags: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Publish JSON to a channel; - reads it from standard input.

    \b
    vagus publish news '{"title": "it works"}'
    vagus publish news '"a text needs quotes of its own"'
    date +'"%c"' | vagus publish news -
    """
    found = Surroundings.found(config, data_dir)
    request: dict[str, object] = {"channel": channel, "data": json_text(sys.stdin.read() if data == "-" else data)}
    if tags:
        request["tags"] = dict(tags)
    receipt = post(found.url(url), "publish", request, found.key(key, url))
    if as_json:
        click.echo(msgspec.json.encode(receipt))
    else:
        offset = receipt.get("offset")
        click.echo(f"published to {channel}" + (f" as number {offset}" if offset else ""))
