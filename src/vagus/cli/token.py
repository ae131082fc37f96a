"""``vagus token``: connection and subscription tokens, signed with the server's secret."""

import asyncio
import math
import time
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from vagus.kernel.identity import Role

from .arguments import configuration_options, duration, json_option, json_text
from .faults import CommandError, ConfigurationError
from .surroundings import Surroundings


@click.group(invoke_without_command=True)
@configuration_options
@click.option("--user", metavar="USER", help="Whose token it is.")
@click.option(
    "--ttl", type=duration, metavar="TIME", default="7d", show_default=True, help="How long: 30m, 12h, 7d, never."
)
@click.option("--channel", metavar="CHANNEL", help="Make a subscription token, for this channel.")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]), help="A role; may be repeated."
)
@click.option("--info", type=json_text, metavar="JSON", help="JSON that others see of this user.")
@json_option
@click.pass_context
def token(
    context: click.Context,
    config: str | None,
    data_dir: str | None,
    user: str | None,
    ttl: float,
    channel: str | None,
    roles: tuple[str, ...],
    info: msgspec.Raw | None,
    as_json: bool,
) -> None:
    """Make a token for a user.

    It is signed with tokens.hmac_secret, or with the secret in the data folder, which is made if it is not there.

    \b
    vagus token --user 42
    vagus token --user 42 --role operator --ttl 12h --info '{"name": "Ada"}'
    vagus token --user 42 --channel '$orders:7'
    vagus token check TOKEN
    """
    if context.invoked_subcommand is not None:
        context.obj = (config, data_dir)
        return
    if user is None:
        raise ConfigurationError("token: --user is needed (an empty one is anonymous)")
    if channel is not None and roles:
        raise ConfigurationError("token: a subscription token has no roles")
    expires_at = None if math.isinf(ttl) else int(time.time() + ttl)
    found = Surroundings.found(config, data_dir, may_be_new=True)
    made = make_token(found, user, channel=channel, roles=roles, info=info, expires_at=expires_at)
    if as_json:
        answer = {"token": made, "user": user, "channel": channel, "expires_at": expires_at}
        made = msgspec.json.encode(answer).decode()
    click.echo(made)


@token.command()
@click.argument("token")
@configuration_options
@json_option
@click.pass_context
def check(context: click.Context, token: str, config: str | None, data_dir: str | None, as_json: bool) -> None:
    """Say whether the server would believe a token, and what it says."""
    from vagus.auth.errors import TokenError
    from vagus.server.tokens import verifier_from

    before: tuple[str | None, str | None] = context.obj
    if context.get_parameter_source("config") is not ParameterSource.COMMANDLINE:
        config = before[0]
    found = Surroundings.found(config, data_dir or before[1])
    if found.settings.subscription_tokens is None and not found.settings.tokens.has_key and not found.secret():
        raise ConfigurationError(
            f"token: there is no secret in {found.folder.path} to check it with: --data-dir names the server's folder"
        )
    with_secret = msgspec.structs.replace(found.settings.tokens, hmac_secret=found.secret())
    try:
        connections = verifier_from(with_secret)
        other = found.settings.subscription_tokens
        subscriptions = connections if other is None else verifier_from(other)
        kind, claims = asyncio.run(_claims(connections, subscriptions, token))
    except ValueError as error:
        raise ConfigurationError(f"tokens.{error}") from None
    except TokenError as error:
        raise CommandError(f"not believed: {error.reason}") from None
    shown = _shown(claims)
    if as_json:
        click.echo(msgspec.json.encode({"kind": kind, **shown}))
        return
    click.echo(f"a good {kind} token")
    for name, value in shown.items():
        click.echo(f"  {name:<9} {_text(name, value)}")


async def _claims(connections: Any, subscriptions: Any, token: str) -> tuple[str, Any]:
    """What the token says, as whichever of the two kinds it is."""
    from vagus.auth.errors import InvalidTokenError

    try:
        return "connection", await connections.connection(token)
    except InvalidTokenError as error:
        if not error.reason.startswith("a subscription token"):
            if subscriptions is connections:
                raise
        return "subscription", await subscriptions.subscription(token)


def _shown(claims: Any) -> dict[str, Any]:
    """The claims that say something, JSON as JSON."""
    shown = {}
    for name, value in msgspec.structs.asdict(claims).items():
        plain = msgspec.json.decode(value) if isinstance(value, bytes) else msgspec.to_builtins(value)
        if isinstance(value, msgspec.Struct):
            plain = {key: item for key, item in plain.items() if item is not None}
        if plain not in (None, [], (), {}):
            shown[name] = plain
    return shown


def _text(name: str, value: Any) -> str:
    if name in ("exp", "nbf", "iat", "expire_at") and value:
        return datetime.fromtimestamp(value, UTC).isoformat(sep=" ", timespec="seconds")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def make_token(
    found: Surroundings,
    user: str,
    *,
    channel: str | None = None,
    roles: tuple[str, ...] = (),
    info: msgspec.Raw | None = None,
    expires_at: int | None = None,
) -> str:
    """Sign a token with the server's secret. Raises ``ConfigurationError`` where there is none to sign with."""
    from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
    from vagus.auth.minting import Signer, connection_token, subscription_token

    signer = Signer.with_secret(_secret(found, channel))
    common: dict[str, Any] = {"exp": expires_at, "iat": int(time.time()), **_registered(found, channel)}
    shown = None if info is None else bytes(info)
    if channel is None:
        return connection_token(ConnectionClaims(user=user, roles=frozenset(roles), info=shown, **common), signer)
    return subscription_token(SubscriptionClaims(channel=channel, user=user, info=shown, **common), signer)


def _registered(found: Surroundings, channel: str | None) -> dict[str, Any]:
    """The audience and issuer that the server expects."""
    tokens = found.settings.tokens
    if channel is not None and found.settings.subscription_tokens is not None:
        tokens = found.settings.subscription_tokens
    audience = () if tokens.audience is None else (tokens.audience,)
    return {"aud": audience, "iss": tokens.issuer}


def _secret(found: Surroundings, channel: str | None) -> str:
    try:
        if not found.settings.tokens.has_key:
            found.folder.token_secret()
    except OSError as error:
        raise CommandError(f"data folder {found.folder.path}: {error.strerror or error}") from None
    secret = found.secret() if channel is None else found.subscription_secret()
    if not secret:
        raise ConfigurationError("token: only public keys are configured here, so tokens come from your issuer")
    return secret
