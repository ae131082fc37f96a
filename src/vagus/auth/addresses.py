"""Which machine is it: the client's address behind proxies, and lists of networks that may or may not come in.

`X-Forwarded-For` is written by whoever sends the request, so it counts only as far as named proxies vouch for it:
from the right, each address is believed because the one after it is ours, and the first stranger is the client.
An address is a text in normal form, "" for the peer of a unix socket, which the name `unix` stands for in lists.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

UNIX = "unix"

_MAX_HOPS = 32  # a longer chain of one's own proxies is a mistake or an attack, and each hop costs time

_MAX_LENGTH = 128  # of an address with its port and spaces; nothing longer may fill the cache

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Networks:
    """A set of networks, immutable. Asking costs one set look-up for each prefix length in it, not each network."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Read networks such as `10.0.0.0/8`, `::1` and `unix`; `ValueError` names the one that is wrong."""
        self._has_unix = False
        prefixes: dict[tuple[int, int], set[int]] = defaultdict(set)
        for name in names:
            if name == UNIX:
                self._has_unix = True
                continue
            try:
                network = ipaddress.ip_network(name)
            except ValueError as error:
                raise ValueError(f"addresses: {error}") from None
            shift = network.max_prefixlen - network.prefixlen
            prefixes[network.version, shift].add(int(network.network_address) >> shift)
        self._prefixes = tuple((version, shift, frozenset(starts)) for (version, shift), starts in prefixes.items())

    def __bool__(self) -> bool:
        return self._has_unix or bool(self._prefixes)

    def __contains__(self, address: str) -> bool:
        """Say whether the address lies in one of the networks; False for what is no address."""
        if not address:
            return self._has_unix
        parsed = _address(address)
        if parsed is None:
            return False
        number, of_version = int(parsed), parsed.version
        return any(version == of_version and number >> shift in starts for version, shift, starts in self._prefixes)


class AddressRules:
    """Who may come in: nobody on the deny list, and if there is an allow list, only those on it."""

    def __init__(self, *, allow: Networks, deny: Networks) -> None:
        self._allow = allow
        self._deny = deny

    def allows(self, address: str) -> bool:
        """Decide about a client's address; an unreadable one passes only if there are no lists at all."""
        if not self._allow and not self._deny:
            return True
        if address and _address(address) is None:
            return False
        return address not in self._deny and (not self._allow or address in self._allow)


def client_address(peer: str, forwarded_for: str | None, proxies: Networks) -> str:
    """Return the address of the client in normal form; never raises.

    `peer` is who opened the connection, "" over a unix socket. If it is one of `proxies`, the header is followed
    from the right to the first address that is not; at something unreadable it stops, and the last proxy that
    could be read stands for the client. If all are proxies, the leftmost is the client.
    """
    address = _normal(peer) or peer
    if not forwarded_for or address not in proxies:
        return address
    for hop in reversed(forwarded_for.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
        nearer = _normal(hop)
        if not nearer:
            return address
        address = nearer
        if address not in proxies:
            return address
    return address


def _normal(text: str) -> str:
    parsed = _address(text)
    return "" if parsed is None else str(parsed)


def _address(text: str) -> _Address | None:
    return _parsed(text) if len(text) <= _MAX_LENGTH else None


@lru_cache(maxsize=8192)
def _parsed(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(_without_port(text.strip()).partition("%")[0])
    except ValueError:
        return None
    # A socket that takes both families shows IPv4 peers in this clothing; lists are written without it.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _without_port(text: str) -> str:
    """Strip what some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.partition(":")
    return host if port.isdecimal() and "." in host else text
