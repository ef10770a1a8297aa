"""Where a load balancer takes what comes in."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.balance import words
from terrace.kinds.net.security import wrong_prefix
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.spec.balance import ListenerSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities


class Listener(Noun):
    """A port of a load balancer."""

    name = "Listener"
    schema: ClassVar[Schema] = Schema(
        properties={
            "balancer": Property(
                Type.STRING, "The load balancer; by default the one of its pool.", minimum=1
            ),
            "protocol": Property(
                Type.STRING,
                "How it is spoken to: HTTP; TCP and HTTPS, which pass on what they are sent as it is; "
                "TERMINATED_HTTPS, PROXY or UDP.",
                required=True,
                allowed=words.PROTOCOLS,
            ),
            "port": words.port("The port.", required=True),
            "pool": Property(
                Type.STRING,
                "The pool that takes what comes; by default the one that names this listener.",
                minimum=1,
                changes=Effect.UPDATE,
            ),
            "limit": Property(
                Type.INTEGER,
                "Connections at once; others wait. -1: any number.",
                default=-1,
                minimum=-1,
                changes=Effect.UPDATE,
            ),
            "allowed": Property(
                Type.LIST,
                "The ranges of addresses that may connect; all by default.",
                items=Property(Type.STRING, check=wrong_prefix),
                changes=Effect.UPDATE,
            ),
            "certificate": Property(
                Type.STRING,
                "What names the certificate and key that TERMINATED_HTTPS shows.",
                minimum=1,
                changes=Effect.UPDATE,
            ),
            "more_certificates": Property(
                Type.LIST,
                "Further certificates, chosen by the name that a client asks for.",
                items=Property(Type.STRING, minimum=1),
                changes=Effect.UPDATE,
            ),
            "name": words.NAMED,
            "description": words.DESCRIBED,
            "enabled": words.enabled("Whether it takes anything."),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "loadbalancers": "Its load balancer, a list of one map: id.",
            "pool": "The pool that takes what comes.",
            "show": words.SHOW,
        },
        description="A port of a load balancer, and how it is spoken to there.",
    )
    rules: ClassVar[Rules] = words.rules(
        defaults_of(ListenerSpec), "pool", "limit", "allowed", "certificate", "more_certificates", "enabled"
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name", "pool": "pool"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ListenerSpec:
        """The typed spec."""
        if plain.get("balancer") is None and plain.get("pool") is None:
            raise SpecError("names no load balancer and no pool", ("balancer",), code="missing-property")
        if plain["protocol"] == "TERMINATED_HTTPS" and plain.get("certificate") is None:
            raise SpecError(
                "is required where the protocol is TERMINATED_HTTPS",
                ("certificate",),
                code="missing-property",
            )
        return ListenerSpec(
            balancer=plain.get("balancer", ""),
            protocol=plain["protocol"],
            port=plain["port"],
            pool=plain.get("pool", ""),
            limit=plain["limit"],
            allowed=many(plain.get("allowed")),
            certificate=plain.get("certificate", ""),
            more_certificates=many(plain.get("more_certificates")),
            name=plain.get("name", node.path.replace("/", "-")),
            description=plain["description"],
            enabled=plain["enabled"],
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The port, which two listeners of a load balancer cannot both have."""
        if UNKNOWN in (spec.balancer, spec.port, spec.protocol) or not spec.balancer:
            return frozenset()
        way = "udp" if spec.protocol == "UDP" else "tcp"
        return frozenset({Claim("port", spec.balancer, f"{spec.port}/{way}")})
