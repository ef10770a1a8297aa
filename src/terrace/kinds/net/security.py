"""What may pass to and from machines: groups of rules, and rules that are added to one."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from terrace.errors import SpecError
from terrace.kinds.rules.address import fitted
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.spec.firewall import Rule, SecurityGroupRuleSpec, SecurityGroupSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

WITH_PORTS: Final = frozenset({"tcp", "udp", "sctp", "dccp", "udplite"})
ICMP: Final = frozenset({"icmp", "icmpv6"})
PROTOCOLS: Final = WITH_PORTS | ICMP | frozenset({"any", "ah", "esp", "gre", "igmp", "ospf", "pgm", "vrrp"})
NUMBERS: Final = {
    "1": "icmp",
    "6": "tcp",
    "17": "udp",
    "33": "dccp",
    "58": "icmpv6",
    "132": "sctp",
    "136": "udplite",
}
OWN: Final = "self"


def wrong_protocol(value: str) -> str:
    """What is wrong with the name or number of a protocol, "" when nothing is."""
    if value.lower() in PROTOCOLS or value.lower() in ("icmp6", "ipv6-icmp"):
        return ""
    if value.isascii() and value.isdigit() and int(value) <= 255:
        return ""
    return f'"{value}" is not a protocol: {", ".join(sorted(PROTOCOLS))}, or a number up to 255'


def wrong_prefix(value: str) -> str:
    """What is wrong with a range of addresses of which only the first bits count, "" when nothing is."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return f'"{value}" is not an address range such as 10.0.0.0/24'
    return ""


RULE: Final[dict[str, Property]] = {
    "direction": Property(
        Type.STRING,
        "To the machine (ingress) or from it (egress).",
        default="ingress",
        allowed=("ingress", "egress"),
    ),
    "protocol": Property(
        Type.STRING,
        "tcp, udp, icmp, another protocol's name or number; any by default.",
        check=wrong_protocol,
    ),
    "from_port": Property(
        Type.INTEGER, "The first port, or the type of icmp; all by default.", minimum=0, maximum=65535
    ),
    "to_port": Property(
        Type.INTEGER, "The last port, the first by default; or the code of icmp.", minimum=0, maximum=65535
    ),
    "cidr": Property(Type.STRING, "The range at the other end; anybody by default.", check=wrong_prefix),
    "group": Property(
        Type.STRING, "The security group that the other end is in; self: this rule's own.", minimum=1
    ),
    "ethertype": Property(Type.STRING, "IPv4 or IPv6.", default="IPv4", allowed=("IPv4", "IPv6")),
}


class SecurityGroup(Noun):
    """What may pass to and from the machines in it. A change of rules never replaces it."""

    name = "SecurityGroup"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(
                Type.STRING,
                "A name for people; the resource's own by default.",
                shorthand=fitted,
                changes=Effect.UPDATE,
            ),
            "description": Property(Type.STRING, "What it is for.", changes=Effect.UPDATE),
            "rules": Property(
                Type.LIST,
                "What is admitted. Without egress rules, everything that its machines send is.",
                items=Property(Type.MAP, properties=RULE),
                changes=Effect.UPDATE,
            ),
        },
        attributes={"name": "Its name.", "id": "Its id at the provider."},
        description="What may pass to and from machines. A machine in groups is sent only what a rule admits.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "description"}),
        in_place=frozenset({"rules", "intact"}),
        defaults={**defaults_of(SecurityGroupSpec), "intact": True},
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name"}

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec; a rule that does not resolve is a mistake, never a wider one."""
        rules = values.get("rules")
        for index, rule in enumerate(rules if isinstance(rules, list | tuple) else ()):
            resolved(rule, ("rules", index))
        return super().spec(values, node, capabilities)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> SecurityGroupSpec:
        """The typed spec."""
        rules: Any = plain.get("rules", ())
        if rules is not UNKNOWN:
            rules = tuple(rule_of(rule, ("rules", index)) for index, rule in enumerate(rules))
        return SecurityGroupSpec(
            name=plain.get("name", node.path.replace("/", "-")),
            rules=rules,
            description=plain.get("description", ""),
        )


class SecurityGroupRule(Noun):
    """One more rule of a group."""

    name = "SecurityGroupRule"
    schema: ClassVar[Schema] = Schema(
        properties={
            "security_group": Property(
                Type.STRING, "The group that it is a rule of.", required=True, minimum=1
            ),
            **RULE,
        },
        attributes={"id": "Its id at the provider."},
        description="One more rule of a security group.",
    )
    rules: ClassVar[Rules] = Rules(
        in_place=frozenset({"intact"}), defaults={**defaults_of(SecurityGroupRuleSpec), "intact": True}
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec; what does not resolve is a mistake, never a wider rule."""
        resolved(values, ())
        return super().spec(values, node, capabilities)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> SecurityGroupRuleSpec:
        """The typed spec."""
        return SecurityGroupRuleSpec(plain["security_group"], rule_of(plain, ()))


