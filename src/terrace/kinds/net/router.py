"""Ways between networks and out of them: routers, what they are joined to, and their way out."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.kinds.rules.address import fitted
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.spec.router import RouterGatewaySpec, RouterInterfaceSpec, RouterSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

INTACT = {"intact": True}
_ROUTER = Property(Type.STRING, "The router.", required=True, minimum=1)


class Router(Noun):
    """Joins networks."""

    name = "Router"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(
                Type.STRING,
                "A name for people; the resource's own by default.",
                shorthand=fitted,
                changes=Effect.UPDATE,
            ),
            "gateway": Property(
                Type.STRING,
                "The network outside that it leads to. Without one (and without a RouterGateway) its networks have "
                "no way out.",
                minimum=1,
                changes=Effect.UPDATE,
            ),
        },
        attributes={"name": "Its name.", "id": "Its id at the provider.", "gateway": "The network outside."},
        description="Lets traffic pass between networks, and out of them when it has a gateway.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name"}),
        in_place=frozenset({"gateway", "intact"}),
        defaults={**defaults_of(RouterSpec), **INTACT},
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name", "gateway": "gateway"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> RouterSpec:
        """The typed spec."""
        return RouterSpec(plain.get("name", node.path.replace("/", "-")), plain.get("gateway", ""))


class RouterInterface(Noun):
    """A router on a network. Lives and dies with both."""

    name = "RouterInterface"
    schema: ClassVar[Schema] = Schema(
        properties={
            "router": _ROUTER,
            "network": Property(Type.STRING, "The network, or a subnet of it.", required=True, minimum=1),
        },
        attributes={"id": "Its id at the provider.", "network_id": "The network's id."},
        description="A router on a network.",
    )
    rules: ClassVar[Rules] = Rules(
        in_place=frozenset({"intact"}), defaults={**defaults_of(RouterInterfaceSpec), **INTACT}
    )
    foretold: ClassVar[dict[str, str]] = {"network_id": "network"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> RouterInterfaceSpec:
        """The typed spec."""
        return RouterInterfaceSpec(plain["router"], plain["network"])

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The place of one router on one network, which two interfaces cannot both have."""
        if spec.router is UNKNOWN or spec.network is UNKNOWN:
            return frozenset()
        return frozenset({Claim("name", spec.router, spec.network)})


class RouterGateway(Noun):
    """A router's way out. Lives and dies with it."""

    name = "RouterGateway"
    schema: ClassVar[Schema] = Schema(
        properties={
            "router": _ROUTER,
            "network": Property(Type.STRING, "The network outside.", required=True, minimum=1),
        },
        attributes={"id": "Its id at the provider."},
        description="A router's way out.",
    )
    rules: ClassVar[Rules] = Rules(
        in_place=frozenset({"intact"}), defaults={**defaults_of(RouterGatewaySpec), **INTACT}
    )

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> RouterGatewaySpec:
        """The typed spec."""
        return RouterGatewaySpec(plain["router"], plain["network"])
