"""``vagus tail``: what is published, live, over a connection that comes back and recovers what it missed.

It follows over the native protocol, like any client, since only there positions and recovery are; with the server's
secret at hand it makes its own tokens, one for itself and one for each channel.
"""

import asyncio
import contextlib
import itertools
import os
import random
import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import click
import msgspec

from .arguments import json_option, server_options
from .asking import HINTS
from .faults import ConfigurationError, RefusedByServerError, UnreachableError
from .frames import ClosedError, TurnedAwayError
from .session import Conversation, RefusedError, Reply
from .surroundings import Surroundings

USER: Final = "vagus-tail"
SHORTEST_S: Final = 0.2
LONGEST_S: Final = 10.0
NOT_AVAILABLE: Final = 108

_AGO: Final = re.compile(r"(\d+)([smhd])")
_PLACE: Final = re.compile(r"(\d+)(?::(.+))?")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Since(msgspec.Struct, frozen=True):
    """Where to begin: after a position, or so many seconds ago."""

    offset: int | None = None
    epoch: str = ""
    ago_s: float = 0


def since_from(text: str) -> Since:
    if ago := _AGO.fullmatch(text):
        return Since(ago_s=int(ago[1]) * _UNITS[ago[2]])
    if place := _PLACE.fullmatch(text):
        return Since(offset=int(place[1]), epoch=place[2] or "")
    raise click.BadParameter(f"{text!r} is neither a time such as 10m nor a position such as 120 or 120:epoch")


