"""Load balancers: a proxy with an address of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.balance.words import DESCRIBED, NAMED, SHOW, enabled
from terrace.kinds.net.network import whole
from terrace.kinds.rules.address import wrong_address
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Act, Claim, Decision, Effect, Settled
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.balance import LoadBalancerSpec
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted


def _same_groups(wanted: Any, seen: Any) -> bool:
    return set(wanted) == set(seen)


class LoadBalancer(Noun):
    """A proxy. One that ended is started again, one that is paused goes on."""

    name = "LoadBalancer"
    schema: ClassVar[Schema] = Schema(
        properties={
            "network": Property(Type.STRING, "The network that its address is of.", minimum=1),
            "subnet": Property(
                Type.STRING, "The subnet that its address is of, in place of a network.", minimum=1
            ),
            "address": Property(
                Type.STRING, "Its address; the provider chooses by default.", check=wrong_address
            ),
            "security_groups": Property(
                Type.LIST,
                "The security groups that say who may come in. Without any, all that its listeners take may.",
                items=Property(Type.STRING, minimum=1),
                changes=Effect.UPDATE,
            ),
            "name": NAMED,
            "description": DESCRIBED,
            "enabled": enabled("Whether its listeners take anything."),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "address": "Its address.",
            "port": "The port of that address, which a floating address can lead to.",
            "network_id": "The network's id.",
            "subnet_id": "The subnet that its address is of.",
            "pools": "Its pools, a list of maps: id.",
            "state": "created, running, paused, exited or dead; available where a provider does not say.",
            "show": SHOW,
        },
        description="A proxy with an address of its own, where listeners take what comes in.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "description"}),
        in_place=frozenset({"security_groups", "enabled", "intact"}),
        defaults={**defaults_of(LoadBalancerSpec), "intact": True},
        same={"security_groups": _same_groups},
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name", "address": "address"}

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec; a security group that does not resolve is a mistake, never an open door."""
        whole(values, "security_groups")
        return super().spec(values, node, capabilities)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> LoadBalancerSpec:
        """The typed spec."""
        if plain.get("network") is None and plain.get("subnet") is None:
            raise SpecError(
                "names no subnet and no network that its address is of", ("subnet",), code="missing-property"
            )
        return LoadBalancerSpec(
            name=plain.get("name", node.path.replace("/", "-")),
            network=plain.get("network", ""),
            subnet=plain.get("subnet", ""),
            address=plain.get("address", ""),
            security_groups=many(plain.get("security_groups")),
            description=plain["description"],
            enabled=plain["enabled"],
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """Its address, when that is a certain one."""
        if UNKNOWN in (spec.address, spec.network, spec.subnet) or not spec.address:
            return frozenset()
        return frozenset({Claim("address", spec.network or spec.subnet, spec.address)})

    def standing(self, wanted: Wanted, seen: Seen) -> Decision:
        """It runs, whatever ended or froze it."""
        match seen.state:
            case "paused":
                return Act(Verb.UNPAUSE, "it is paused")
            case "created":
                return Act(Verb.START, "it has not been started")
            case "exited" | "dead":
                how = "it ended" if seen.exit_code is None else f"it ended with exit code {seen.exit_code}"
                return Act(Verb.START, how)
            case _:
                return Settled()
