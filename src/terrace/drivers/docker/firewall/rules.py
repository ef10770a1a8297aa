"""Rules of security groups as nftables says them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Final

from terrace.model.spec.firewall import Rule

NUMBERS: Final = {
    "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ospf": 89,
    "vrrp": 112, "pgm": 113, "sctp": 132, "udplite": 136,
}  # fmt: skip


def rendered(rule: Rule, members: Callable[[str], str]) -> str:
    """One rule, without its comment. `members` gives the name of the set of a group's members."""
    return " ".join((*_family(rule), *_protocol(rule), *_other_end(rule, members), "accept"))


def _family(rule: Rule) -> tuple[str, ...]:
    return (f"meta nfproto {rule.ethertype.lower()}",)


def _protocol(rule: Rule) -> tuple[str, ...]:
    if not rule.protocol:
        return ()
    number = NUMBERS.get(rule.protocol)
    if number is None:
        number = int(rule.protocol)
    parts = [f"meta l4proto {number}"]
    if rule.first < 0:
        return tuple(parts)
    if rule.protocol in ("icmp", "icmpv6"):
        parts.append(f"{rule.protocol} type {int(rule.first)}")
        if rule.last >= 0:
            parts.append(f"{rule.protocol} code {int(rule.last)}")
        return tuple(parts)
    ports = f"{int(rule.first)}-{int(rule.last)}" if rule.last != rule.first else str(int(rule.first))
    return (*parts, f"th dport {ports}")


def _other_end(rule: Rule, members: Callable[[str], str]) -> tuple[str, ...]:
    """Who is at the other end: for what comes in the source, for what goes out the destination."""
    side, device = ("saddr", "iifname") if rule.direction == "ingress" else ("daddr", "oifname")
    if rule.group:
        return (f"meta {device} . ip {side} @{members(rule.group)}",)
    if not rule.prefix:
        return ()
    block = ipaddress.ip_network(rule.prefix, strict=False)
    if not block.prefixlen:
        return ()
    return (f"{'ip' if block.version == 4 else 'ip6'} {side} {block}",)
