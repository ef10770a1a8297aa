"""What a template leaves unsaid about networks: ranges, what ports hand to machines, what is bound to what, and which
security group a name means."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from terrace.model.graph import Edge, Node, Until
from terrace.model.value import Ref, refs

TOP: Final = "/"
DEFAULT: Final = "default"
OWN: Final = "self"
BOUND: Final[dict[str, tuple[str, ...]]] = {
    "VolumeAttachment": ("machine", "volume"),
    "SecurityGroupRule": ("security_group",),
    "RouterInterface": ("router", "network"),
    "RouterGateway": ("router",),
    "FloatingIPAssociation": ("floating_ip", "port", "machine"),
    "Listener": ("balancer",),
    "Pool": ("listener", "balancer"),
    "PoolMember": ("pool",),
    "HealthMonitor": ("pool",),
}
"""What lives and dies with what these properties refer to."""


def bare(value: Any) -> bool:
    """Whether `value` is a reference to a thing itself, in the same template."""
    return type(value) is Ref and not value.path and not value.node.startswith(TOP)


def bound(node: Node) -> Node:
    """A node of a kind in BOUND with edges to its ends."""
    stated = {edge.node for edge in node.edges}
    ends = {
        target
        for name in BOUND[node.kind]
        for target in refs(node.properties.get(name))
        if target and target not in stated
    }
    if not ends:
        return node
    return replace(node, edges=(*node.edges, *(Edge(end, Until.BOUND) for end in sorted(ends))))


# --- ranges


def ranged(node: Node, subnets: Mapping[str, Node]) -> Node:
    """A network or a port with what the subnet says of addresses; `subnets` are by the path of their network."""
    if node.path in subnets:
        return _with_range(node, subnets[node.path])
    network = node.properties.get("network")
    subnet = (
        subnets.get(network.node) if node.kind == "Port" and type(network) is Ref and bare(network) else None
    )
    pools = subnet.properties.get("pools") if subnet is not None else None
    if not pools or node.properties.get("pools") is not None:
        return node
    return replace(node, properties={**node.properties, "pools": pools})


def _with_range(node: Node, subnet: Node) -> Node:
    """A network with the range of its subnet, unless it has one, or that hangs on other things."""
    if node.kind != "Network" or node.properties.get("cidr") is not None:
        return node
    wanted = {name: subnet.properties.get(name) for name in ("cidr", "gateway")}
    if subnet.properties.get("internal") is True:
        wanted["internal"] = True
    fresh = {name: value for name, value in wanted.items() if value is not None and not refs(value)}
    if "cidr" not in fresh:
        return node
    return replace(node, properties={**node.properties, **fresh})


def wrong_subnet(node: Node, lender: Node) -> str:
    """Why a subnet cannot stand where a network has one range, of IPv4, which `lender` gives it; "" when it can."""
    cidr = node.properties.get("cidr")
    if not isinstance(cidr, str):
        return ""
    if ipaddress.ip_network(cidr, strict=False).version == 6:
        return f"a network here has addresses of IPv4 only, not {cidr}"
    given = lender.properties.get("cidr")
    if lender is node or not isinstance(given, str) or given == cidr:
        return ""
    return f"a network here has one range, {given} of {lender.path}, and not {cidr} beside it"


# --- ports


def is_port(nic: Any) -> bool:
    """Whether a machine's place on a network is given by a port of the template."""
    return isinstance(nic, dict) and type(nic.get("port")) is Ref and not nic["port"].path


def through_port(nic: Mapping[str, Any]) -> dict[str, Any]:
    """A place on a network that a port gives, with what the port says of it."""
    port: Ref = nic["port"]
    given = {name: value for name, value in nic.items() if value is not None}
    names = (("network", "network_id"), ("mac", "mac"), ("groups", "security_groups"))
    asked = {name: Ref(port.node, (attribute,)) for name, attribute in names}
    address = {} if "fixed_ip" in given or "ip" in given else {"ip": Ref(port.node, ("ip",))}
    return {**asked, **address, **given}


# --- security groups


def group_names(nodes: Sequence[Node]) -> dict[str, str]:
    """The security groups of a template: name -> path. A resource's own name wins over one that is for people."""
    groups = [node for node in nodes if node.kind == "SecurityGroup" and not node.implied]
    named = {name: node.path for node in groups if isinstance(name := node.properties.get("name"), str)}
    return named | {node.path: node.path for node in groups}


def with_groups(node: Node, find: Callable[[str], Any]) -> Node:
    """A node whose security groups are references. `find` gives the one for a name."""
    properties = dict(node.properties)
    if node.kind in ("Machine", "Port", "LoadBalancer") and isinstance(
        properties.get("security_groups"), list | tuple
    ):
        properties["security_groups"] = [_found(one, find) for one in properties["security_groups"]]
    elif node.kind == "SecurityGroup" and isinstance(properties.get("rules"), list | tuple):
        properties["rules"] = [
            {**rule, "group": _found(rule["group"], find)}
            if isinstance(rule, dict) and "group" in rule
            else rule
            for rule in properties["rules"]
        ]
    elif node.kind == "SecurityGroupRule":
        for name in ("security_group", "group"):
            if name in properties:
                properties[name] = _found(properties[name], find)
    return node if properties == node.properties else replace(node, properties=properties)


def _found(group: Any, find: Callable[[str], Any]) -> Any:
    return find(group) if isinstance(group, str) and group and group != OWN else group


# --- what all of a stack share


def shared_network(user: Node, shared: dict[str, Node]) -> str:
    """The path of the network that machines of a stack without one share, put into `shared` when it is new."""
    return _shared("network:stack", "Network", {}, user, shared)


def default_group(user: Node, shared: dict[str, Node]) -> str:
    """The path of the group that is meant by "default": what is in it may talk to one another."""
    rules = [{"direction": "ingress", "group": OWN}]
    return _shared(
        f"security-group:{DEFAULT}", "SecurityGroup", {"name": DEFAULT, "rules": rules}, user, shared
    )


def _shared(name: str, kind: str, properties: dict[str, Any], user: Node, shared: dict[str, Node]) -> str:
    path = "@".join(part for part in (name, user.provider, user.region) if part)
    if path not in shared:
        shared[path] = Node(
            path=path,
            kind=kind,
            properties=properties,
            provider=user.provider,
            region=user.region,
            place=user.place,
            type_name=f"Terrace::{kind}",
            implied=True,
        )
    return path
