"""Which fields of a spec, and which properties of a template, name other things of a provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

ADDRESS: Final = "Address"
"""Not a kind: the address of a machine that something shall lead to."""

_NETWORK, _GROUP = ("Network", "network"), ("SecurityGroup", "security_groups.*")
NAMED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Machine": (
        ("Network", "networks.*.network"),
        ("Port", "networks.*.port"),
        ("SecurityGroup", "networks.*.groups.*"),
        _GROUP,
        ("Volume", "volumes.*.volume"),
        ("Volume", "boot_volume"),
    ),
    "Volume": (("Volume", "source"),),
    "VolumeSnapshot": (("Volume", "volume"),),
    "VolumeAttachment": (("Volume", "volume"), ("Machine", "machine")),
    "Subnet": (_NETWORK,),
    "Port": (_NETWORK, ("Subnet", "subnets.*"), ("SecurityGroup", "groups.*"), _GROUP),
    "SecurityGroup": (("SecurityGroup", "rules.*.group"),),
    "SecurityGroupRule": (
        ("SecurityGroup", "security_group"),
        ("SecurityGroup", "group"),
        ("SecurityGroup", "rule.group"),
    ),
    "RouterInterface": (("Router", "router"), _NETWORK),
    "RouterGateway": (("Router", "router"),),
    "FloatingIP": ((ADDRESS, "target"), ("Port", "port")),
    "FloatingIPAssociation": (
        ("FloatingIP", "floating_ip"),
        (ADDRESS, "target"),
        ("Port", "port"),
        ("Machine", "machine"),
    ),
    "SoftwareDeployment": (("Machine", "machine"),),
    "LoadBalancer": (_NETWORK, ("Subnet", "subnet"), _GROUP),
    "Listener": (("LoadBalancer", "balancer"), ("Pool", "pool")),
    "Pool": (("LoadBalancer", "balancer"), ("Listener", "listener")),
    "PoolMember": (("Pool", "pool"), ("Subnet", "subnet")),
    "HealthMonitor": (("Pool", "pool"),),
}
"""By kind: what is named, and where. Fields of specs and properties of templates stand side by side where they differ.
What a provider's settings give names to (images, flavors, networks outside) is not among them."""

_OWN = "self"


def named(kind: str, values: Any) -> Iterator[tuple[str, str, str]]:
    """What the spec, or the properties, of something of a kind name: (kind, selector, field). What is not known yet, or
    an expression, names nothing."""
    for thing, path in NAMED.get(kind, ()):
        parts = path.split(".")
        field = next(part for part in reversed(parts) if part != "*")
        for selector in _at(values, parts):
            if type(selector) is str and selector and not (thing == "SecurityGroup" and selector == _OWN):
                yield thing, selector, field


def _at(value: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield value
    elif parts[0] == "*":
        for item in value if isinstance(value, list | tuple) else ():
            yield from _at(item, parts[1:])
    elif isinstance(value, str):
        if parts == ["network"]:  # a place on a network may be written as that network alone
            yield value
    else:
        inner = value.get(parts[0]) if isinstance(value, Mapping) else getattr(value, parts[0], None)
        if inner is not None:
            yield from _at(inner, parts[1:])
