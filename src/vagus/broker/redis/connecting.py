"""Opening a link: TCP or TLS, who we are, which database, and whether the server serves.

Every failure is a ``BrokerError`` that says what to look at; none holds a password.
"""

import asyncio
import ssl
from typing import Final, TypeVar

from vagus.kernel.errors import BrokerError

from . import Options, Word
from .link import Link, ReplyError

L = TypeVar("L", bound=Link)
Address = tuple[str, int]

NAME: Final = b"vagus"
"""How our connections are called in CLIENT LIST."""


class AccessError(BrokerError):
    """The server does not let us in with this user and password: trying again does not help."""


def place_of(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_of(place: str) -> str:
    return place.rpartition(":")[0].strip("[]")


async def connect(address: Address, options: Options, link: L, *, user: str, password: str, database: int = 0) -> L:
    """Open ``link``. Raises ``BrokerError`` within ``timeout_s``; ``AccessError`` where the password is wrong."""
    loop = asyncio.get_running_loop()
    place = place_of(address)
    try:
        async with asyncio.timeout(options.timeout_s):
            await loop.create_connection(
                lambda: link,
                *address,
                ssl=options.tls,
                server_hostname=address[0] if options.tls is not None else None,
            )
            await _greet(link, user, password, database)
    except TimeoutError:
        link.abort("it was given up")
        raise BrokerError(f"Redis at {place} did not answer within {options.timeout_s:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(f"the certificate of Redis at {place} is not believed: {error.verify_message}") from error
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise BrokerError(f"Redis at {place} cannot be reached: {reason}") from error
    except BaseException:
        link.abort("it was given up")
        raise
    return link


async def _greet(link: Link, user: str, password: str, database: int) -> None:
    """Everything in one write; PING is refused by a server that is loading or wants a password."""
    commands: list[tuple[Word, ...]] = []
    if password:
        commands.append((b"AUTH", user, password) if user else (b"AUTH", password))
    if database:
        commands.append((b"SELECT", database))
    commands += [(b"CLIENT", b"SETNAME", NAME), (b"PING",)]
    answers = link.send_all(commands)
    await asyncio.wait(answers)
    for words, answer in zip(commands, answers, strict=True):
        error = answer.exception()
        if error is None:
            continue
        if not isinstance(error, ReplyError):
            raise error
        if words[0] == b"AUTH":
            raise AccessError(f"Redis at {link.place} does not accept the user or the password ({error.code})")
        if error.code == "NOAUTH":
            raise AccessError(f"Redis at {link.place} wants a password")
        if words[0] == b"CLIENT":  # a user who may do little may not be allowed to have a name
            continue
        if words[0] == b"SELECT":
            raise AccessError(f"Redis at {link.place} refused database {database}: {error.code} {error.detail}")
        raise error
