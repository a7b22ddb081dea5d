"""Which Host headers are answered, so that no foreign page can reach the server under a name of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_LOCAL = "localhost"


def is_loopback(host: str) -> bool:
    """Whether an address or name to listen at means this machine alone."""
    address = _address(host)
    return host.lower() == _LOCAL if address is None else address.is_loopback


class Hosts:
    """The hosts a request may name.

    A page elsewhere can make its own name resolve to this machine (DNS rebinding), but not change the Host header. So
    names must be known; numeric addresses cannot be rebound, and are fine when the server listens beyond loopback.

    Args:
        listening: the address or name the server listens at.
        names: further names it is known by.
    """

    def __init__(self, listening: str, names: Iterable[str] = ()) -> None:
        self._open = not is_loopback(listening)
        self._names = {_LOCAL, listening.lower(), *(name.lower() for name in names)}

    def allow(self, header: str) -> bool:
        """Whether to answer a request with this Host header (name or address, perhaps with a port)."""
        host = host_of(header)
        address = _address(host)
        if address is not None:
            return self._open or address.is_loopback or host in self._names
        return host in self._names


def host_of(header: str) -> str:
    """The host in ``host:port``, in lower case, without the brackets of IPv6."""
    value = header.strip().lower()
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0]


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