@click.command()
@server_options
@click.argument("channels", metavar="CHANNEL...", nargs=-1, required=True)
@click.option("--history", type=click.IntRange(1, 300), metavar="N", help="Begin with the last N publications.")
@click.option("--since", type=since_from, metavar="WHEN", help="Begin 10m ago, or after position 120 or 120:epoch.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N publications.")
@click.option("--token", metavar="TOKEN", envvar="VAGUS_TOKEN", help="A connection token, instead of one made here.")
@json_option
def tail(
    config: str | None,
    data_dir: str | None,
    url: str | None,
    channels: tuple[str, ...],
    history: int | None,
    since: Since | None,
    count: int | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Show what is published to channels, live.

    A lost connection is made again, and what was missed in between is shown as far as the channel keeps history.

    \b
    vagus tail demo:clock demo:numbers
    vagus tail orders:42 --history 20
    vagus tail orders:42 --json --count 1
    """
    if history and since:
        raise ConfigurationError("tail: either --history or --since, not both")
    found = Surroundings.found(config, data_dir)
    tokens = tokens_from(found, channels, url) if token is None else Tokens(token)
    follower = Follower(found.url(url), tokens, channels, Printer(as_json, count))
    asyncio.run(follower.run(history or 0, since or Since()))


class Tokens(msgspec.Struct, frozen=True):
    """The tokens that a follower shows: one for the connection, one for each channel where it has them."""

    connection: str = ""
    subscriptions: dict[str, str] = {}


def tokens_from(found: Surroundings, channels: Sequence[str], url: str | None) -> Tokens:
    """Sign tokens with the secrets that are here for the server at ``url``; none where there are none."""
    from .token import make_token

    if not found.secret(url):
        return Tokens()
    with_secret = channels if found.subscription_secret(url) else ()
    return Tokens(
        make_token(found, USER, roles=("viewer",)),
        {channel: make_token(found, USER, channel=channel) for channel in with_secret},
    )


class EnoughError(Exception):
    """As many publications as were wanted have been shown."""


class Printer:
    """Shows publications, one a line."""

    def __init__(self, as_json: bool, count: int | None) -> None:
        self._as_json = as_json
        self._left = count

    def show(self, channel: str, publication: dict[str, Any], epoch: str) -> None:
        shown = {"channel": channel, **publication}
        if epoch:
            shown["epoch"] = epoch
        click.echo(msgspec.json.encode(shown) if self._as_json else _line(channel, publication))
        if self._left is not None:
            self._left -= 1
            if not self._left:
                raise EnoughError

    @staticmethod
    def note(text: str) -> None:
        click.echo(f"vagus: {text}", err=True)


def _line(channel: str, publication: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(publication.get("time", 0) / 1000 or time.time()).astimezone()
    number = f" #{publication['offset']}" if "offset" in publication else ""
    tags = "".join(f" {name}={value}" for name, value in publication.get("tags", {}).items())
    data = msgspec.json.encode(publication.get("data")).decode()
    return f"{at:%H:%M:%S} {click.style(channel, 'cyan')}{number}{tags} {data}"


class Follower:
    """Follows channels until it is cancelled, has shown enough, or is refused."""

    def __init__(self, url: str, tokens: Tokens, channels: Sequence[str], printer: Printer) -> None:
        self._url = url
        self._tokens = tokens
        self._channels = list(dict.fromkeys(channels))
        self._printer = printer
        self._positions: dict[str, tuple[int, str]] = {}
        self._beginnings: dict[str, tuple[int, float]] = {}
        """What of a channel's past is still to be shown: so many, or since so many seconds ago."""

    async def run(self, history: int, since: Since) -> None:
        """Raises ``UnreachableError`` if there is nobody at first, ``RefusedByServerError`` for a no that stays one."""
        if since.offset is not None:
            self._positions = dict.fromkeys(self._channels, (since.offset, since.epoch))
        if history or since.ago_s:
            self._beginnings = dict.fromkeys(self._channels, (history, since.ago_s))
        with contextlib.suppress(EnoughError):
            conversation = await self._first()
            while True:
                await self._follow(conversation)
                conversation = await self._again()

    async def _first(self) -> Conversation:
        """Connect and subscribe. Whoever says that the server will be there soon is asked again."""
        try:
            conversation = await self._begin()
        except TurnedAwayError as error:
            if not error.is_soon_over:
                raise
            self._printer.note(f"{self._url} says {error.status}: trying again")
        except RefusedError as error:
            if not error.is_temporary:
                raise
            self._printer.note(f"{error}: trying again")
        else:
            try:
                await self._subscribe_all(conversation)
            except ClosedError as error:
                self._note_end(error)
            else:
                return conversation
        return await self._again()

    async def _begin(self) -> Conversation:
        try:
            return await Conversation.open(self._url, self._tokens.connection, "vagus tail")
        except ClosedError as error:
            _check(error)
            raise UnreachableError(f"{self._url}: {error.reason} ({error.code})") from None
        except OSError as error:
            # asyncio's own texts name the address once more, so the number says it better.
            text = os.strerror(error.errno) if error.errno else str(error) or "no answer"
            raise UnreachableError(f"no server at {self._url}: {text}") from None

    async def _again(self) -> Conversation:
        """Connect and recover, as often as it takes."""
        for attempt in itertools.count():
            await _pause(attempt)
            conversation = await self._tried()
            if conversation is None:
                continue
            try:
                await self._subscribe_all(conversation)
            except ClosedError as error:
                _check(error)
            else:
                return conversation
        raise AssertionError("counting never ends")

    async def _tried(self) -> Conversation | None:
        """A connection; ``None`` if there may be one later."""
        try:
            return await self._begin()
        except UnreachableError:
            return None
        except TurnedAwayError as error:
            if not error.is_fault:
                raise
            return None
        except RefusedError as error:
            if not error.is_temporary:
                raise
            return None

    async def _follow(self, conversation: Conversation) -> None:
        """Show what comes until the connection ends."""
        try:
            while True:
                await self._heed(conversation, await conversation.push())
        except ClosedError as error:
            self._note_end(error)
        finally:
            await conversation.close()

    async def _heed(self, conversation: Conversation, push: Reply) -> None:
        channel = push.get("channel", "")
        if "pub" in push:
            self._show(channel, push["pub"])
        elif "unsubscribe" in push:
            ending = push["unsubscribe"]
            if ending["code"] < 2500:
                raise RefusedByServerError(f"{channel}: {ending['reason']} ({ending['code']})")
            await self._subscribe(conversation, channel)

    def _note_end(self, error: ClosedError) -> None:
        _check(error)
        self._printer.note(f"{error.reason} ({error.code}): connecting again")

    async def _subscribe_all(self, conversation: Conversation) -> None:
        """Raises ``ClosedError`` if the connection ends, or cannot be used for now; it is closed then."""
        try:
            for channel in self._channels:
                await self._subscribe(conversation, channel)
        except BaseException:
            await conversation.close()
            raise

    async def _subscribe(self, conversation: Conversation, channel: str) -> None:
        known = self._positions.get(channel)
        request: dict[str, Any] = {"channel": channel, "recoverable": True}
        if channel in self._tokens.subscriptions:
            request["token"] = self._tokens.subscriptions[channel]
        if known is not None:
            request |= {"recover": True, "offset": known[0], "epoch": known[1]}
        try:
            subscribed = await _ask(conversation, "subscribe", request)
        except RefusedError as error:
            raise RefusedByServerError(f"{channel}: {error.text} ({error.code}){HINTS.get(error.code, '')}") from None
        if known is not None and subscribed.get("was_recovering") and not subscribed.get("recovered"):
            self._printer.note(f"{channel}: something was missed and is no longer kept")
        if subscribed.get("recoverable"):
            self._positions[channel] = (subscribed.get("offset", 0), subscribed.get("epoch", ""))
        for publication in subscribed.get("publications", ()):
            self._show(channel, publication)
        if channel in self._beginnings:
            try:
                await self._show_history(conversation, channel, *self._beginnings[channel])
            except ClosedError:
                self._positions.pop(channel, None)  # the history will have what comes after it
                raise
            del self._beginnings[channel]

    async def _show_history(self, conversation: Conversation, channel: str, history: int, ago_s: float) -> None:
        """What came before the subscription's position; what comes after it is pushed anyway."""
        epoch = self._positions.get(channel, (0, ""))[1]
        try:
            page = await _ask(conversation, "history", {"channel": channel, "limit": history or 300, "reverse": True})
        except RefusedError as error:
            if error.code != NOT_AVAILABLE:
                raise
            self._printer.note(f"{channel}: keeps no history")
            return
        top = self._positions.get(channel, (2**63, ""))[0]
        oldest_ms = (time.time() - ago_s) * 1000 if ago_s else 0
        for publication in reversed(page["publications"]):
            if publication.get("offset", 0) <= top and publication.get("time", oldest_ms) >= oldest_ms:
                self._printer.show(channel, publication, epoch)

    def _show(self, channel: str, publication: dict[str, Any]) -> None:
        offset, epoch = publication.get("offset"), self._positions.get(channel, (0, ""))[1]
        if offset is not None:
            epoch = publication.get("epoch", epoch)
            self._positions[channel] = (offset, epoch)
        self._printer.show(channel, publication, epoch)


async def _pause(attempt: int) -> None:
    """Wait before trying again, longer each time."""
    await asyncio.sleep(random.uniform(0.5, 1) * min(LONGEST_S, SHORTEST_S * 2 ** min(attempt, 10)))


async def _ask(conversation: Conversation, method: str, params: object) -> Reply:
    """Raises ``RefusedError``; and ``ClosedError`` for what the server may do later, so that it is asked anew."""
    try:
        return await conversation.ask(method, params)
    except RefusedError as error:
        if error.is_temporary:
            raise ClosedError(error.code, error.text) from None
        raise


def _check(error: ClosedError) -> None:
    """Give up if the server said not to come back."""
    if error.comes_back:
        return
    hint = " (a token is needed: --token, VAGUS_TOKEN, or the server's data folder with --data-dir)"
    raise RefusedByServerError(f"{error.reason} ({error.code}){hint if error.code in (3500, 3501) else ''}")