def resolved(rule: Any, path: tuple[str | int, ...]) -> None:
    """SpecError for a part of a rule that refers to something and came to nothing: it would admit more than was
    meant."""
    for name, value in rule.items() if isinstance(rule, dict) else ():
        if name in RULE and (value is None or value == ""):
            raise SpecError(
                "comes to nothing, and a rule without it would admit more",
                (*path, name),
                hint="leave it out where anything may stand there",
                code="unresolved-rule",
            )


def rule_of(plain: Any, path: tuple[str | int, ...]) -> Any:
    """A typed rule from one that was read; SpecError where its parts do not go together."""
    if plain is UNKNOWN:
        return UNKNOWN
    protocol = plain.get("protocol", "")
    if protocol is not UNKNOWN:
        protocol = _protocol(protocol)
    first, last = plain.get("from_port", -1), plain.get("to_port", -1)
    rule = Rule(
        plain["direction"],
        protocol,
        first,
        last,
        plain.get("cidr", ""),
        plain.get("group", ""),
        plain["ethertype"],
    )
    if any(value is UNKNOWN for value in msgspec.structs.astuple(rule)):
        return rule
    return _prefixed(_ranged(rule, path), path)


def _protocol(name: str) -> str:
    name = {"icmp6": "icmpv6", "ipv6-icmp": "icmpv6", "any": ""}.get(name.lower(), name.lower())
    return NUMBERS.get(name, name)


def _ranged(rule: Rule, path: tuple[str | int, ...]) -> Rule:
    if rule.first < 0 and rule.last < 0:
        return rule
    if rule.protocol in ICMP:
        if rule.first < 0 or max(rule.first, rule.last) > 255:
            raise SpecError("icmp has a type, and maybe a code, from 0 to 255", (*path, "from_port"))
        return rule
    if rule.protocol not in WITH_PORTS:
        what = f"protocol {rule.protocol}" if rule.protocol else "a rule for any protocol"
        raise SpecError(f"{what} has no ports", (*path, "from_port"), hint="name tcp or udp")
    first = rule.first if rule.first >= 0 else rule.last
    last = rule.last if rule.last >= 0 else first
    if first > last:
        raise SpecError(f"ports from {first} to {last} are none", (*path, "from_port"))
    return msgspec.structs.replace(rule, first=first, last=last)


def _prefixed(rule: Rule, path: tuple[str | int, ...]) -> Rule:
    if rule.prefix and rule.group:
        raise SpecError("is either a range or a group at the other end, not both", (*path, "group"))
    if not rule.prefix:
        return rule
    block = ipaddress.ip_network(rule.prefix, strict=False)
    if f"IPv{block.version}" != rule.ethertype:
        raise SpecError(f"{block} is not of {rule.ethertype}", (*path, "cidr"), hint="say so with ethertype")
    return msgspec.structs.replace(rule, prefix=str(block))
