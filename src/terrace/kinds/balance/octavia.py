"""Load balancers of OpenStack Octavia."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from terrace.kinds.balance.balancer import LoadBalancer
from terrace.kinds.balance.listener import Listener
from terrace.kinds.balance.monitor import HealthMonitor
from terrace.kinds.balance.pool import Pool, PoolMember
from terrace.kinds.heat.neutron import network_of
from terrace.kinds.heat.words import entry, given, ignored, renamed
from terrace.kinds.schema import Property, Type, TypeEntry

_LOAD_BALANCER = {
    "vip_address": "address",
    "vip_subnet": "subnet",
    "name": "name",
    "description": "description",
    "admin_state_up": "enabled",
}
_LISTENER = {
    "loadbalancer": "balancer",
    "protocol": "protocol",
    "protocol_port": "port",
    "default_pool": "pool",
    "connection_limit": "limit",
    "allowed_cidrs": "allowed",
    "default_tls_container_ref": "certificate",
    "sni_container_refs": "more_certificates",
    "name": "name",
    "description": "description",
    "admin_state_up": "enabled",
}
_POOL = {
    "listener": "listener",
    "loadbalancer": "balancer",
    "protocol": "protocol",
    "lb_algorithm": "algorithm",
    "session_persistence": "persistence",
    "tls_enabled": "tls",
    "name": "name",
    "description": "description",
    "admin_state_up": "enabled",
}
_MEMBER = {
    "pool": "pool",
    "address": "address",
    "protocol_port": "port",
    "weight": "weight",
    "subnet": "subnet",
    "monitor_address": "monitor_address",
    "monitor_port": "monitor_port",
    "backup": "backup",
    "admin_state_up": "enabled",
}
_MONITOR = {
    "pool": "pool",
    "type": "type",
    "delay": "delay",
    "timeout": "timeout",
    "max_retries": "retries",
    "url_path": "path",
    "http_method": "method",
    "expected_codes": "codes",
    "admin_state_up": "enabled",
}
_KEEPING: Final = Property(
    Type.MAP,
    properties={
        "type": Pool.schema.properties["persistence"].properties["type"],
        "cookie_name": Pool.schema.properties["persistence"].properties["cookie"],
    },
)


_SUBNET: Final = msgspec.structs.replace(LoadBalancer.schema.properties["subnet"], required=True)


def _taken(names: dict[str, str], table: dict[str, Property], **others: Property) -> dict[str, Property]:
    """Heat's properties, each as the native one that it means."""
    return {**{heat: table[native] for heat, native in names.items()}, **others}


def _load_balancer(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, _LOAD_BALANCER) | given(network=network_of(properties.get("vip_subnet")))


def _listener(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, _LISTENER)


def _pool(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, _POOL)
    kept = native.get("persistence")
    if isinstance(kept, dict) and "cookie_name" in kept:
        native["persistence"] = given(type=kept.get("type"), cookie=kept["cookie_name"])
    return native


def _member(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, _MEMBER)


def _monitor(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, _MONITOR)


OCTAVIA: Final[dict[str, TypeEntry]] = {
    one.type: one
    for one in (
        entry(
            "OS::Octavia::LoadBalancer",
            "LoadBalancer",
            _taken(
                _LOAD_BALANCER,
                LoadBalancer.schema.properties,
                vip_subnet=_SUBNET,
                **ignored("provider", "the proxy is the one of Terrace's own provider"),
                **ignored("availability_zone flavor tenant_id"),
            ),
            "pools show",
            _load_balancer,
            vip_address="address",
            vip_port_id="port",
            vip_subnet_id="subnet_id",
        ),
        entry(
            "OS::Octavia::Listener",
            "Listener",
            _taken(_LISTENER, Listener.schema.properties, **ignored("tenant_id")),
            "loadbalancers show",
            _listener,
            default_pool_id="pool",
        ),
        entry(
            "OS::Octavia::Pool",
            "Pool",
            _taken(_POOL, Pool.schema.properties, session_persistence=_KEEPING),
            "healthmonitor_id listeners members show",
            _pool,
        ),
        entry(
            "OS::Octavia::PoolMember",
            "PoolMember",
            _taken(_MEMBER, PoolMember.schema.properties, **ignored("tags")),
            "address pool_id show",
            _member,
        ),
        entry(
            "OS::Octavia::HealthMonitor",
            "HealthMonitor",
            _taken(_MONITOR, HealthMonitor.schema.properties, **ignored("tenant_id")),
            "pools show",
            _monitor,
        ),
    )
}
