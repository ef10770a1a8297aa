"""Security groups of OpenStack Neutron and of EC2."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import CLOUD, TEXT, each, entry, first, given, ignored, renamed
from terrace.kinds.net.security import OWN, wrong_prefix, wrong_protocol
from terrace.kinds.rules.address import fitted
from terrace.kinds.schema import Property, Type, TypeEntry

_PORT: Final = Property(Type.INTEGER, minimum=0, maximum=65535)
_EC2_PORT: Final = Property(Type.INTEGER, minimum=-1, maximum=65535)
_PARTS: Final[dict[str, Property]] = {
    "direction": Property(Type.STRING, allowed=("ingress", "egress")),
    "ethertype": Property(Type.STRING, allowed=("IPv4", "IPv6")),
    "protocol": Property(Type.STRING, check=lambda value: wrong_protocol(value) if value else ""),
    "port_range_min": _PORT,
    "port_range_max": _PORT,
    "remote_ip_prefix": Property(Type.STRING, check=wrong_prefix),
}
_NATIVE: Final = {
    "direction": "direction",
    "ethertype": "ethertype",
    "port_range_min": "from_port",
    "port_range_max": "to_port",
    "remote_ip_prefix": "cidr",
}
GROUP: Final[dict[str, Property]] = {
    "name": Property(Type.STRING, shorthand=fitted),
    "description": TEXT,
    "rules": Property(
        Type.LIST,
        items=Property(
            Type.MAP,
            properties={
                **_PARTS,
                "remote_mode": Property(Type.STRING, allowed=("remote_ip_prefix", "remote_group_id")),
                "remote_group_id": Property(Type.STRING, minimum=1),
            },
        ),
    ),
    **ignored("tags value_specs"),
}
RULE: Final[dict[str, Property]] = {
    **_PARTS,
    "security_group": Property(Type.STRING, required=True, minimum=1),
    "remote_group": Property(Type.STRING, minimum=1),
    **ignored("description"),
}
_EC2_PARTS: Final[dict[str, Property]] = {
    "CidrIp": Property(Type.STRING, check=wrong_prefix),
    "FromPort": _EC2_PORT,
    "ToPort": _EC2_PORT,
    "IpProtocol": Property(Type.STRING, check=lambda value: "" if value == "-1" else wrong_protocol(value)),
}
_INGRESS: Final = {
    **_EC2_PARTS,
    "SourceSecurityGroupId": TEXT,
    "SourceSecurityGroupName": TEXT,
    **ignored("SourceSecurityGroupOwnerId"),
}
_EGRESS: Final = {**_EC2_PARTS, "DestinationSecurityGroupId": TEXT, "DestinationSecurityGroupName": TEXT}
EC2_GROUP: Final[dict[str, Property]] = {
    "GroupDescription": Property(Type.STRING, required=True),
    "SecurityGroupIngress": Property(Type.LIST, items=Property(Type.MAP, properties=_INGRESS)),
    "SecurityGroupEgress": Property(Type.LIST, items=Property(Type.MAP, properties=_EGRESS)),
    "VpcId": Property(Type.STRING, ignored=CLOUD),
}


def _part(rule: dict[str, Any]) -> dict[str, Any]:
    native = renamed(rule, _NATIVE)
    protocol = rule.get("protocol")
    return native if protocol is None or protocol == "" else {**native, "protocol": protocol}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of a group. Both ends named: the group, which is the narrower one."""
    native = _part(rule)
    group = rule.get("remote_group_id")
    if group is None and rule.get("remote_mode") == "remote_group_id":
        group = OWN
    if group is None:
        return native
    native.pop("cidr", None)
    return {**native, "group": group}


def _group(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"name": "name", "description": "description", "rules": "rules"})
    if "rules" in native:
        native["rules"] = each(native["rules"], _rule)
    return native


def _added(properties: dict[str, Any]) -> dict[str, Any]:
    native = _part(properties) | given(security_group=properties.get("security_group"))
    return native | given(group=properties.get("remote_group"))


def _ec2_rule(rule: dict[str, Any], direction: str, group: Any) -> dict[str, Any]:
    ports = {"from_port": rule.get("FromPort"), "to_port": rule.get("ToPort")}
    native = {name: port for name, port in ports.items() if port is not None and str(port) != "-1"}
    protocol = rule.get("IpProtocol")
    native |= given(protocol=None if protocol == "-1" else protocol, cidr=rule.get("CidrIp"), group=group)
    return {"direction": direction, **native}


def _ec2_group(properties: dict[str, Any]) -> dict[str, Any]:
    incoming, outgoing = properties.get("SecurityGroupIngress"), properties.get("SecurityGroupEgress")
    rules = [
        *_ec2_rules(incoming, "ingress", ("SourceSecurityGroupId", "SourceSecurityGroupName")),
        *_ec2_rules(outgoing, "egress", ("DestinationSecurityGroupId", "DestinationSecurityGroupName")),
    ]
    return {"rules": rules} | given(description=properties.get("GroupDescription"))


def _ec2_rules(rules: Any, direction: str, names: tuple[str, str]) -> list[Any]:
    """Rules of one direction; one that is not a map yet stays as it is, and is judged when it is known."""
    found = rules if isinstance(rules, list) else [] if rules is None else [rules]
    return [
        _ec2_rule(rule, direction, first(rule, *names)) if isinstance(rule, dict) else rule for rule in found
    ]


SECURITY: Final[tuple[TypeEntry, ...]] = (
    entry("OS::Neutron::SecurityGroup", "SecurityGroup", GROUP, "name id", _group),
    entry("OS::Neutron::SecurityGroupRule", "SecurityGroupRule", RULE, "id", _added),
    entry("AWS::EC2::SecurityGroup", "SecurityGroup", EC2_GROUP, "name id", _ec2_group, GroupId="id"),
)
