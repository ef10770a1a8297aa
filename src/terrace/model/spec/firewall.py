"""What may pass to and from machines."""

from __future__ import annotations

import msgspec


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is admitted. `direction` is ingress (to the machine) or egress. `protocol` is tcp, udp, icmp, any ("any" and
    "" are the same), or a number from 0 to 255. `first` and `last` are ports (icmp: type and code), -1 for all.
    `prefix` is the range at the other end, `group` the provider id of the group that the other end must be in, "self"
    for the rule's own group; both "": anybody. `ethertype` is IPv4 or IPv6."""

    direction: str = "ingress"
    protocol: str = ""
    first: int = -1
    last: int = -1
    prefix: str = ""
    group: str = ""
    ethertype: str = "IPv4"


class SecurityGroupSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules for the machines that are in the group. A machine in groups is sent what any rule of any of them admits,
    and nothing else. It may send anything if one of them has no egress rule, else what their egress rules admit."""

    name: str
    rules: tuple[Rule, ...] = ()
    description: str = ""


class SecurityGroupRuleSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One more rule of a group (provider id)."""

    security_group: str
    rule: Rule
