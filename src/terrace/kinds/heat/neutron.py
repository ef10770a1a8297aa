"""Networks of OpenStack Neutron: nets, subnets, ports, routers."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import ADDRESS, TEXT, entry, first, given, ignored, refused, renamed
from terrace.kinds.rules.address import fitted, wrong_address, wrong_range
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.model.value import Ref

WITHOUT: Final = (None, "", "~", "null")
NAMED: Final = Property(Type.STRING, shorthand=fitted)

NET: Final[dict[str, Property]] = {
    "name": NAMED,
    **ignored("port_security_enabled", "each port says it for itself"),
    **ignored(
        "admin_state_up availability_zone_hints dhcp_agent_ids dns_domain qos_policy shared tags tenant_id value_specs"
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
    "cidr": Property(Type.STRING, required=True, instead=("subnetpool",), check=wrong_range),
    "gateway_ip": Property(Type.STRING, check=lambda value: "" if value in WITHOUT else wrong_address(value)),
    "name": NAMED,
    "allocation_pools": Property(Type.LIST, items=_POOL),
    "dns_nameservers": Property(Type.LIST, items=Property(Type.STRING, check=wrong_address)),
    "ip_version": Property(Type.INTEGER, allowed=(4, 6), ignored="it follows from the range"),
    **ignored(
        "enable_dhcp host_routes ipv6_address_mode ipv6_ra_mode prefixlen segment tags tenant_id value_specs"
    ),
    **refused("subnetpool", "there are no pools of ranges: give one as cidr"),
}
_FIXED: Final = Property(Type.MAP, properties={"subnet": TEXT, "subnet_id": TEXT, "ip_address": ADDRESS})
PORT: Final[dict[str, Property]] = {
    "network": TEXT,
    "network_id": TEXT,
    "name": NAMED,
    "fixed_ips": Property(Type.LIST, items=_FIXED),
    "mac_address": TEXT,
    "security_groups": Property(Type.LIST, items=TEXT),
    "port_security_enabled": Property(Type.BOOLEAN),
    **ignored("allowed_address_pairs", "a machine is not kept from sending under other addresses"),
    **ignored("replacement_policy", "a port is replaced when a change of it takes that, and not else"),
    **ignored(
        "admin_state_up binding:vnic_type device_id device_owner dns_name no_fixed_ips propagate_uplink_status "
        "qos_policy tags value_specs"
    ),
}
ROUTER: Final[dict[str, Property]] = {
    "name": NAMED,
    "external_gateway_info": Property(
        Type.MAP,
        properties={
            "network": Property(Type.STRING, required=True, minimum=1),
            **ignored("enable_snat", "what machines send leaves under the host's address"),
            **ignored("external_fixed_ips", "the way out is the host's own"),
        },
    ),
    **ignored(
        "admin_state_up availability_zone_hints distributed ha l3_agent_id l3_agent_ids qos_policy tags value_specs"
    ),
}
INTERFACE: Final[dict[str, Property]] = dict.fromkeys(
    ("router", "router_id", "subnet", "subnet_id", "port", "port_id"), TEXT
)
GATEWAY: Final[dict[str, Property]] = {
    **dict.fromkeys(("router_id", "network", "network_id"), TEXT),
    **ignored("external_fixed_ips", "the way out is the host's own"),
}


def network_of(thing: Any) -> Any:
    """The network of a subnet or port that is referred to; what is not a reference as it is."""
    return Ref(thing.node, ("network_id",)) if isinstance(thing, Ref) and not thing.path else None


def _net(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"name": "name"})


def _subnet(properties: dict[str, Any]) -> dict[str, Any]:
    names = {"cidr": "cidr", "gateway_ip": "gateway", "name": "name", "allocation_pools": "pools"}
    native = renamed(properties, names | {"dns_nameservers": "dns"})
    native |= given(network=first(properties, "network", "network_id"))
    if "gateway_ip" in properties and _none(properties["gateway_ip"]):
        native.pop("gateway", None)
        native["internal"] = True
    return native


def _none(gateway: Any) -> bool:
    """Whether there shall be no gateway, which Heat says by null, "" or ~."""
    return gateway is None or (isinstance(gateway, str) and gateway in WITHOUT)


def _port(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"name": "name", "mac_address": "mac", "security_groups": "security_groups"})
    fixed = properties.get("fixed_ips")
    places = [one for one in fixed if isinstance(one, dict)] if isinstance(fixed, list) else []
    subnets = [subnet for one in places if (subnet := first(one, "subnet", "subnet_id")) is not None]
    addresses = [one["ip_address"] for one in places if one.get("ip_address") is not None]
    network = first(properties, "network", "network_id")
    if network is None and subnets:
        network = network_of(subnets[0])
    native |= given(network=network, subnets=subnets or None, more=addresses[1:] or None)
    return native | given(ip=addresses[0] if addresses else None)


def _router(properties: dict[str, Any]) -> dict[str, Any]:
    outside = properties.get("external_gateway_info")
    native = renamed(properties, {"name": "name"})
    return native | given(gateway=outside.get("network") if isinstance(outside, dict) else outside)


def _interface(properties: dict[str, Any]) -> dict[str, Any]:
    on = first(properties, "subnet", "subnet_id", "port", "port_id")
    network = network_of(on)
    return given(router=first(properties, "router", "router_id"), network=on if network is None else network)


def _gateway(properties: dict[str, Any]) -> dict[str, Any]:
    return given(router=properties.get("router_id"), network=first(properties, "network", "network_id"))


NEUTRON: Final[tuple[TypeEntry, ...]] = (
    entry("OS::Neutron::Net", "Network", NET, "name id subnets mtu", _net, network_id="id"),
    entry("OS::Neutron::Subnet", "Subnet", SUBNET, "name id cidr network_id", _subnet, gateway_ip="gateway"),
    entry(
        "OS::Neutron::Port",
        "Port",
        PORT,
        "name id network_id fixed_ips subnets security_groups",
        _port,
        mac_address="mac",
    ),
    entry("OS::Neutron::Router", "Router", ROUTER, "name id", _router, external_gateway_info="gateway"),
    entry("OS::Neutron::RouterInterface", "RouterInterface", INTERFACE, "id", _interface),
    entry("OS::Neutron::RouterGateway", "RouterGateway", GATEWAY, "id", _gateway),
)
