"""A guest: container or virtual machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from msgspec.structs import replace

from terrace.kinds.guest import properties as table
from terrace.kinds.guest import spec as typed
from terrace.kinds.guest.placement import APART, placed_by, sized
from terrace.kinds.net.network import whole
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Schema
from terrace.kinds.software.config import Thing, resolved
from terrace.model.decision import Act, Claim, Decision, Refuse, Settled, Wait
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.machine import MachineSpec
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted


class Machine(Noun):
    """A guest. Ended ones are started again, paused ones go on, vanished ones are made anew."""

    name = "Machine"
    schema: ClassVar[Schema] = Schema(
        properties=table.PROPERTIES,
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "first_address": "Its first address.",
            "addresses": "Networks by name, each a list of maps: addr, and port, which a floating address can lead to.",
            "networks": "Networks by name, each a list of addresses.",
            "state": "created, running, paused, exited or dead.",
            "host": "The computer it runs on.",
            "tags": "Its words for people.",
        },
        description="A guest: a container or a virtual machine.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"restart", "health", "tags"}),
        in_place=frozenset({"cpu", "memory", "disk", "pids", "networks", "log_size", "metadata", "aliases"}),
        inert=frozenset({"image_name", "flavor", "placement"}),
        defaults=defaults_of(MachineSpec),
        same={"networks": typed.same_networks, "environment": typed.within, "metadata": typed.within},
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name", "tags": "tags"}

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec; a security group that does not resolve is a mistake, never an open machine."""
        whole(values, "security_groups")
        return super().spec(values, node, capabilities)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> MachineSpec:
        """The typed spec, with the flavor looked up in the provider's catalogue."""
        return typed.machine_spec(plain, node, capabilities)

    def resolve(self, values: Mapping[str, Any], thing: Thing) -> Mapping[str, Any]:
        """User data that names a configuration is its text; a flavor of the template gives the sizes, a group the rule
        for placing."""
        values = cast("Mapping[str, Any]", resolved(values, "user_data", thing))
        flavor, group = values.get("flavor"), values.get("group")
        sizes = thing(flavor) if isinstance(flavor, str) else None
        if sizes is not None and "memory" in sizes:
            values = sized(values, sizes)
        rule = thing(group) if isinstance(group, str) else None
        return values if rule is None else {**values, "placement": placed_by(rule)}

    def standing(self, wanted: Wanted, seen: Seen) -> Decision:
        """Running is what is wanted, by the restart rule; what is paused goes on."""
        match seen.state:
            case "running":
                return _booted(_running(wanted.spec, seen), seen)
            case "paused":
                return Act(Verb.UNPAUSE, "it is paused")
            case "created":
                return Act(Verb.START, "it has not been started")
            case "exited" | "dead":
                return _ended(wanted.spec, seen)
            case state:
                return Wait(f"it is {state}")

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """Fixed addresses, ports of the host, volumes that are written to; and the one host that there is, where
        machines must stand apart."""
        found = {
            Claim("address", nic.network, nic.ip) for nic in _known(spec.networks, "network", "ip") if nic.ip
        }
        found |= {
            Claim("port", "", f"{port.host}/{port.protocol}")
            for port in _known(spec.publish, "host", "protocol")
            if port.host
        }
        found |= {
            Claim("volume", "", mount.volume)
            for mount in _known(spec.volumes, "volume", "read_only")
            if not mount.read_only
        }
        if capabilities.hosts == 1 and spec.placement == APART and spec.group is not UNKNOWN:
            found.add(Claim("host", spec.group, "the only one"))
        return frozenset(found)


def _known(items: Any, *fields: str) -> list[Any]:
    """Those of `items` whose `fields` are all known."""
    if items is UNKNOWN:
        return []
    return [
        item
        for item in items
        if item is not UNKNOWN and all(getattr(item, field) is not UNKNOWN for field in fields)
    ]


def _running(spec: MachineSpec, seen: Seen) -> Settled:
    if spec.health is None:
        return Settled("running", healthy=seen.healthy is not False)
    if seen.healthy is None:
        return Settled("running, its health is not known yet", healthy=False)
    return Settled(
        "running and healthy" if seen.healthy else "running, but not healthy", healthy=seen.healthy
    )


def _booted(settled: Settled, seen: Seen) -> Settled:
    """With what its user data has not brought about."""
    if not seen.boot:
        return settled
    return replace(settled, lacking=seen.why, stuck=seen.boot != "running")


def _ended(spec: MachineSpec, seen: Seen) -> Decision:
    how = "it ended" if seen.exit_code is None else f"it ended with exit code {seen.exit_code}"
    if spec.restart not in ("on-failure", "never") or (spec.restart == "on-failure" and seen.exit_code != 0):
        return Act(Verb.START, how)
    if seen.exit_code == 0:
        return _booted(Settled("it ended well"), seen)
    return Refuse(f"{how}, and its restart rule is never", hint="terrace logs shows what it wrote last")
