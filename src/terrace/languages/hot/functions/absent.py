"""Attributes that Heat's types have and that nothing here has a value for: they are read as nothing, with a warning, so
that a template whose outputs show them can be used."""

from __future__ import annotations

from typing import Final

WHY: Final = "it means something to an OpenStack cloud only"
_NET: Final = "status admin_state_up tenant_id"

_NAMES: Final[dict[str, str]] = {
    "OS::Nova::Server": "accessIPv6 console_urls tags os_collect_config",
    "OS::Heat::DeployedServer": "os_collect_config",
    "OS::Neutron::Net": f"{_NET} port_security_enabled qos_policy_id l2_adjacency segments",
    "OS::Neutron::Subnet": "tenant_id allocation_pools host_routes ip_version dns_nameservers enable_dhcp",
    "OS::Neutron::Port": f"{_NET} device_id device_owner security_groups allowed_address_pairs subnets "
    "port_security_enabled qos_policy_id dns_assignment network propagate_uplink_status",
    "OS::Neutron::Router": f"{_NET} external_gateway_info",
    "OS::Neutron::FloatingIP": "router_id tenant_id",
    "OS::Cinder::Volume": "availability_zone snapshot_id display_description volume_type metadata source_volid "
    "created_at bootable metadata_values encrypted attachments attachments_list multiattach",
    "OS::Octavia::LoadBalancer": "flavor_id",
    "OS::Heat::SoftwareComponent": "configs",
    "OS::Heat::WaitConditionHandle": "signal",
    "AWS::EC2::Instance": "AvailabilityZone",
}
ABSENT: Final[dict[str, frozenset[str]]] = {name: frozenset(text.split()) for name, text in _NAMES.items()}
"""By type. An attribute that its type does have is not looked up here."""
