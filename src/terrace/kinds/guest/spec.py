"""From a machine's properties to its typed spec."""

from __future__ import annotations

from typing import Any

from terrace.errors import SpecError
from terrace.kinds.rules.address import host_name
from terrace.kinds.rules.check import did_you_mean
from terrace.kinds.rules.noun import many
from terrace.model.catalogue import Flavor
from terrace.model.graph import Node
from terrace.model.spec.machine import File, Health, MachineSpec, Mount, Nic, Publish
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

SIZES = ("cpu", "memory", "disk", "pids")


def machine_spec(plain: dict[str, Any], node: Node, capabilities: Capabilities) -> MachineSpec:
    """The typed spec from properties that were read against the table; SpecError where they do not go
    together."""
    if "publish" in plain and not capabilities.publish:
        hint = "the provider's settings say whether it may"
        raise SpecError(
            "this provider wires no ports of the host to machines",
            ("publish",),
            hint=hint,
            code="not-allowed",
        )
    name = plain.get("name", host_name(node.path))
    networks = plain.get("networks")
    return MachineSpec(
        name=name,
        image=_image(plain["image"], capabilities),
        image_name=plain.get("image_name", ""),
        flavor=plain.get("flavor", ""),
        **_sizes(plain, capabilities),
        networks=_networks(networks, many(plain.get("security_groups"))),
        volumes=_each(
            plain.get("volumes"), lambda item: Mount(item["volume"], item["path"], item["read_only"])
        ),
        environment=plain.get("environment", {}),
        command=many(plain.get("command")),
        files=_each(plain.get("files"), lambda item: File(item["path"], item["content"], item["mode"])),
        user_data=plain.get("user_data", ""),
        user_data_format=plain["user_data_format"],
        keys=_keys(plain.get("keys"), capabilities),
        metadata=plain.get("metadata", {}),
        health=_health(plain.get("health")),
        restart=plain["restart"],
        log_size=plain["log_size"],
        publish=_each(plain.get("publish"), lambda item: Publish(**item)),
        aliases=_aliases(plain.get("aliases"), name, node),
        group=plain.get("group", ""),
        placement=plain.get("placement", ""),
        password=plain.get("password", ""),
        workdir=plain.get("workdir", ""),
        tags=many(plain.get("tags")),
        boot_volume=plain.get("boot_volume", ""),
    )


def _image(image: Any, capabilities: Capabilities) -> Any:
    """What an Image's reference gave; or a name, as the provider's catalogue has it."""
    return image if image is UNKNOWN else capabilities.catalogue.images.get(image, image)


def _each(items: Any, make: Any) -> Any:
    if items is UNKNOWN:
        return UNKNOWN
    return tuple(UNKNOWN if item is UNKNOWN else make(item) for item in items or ())


def _sizes(plain: dict[str, Any], capabilities: Capabilities) -> dict[str, Any]:
    """cpu, memory, disk and pids: those given, else the flavor's."""
    name = plain.get("flavor", "")
    given = {size: plain[size] for size in SIZES if size in plain}
    if name is UNKNOWN:
        return {size: given.get(size, UNKNOWN) for size in SIZES}
    flavor = flavor_of(name, capabilities) if name else Flavor()
    return {size: given.get(size, getattr(flavor, size)) for size in SIZES}


def flavor_of(name: str, capabilities: Capabilities) -> Flavor:
    """The flavor of that name; SpecError when the provider's catalogue does not have it."""
    flavors = capabilities.catalogue.flavors
    if name not in flavors:
        hint = did_you_mean(name, flavors) or f"known: {', '.join(sorted(flavors)) or 'none'}"
        raise SpecError(f'there is no flavor "{name}"', ("flavor",), hint=hint, code="unknown-flavor")
    return flavors[name]


def _keys(given: Any, capabilities: Capabilities) -> Any:
    if given is UNKNOWN:
        return UNKNOWN
    return tuple(_key(key, index, capabilities) for index, key in enumerate(given or ()))


def _key(key: Any, index: int, capabilities: Capabilities) -> Any:
    """A public key; one that is called by name is found in the provider's settings."""
    if key is UNKNOWN or " " in key.strip():
        return key
    known = capabilities.catalogue.keys
    if key not in known:
        raise SpecError(
            f'there is no key "{key}"',
            ("keys", index),
            hint=did_you_mean(key, known)
            or "make a KeyPair and refer to it, or add the key to the provider's settings",
            code="unknown-key-pair",
        )
    return known[key]


def _networks(networks: Any, groups: Any) -> Any:
    """Its places on networks. `groups` stand where no port and no place of its own says else."""
    if networks is UNKNOWN:
        return UNKNOWN
    if not networks and groups is not UNKNOWN and groups:
        raise SpecError("security groups need a network that the machine is on", ("security_groups",))
    return tuple(_nic(item, index, groups) for index, item in enumerate(networks or ()))


def _nic(item: Any, index: int, groups: Any) -> Any:
    if item is UNKNOWN:
        return UNKNOWN
    if not _given(item, "network"):
        hint = "refer to the Port with get_resource in the machine's own template, or name its network too"
        if _given(item, "port"):
            raise SpecError("the network of this port is not known", ("networks", index, "port"), hint=hint)
        raise SpecError("a network, or a port, is required", ("networks", index, "network"))
    ip = item["ip"] if _given(item, "ip") else item.get("fixed_ip", "")
    own = many(item.get("groups")) if _given(item, "port") or item.get("groups") is not None else groups
    return Nic(item["network"], ip, item.get("mac", ""), item.get("port", ""), own)


def _given(item: dict[str, Any], name: str) -> bool:
    value = item.get(name, "")
    return value is UNKNOWN or value != ""


def _health(item: Any) -> Any:
    if item is None or item is UNKNOWN:
        return item
    kind = item["type"]
    if kind == "command" and "command" not in item:
        raise SpecError("a check by command needs the command", ("health", "command"))
    if kind is not UNKNOWN and kind != "command" and "port" not in item:
        raise SpecError(f"a check by {kind} needs the port", ("health", "port"))
    return Health(**{**item, "command": many(item.get("command")), "port": item.get("port", 0)})


def _aliases(given: Any, name: Any, node: Node) -> Any:
    """The names by which it is found: the resource's, the machine's, and those asked for."""
    if given is UNKNOWN or name is UNKNOWN:
        return UNKNOWN
    return tuple(dict.fromkeys([host_name(node.path), name, *(given or ())]))


def same_networks(wanted: Any, seen: Any) -> bool:
    """Whether a machine is on the networks it should be on, with the addresses it should have; without any
    wish, any will do. What is seen may carry the network's `name` beside its id: a wish may have named
    either."""
    if not wanted:
        return True
    if len(wanted) != len(seen):
        return False
    found = {nic.get("network"): nic for nic in seen} | {nic["name"]: nic for nic in seen if nic.get("name")}
    return all(nic["network"] in found and _same_place(nic, found[nic["network"]]) for nic in wanted)


def _same_place(wanted: dict[str, Any], seen: dict[str, Any]) -> bool:
    """The address as wanted, if any is, and the same security groups."""
    groups = set(wanted.get("groups", ())) == set(seen.get("groups", ()))
    return groups and wanted.get("ip", "") in ("", seen.get("ip", ""))


def within(wanted: Any, seen: Any) -> bool:
    """Whether what is seen holds all that is wanted, and maybe more; hidden values cannot be compared."""
    return all(isinstance(value, dict) or seen.get(key) == value for key, value in wanted.items())
