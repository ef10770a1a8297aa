"""Networks of OpenStack Neutron."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import ADDRESS, FILTER, TEXT, entry, first, given, ignored, renamed
from terrace.kinds.rules.address import NAME, wrong_address, wrong_range
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.model.value import Ref

NET: Final[dict[str, Property]] = {
    "name": Property(Type.STRING, pattern=NAME),
    **ignored(
        "admin_state_up availability_zone_hints dhcp_agent_ids dns_domain port_security_enabled "
        "qos_policy shared tags tenant_id value_specs"
    ),
}
_POOL: Final = Property(
    Type.MAP,
    properties={
        "start": Property(Type.STRING, required=True, check=wrong_address),
        "end": Property(Type.STRING, required=True, check=wrong_address),
    },
)
SUBNET: Final[dict[str, Property]] = {
    "network": TEXT,
    "network_id": TEXT,
    "cidr": Property(Type.STRING, required=True, check=wrong_range),
    "gateway_ip": Property(
        Type.STRING, check=lambda value: "" if value in ("~", "null") else wrong_address(value)
    ),
    "name": Property(Type.STRING, pattern=NAME),
    "allocation_pools": Property(Type.LIST, items=_POOL),
    "ip_version": Property(Type.INTEGER, allowed=(4, 6), ignored="it follows from the range"),
    **ignored(
        "dns_nameservers enable_dhcp host_routes ipv6_address_mode ipv6_ra_mode prefixlen segment "
        "subnetpool tags tenant_id value_specs"
    ),
}
_FIXED: Final = Property(Type.MAP, properties={"subnet": TEXT, "subnet_id": TEXT, "ip_address": ADDRESS})
PORT: Final[dict[str, Property]] = {
    "network": TEXT,
    "network_id": TEXT,
    "name": Property(Type.STRING, pattern=NAME),
    "fixed_ips": Property(Type.LIST, items=_FIXED),
    "mac_address": TEXT,
    **ignored("security_groups", FILTER),
    **ignored(
        "admin_state_up allowed_address_pairs binding:vnic_type device_id device_owner dns_name "
        "no_fixed_ips port_security_enabled propagate_uplink_status qos_policy tags value_specs"
    ),
}


def _net(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"name": "name"})


def _subnet(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(
        properties, {"cidr": "cidr", "gateway_ip": "gateway", "name": "name", "allocation_pools": "pools"}
    )
    native |= given(network=first(properties, "network", "network_id"))
    if native.get("gateway") in ("~", "null"):
        del native["gateway"]
    return native


def _port(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"name": "name", "mac_address": "mac"})
    fixed = properties.get("fixed_ips")
    head = fixed[0] if isinstance(fixed, list) and fixed and isinstance(fixed[0], dict) else {}
    network = first(properties, "network", "network_id")
    subnet = first(head, "subnet", "subnet_id")
    if network is None and isinstance(subnet, Ref) and not subnet.path:
        network = Ref(subnet.node, ("network_id",))
    return native | given(network=network, ip=head.get("ip_address"))


NEUTRON: Final[tuple[TypeEntry, ...]] = (
    entry("OS::Neutron::Net", "Network", NET, "name id subnets mtu", _net, network_id="id"),
    entry("OS::Neutron::Subnet", "Subnet", SUBNET, "name id cidr network_id", _subnet, gateway_ip="gateway"),
    entry("OS::Neutron::Port", "Port", PORT, "name id network_id fixed_ips", _port, mac_address="mac"),
)
