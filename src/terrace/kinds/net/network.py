"""Networks of machines, and what stands on them: address ranges and reserved addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.address import fitted, outside, wrong_address, wrong_range
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.spec.network import NetworkSpec, PortSpec, SubnetSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

RANGE = Property(Type.STRING, "Its range of addresses, such as 10.0.0.0/24.", check=wrong_range)
ADDRESS = Property(Type.STRING, "An address.", check=wrong_address)
MAC = r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"


def _named(description: str, changes: Effect = Effect.REPLACE) -> Property:
    return Property(Type.STRING, description, shorthand=fitted, changes=changes)


def _pools(description: str) -> Property:
    ends = {
        "start": Property(Type.STRING, "The first.", required=True, check=wrong_address),
        "end": Property(Type.STRING, "The last.", required=True, check=wrong_address),
    }
    return Property(Type.LIST, description, items=Property(Type.MAP, properties=ends), changes=Effect.UPDATE)


class Network(Noun):
    """A network of machines."""

    name = "Network"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": _named("A name for people; the resource's own by default."),
            "cidr": Property(
                Type.STRING, "Its range of addresses; the provider chooses by default.", check=wrong_range
            ),
            "gateway": Property(
                Type.STRING, "The address of the way out; the first one by default.", check=wrong_address
            ),
            "internal": Property(Type.BOOLEAN, "Whether there is no way out.", default=False),
            "mtu": Property(
                Type.INTEGER,
                "Bytes in a packet; as the provider thinks fit by default.",
                default=0,
                minimum=0,
                maximum=65535,
                changes=Effect.UPDATE,
            ),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "cidr": "Its range.",
            "gateway": "The way out.",
            "subnets": "Its ranges.",
            "mtu": "Bytes in a packet.",
        },
        description="A network of machines.",
    )
    rules: ClassVar[Rules] = Rules(in_place=frozenset({"mtu"}), defaults=defaults_of(NetworkSpec))
    foretold: ClassVar[dict[str, str]] = {"name": "name", "cidr": "cidr", "gateway": "gateway", "mtu": "mtu"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> NetworkSpec:
        """The typed spec."""
        _within(plain)
        return NetworkSpec(
            name=plain.get("name", node.path.replace("/", "-")),
            cidr=plain.get("cidr", ""),
            gateway=plain.get("gateway", ""),
            internal=plain["internal"],
            mtu=plain["mtu"],
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The range, which no second network of the provider can have."""
        if spec.cidr is UNKNOWN or not spec.cidr:
            return frozenset()
        return frozenset({Claim("address", "provider", spec.cidr)})


class Subnet(Noun):
    """An address range of a network."""

    name = "Subnet"
    schema: ClassVar[Schema] = Schema(
        properties={
            "network": Property(Type.STRING, "The network.", required=True, minimum=1),
            "cidr": Property(
                Type.STRING, "The range, such as 10.0.0.0/24.", required=True, check=wrong_range
            ),
            "gateway": Property(
                Type.STRING, "The address of the way out.", check=wrong_address, changes=Effect.UPDATE
            ),
            "name": _named("A name for people; the resource's own by default.", Effect.UPDATE),
            "pools": _pools("Which addresses the provider may give to ports."),
            "internal": Property(Type.BOOLEAN, "Whether machines get no way out by it.", default=False),
            "dns": Property(
                Type.LIST,
                "Name servers for its machines.",
                items=Property(Type.STRING, check=wrong_address),
                changes=Effect.UPDATE,
            ),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "cidr": "The range.",
            "gateway": "The way out.",
            "network_id": "The network's id.",
        },
        description="An address range of a network.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name"}),
        in_place=frozenset({"gateway", "pools", "dns"}),
        defaults=defaults_of(SubnetSpec),
    )
    foretold: ClassVar[dict[str, str]] = {
        "name": "name",
        "cidr": "cidr",
        "gateway": "gateway",
        "network_id": "network",
    }

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> SubnetSpec:
        """The typed spec."""
        _within(plain)
        return SubnetSpec(
            network=plain["network"],
            cidr=plain["cidr"],
            gateway=plain.get("gateway", ""),
            name=plain.get("name", node.path.replace("/", "-")),
            pools=_pairs(plain.get("pools")),
            internal=plain["internal"],
            dns=many(plain.get("dns")),
        )


