"""How many connections there are, and from where: nobody takes all the room there is."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

HOME = 64
"""Bits of an IPv6 address that name whoever holds it: the rest they choose themselves."""


class Crowd:
    """Those who are in: at most `most` of them, and `each` from one source (0: any number)."""

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._from: dict[str, int] = {}
        self.inside = 0
        """How many there are."""

    def enter(self, source: str) -> bool:
        """Counts somebody from `source` in; False when there is no room."""
        before = self._from.get(source, 0)
        if self.inside >= self._most or (self._each and before >= self._each):
            return False
        self._from[source] = before + 1
        self.inside += 1
        return True

    def leave(self, source: str) -> None:
        """One who had been counted in is gone."""
        left = self._from[source] - 1
        if left:
            self._from[source] = left
        else:
            del self._from[source]
        self.inside -= 1


def source_of(host: str) -> str:
    """Who is at the address `host`, as far as an address says so: an IPv6 network is one source, and an IPv4 address
    in IPv6 words is that address. "" for what is no address (a Unix socket)."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> (128 - HOME) << (128 - HOME))}/{HOME}"
