"""Floating addresses of OpenStack Neutron and Nova."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import ADDRESS, REQUIRED_TEXT, TEXT, entry, first, given, ignored
from terrace.kinds.schema import Property, TypeEntry
from terrace.model.value import Ref

FLOATING: Final[dict[str, Property]] = {
    "floating_network": TEXT,
    "floating_network_id": TEXT,
    "port_id": TEXT,
    "fixed_ip_address": ADDRESS,
    "floating_ip_address": ADDRESS,
    **ignored("dns_domain dns_name floating_subnet qos_policy tags value_specs"),
}
ASSOCIATION: Final[dict[str, Property]] = {
    "floatingip_id": REQUIRED_TEXT,
    "port_id": TEXT,
    "fixed_ip_address": ADDRESS,
}
NOVA_FLOATING: Final[dict[str, Property]] = {"pool": TEXT}
NOVA_ASSOCIATION: Final[dict[str, Property]] = {"server_id": REQUIRED_TEXT, "floating_ip": REQUIRED_TEXT}


def _address(thing: Any, attribute: str) -> Any:
    """The address of a port or server that is referred to."""
    return Ref(thing.node, (attribute,)) if isinstance(thing, Ref) and not thing.path else None


def _floating(properties: dict[str, Any]) -> dict[str, Any]:
    port, fixed = properties.get("port_id"), properties.get("fixed_ip_address")
    return given(
        pool=first(properties, "floating_network", "floating_network_id"),
        ip=properties.get("floating_ip_address"),
        port=port,
        target=_address(port, "ip") if fixed is None else fixed,
    )


def _association(properties: dict[str, Any]) -> dict[str, Any]:
    port, fixed = properties.get("port_id"), properties.get("fixed_ip_address")
    target = _address(port, "ip") if fixed is None else fixed
    return given(floating_ip=properties.get("floatingip_id"), port=port, target=target)


def _nova_floating(properties: dict[str, Any]) -> dict[str, Any]:
    return given(pool=properties.get("pool"))


def _nova_association(properties: dict[str, Any]) -> dict[str, Any]:
    server = properties.get("server_id")
    target = _address(server, "first_address")
    return given(floating_ip=properties.get("floating_ip"), machine=server, target=target)


FLOATING_IPS: Final[tuple[TypeEntry, ...]] = (
    entry(
        "OS::Neutron::FloatingIP",
        "FloatingIP",
        FLOATING,
        "id",
        _floating,
        floating_ip_address="ip",
        fixed_ip_address="target",
        floating_network_id="pool",
        port_id="port",
    ),
    entry("OS::Neutron::FloatingIPAssociation", "FloatingIPAssociation", ASSOCIATION, "id", _association),
    entry("OS::Nova::FloatingIP", "FloatingIP", NOVA_FLOATING, "id ip pool", _nova_floating),
    entry(
        "OS::Nova::FloatingIPAssociation", "FloatingIPAssociation", NOVA_ASSOCIATION, "id", _nova_association
    ),
)