class Port(Noun):
    """An address reserved on a network."""

    name = "Port"
    schema: ClassVar[Schema] = Schema(
        properties={
            "network": Property(Type.STRING, "The network.", required=True, minimum=1),
            "ip": Property(Type.STRING, "The address; the provider chooses by default.", check=wrong_address),
            "mac": Property(
                Type.STRING, "The hardware address; the provider chooses by default.", pattern=MAC
            ),
            "name": _named("A name for people; the resource's own by default.", Effect.UPDATE),
            "more": Property(
                Type.LIST,
                "Further addresses beside the first.",
                items=Property(Type.STRING, check=wrong_address),
            ),
            "subnets": Property(
                Type.LIST,
                "The subnets that its addresses are of.",
                items=Property(Type.STRING, minimum=1),
                changes=Effect.UPDATE,
            ),
            "pools": _pools("Which addresses the provider may choose from; its subnet's pools by default."),
            "security_groups": Property(
                Type.LIST,
                "The security groups that its machine is in here. Without any, everything may pass.",
                items=Property(Type.STRING, minimum=1),
                changes=Effect.UPDATE,
            ),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "network_id": "The network's id.",
            "ip": "The address.",
            "mac": "The hardware address.",
            "fixed_ips": "A list of maps: ip_address, subnet_id.",
            "subnets": "The subnets that its addresses are of.",
            "security_groups": "Its security groups.",
        },
        description="An address on a network, reserved for the machine that names this port.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "groups", "subnets", "pools"}), defaults=defaults_of(PortSpec)
    )
    foretold: ClassVar[dict[str, str]] = {
        "name": "name",
        "network_id": "network",
        "ip": "ip",
        "mac": "mac",
        "subnets": "subnets",
        "security_groups": "groups",
    }

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec; a group that does not resolve is a mistake, never an open port."""
        whole(values, "security_groups")
        return super().spec(values, node, capabilities)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> PortSpec:
        """The typed spec."""
        return PortSpec(
            network=plain["network"],
            ip=plain.get("ip", ""),
            mac=plain.get("mac", ""),
            name=plain.get("name", node.path.replace("/", "-")),
            more=many(plain.get("more")),
            groups=many(plain.get("security_groups")),
            subnets=many(plain.get("subnets")),
            pools=_pairs(plain.get("pools")),
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """Nothing: the address is held by the machine that uses the port."""
        return frozenset()


def whole(values: Mapping[str, Any], name: str) -> None:
    """SpecError when a list of groups that was given, or one of them, came to nothing."""
    if name not in values:
        return
    groups = values[name]
    lost = groups is None or groups == ""
    if isinstance(groups, list | tuple):
        lost = any(group is None or group == "" for group in groups)
    if lost:
        raise SpecError(
            "names a security group that comes to nothing, and without it everything would pass",
            (name,),
            hint="leave the property out where everything may pass",
            code="unresolved-group",
        )


def _pairs(pools: Any) -> Any:
    if pools is UNKNOWN:
        return UNKNOWN
    return tuple(pool if pool is UNKNOWN else (pool["start"], pool["end"]) for pool in pools or ())


def _within(plain: dict[str, Any]) -> None:
    """SpecError when the gateway is known not to be in the range."""
    cidr, gateway = plain.get("cidr"), plain.get("gateway")
    if cidr is UNKNOWN or gateway is UNKNOWN or not cidr or not gateway:
        return
    if outside(gateway, cidr):
        raise SpecError(f"{gateway} lies outside {cidr}", ("gateway",))
