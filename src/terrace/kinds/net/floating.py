"""Addresses by which machines are reached from outside."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.address import wrong_address
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.spec.router import FloatingIPAssociationSpec, FloatingIPSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

_TARGET = Property(
    Type.STRING, "The machine's own address that it leads to.", check=wrong_address, changes=Effect.UPDATE
)
_PORT = Property(Type.STRING, "The port that it leads to.", minimum=1, changes=Effect.UPDATE)
_FIELDS = frozenset({"target", "port", "machine", "intact"})


class FloatingIP(Noun):
    """An address from the provider's pool, kept until it is given back."""

    name = "FloatingIP"
    schema: ClassVar[Schema] = Schema(
        properties={
            "pool": Property(
                Type.STRING,
                "The network or pool outside that it is of; the provider's by default.",
                minimum=1,
            ),
            "ip": Property(Type.STRING, "The address; the provider chooses by default.", check=wrong_address),
            "target": _TARGET,
            "port": _PORT,
        },
        attributes={
            "id": "Its id at the provider.",
            "ip": "The address.",
            "pool": "The pool that it is of.",
            "target": "The machine's own address that it leads to.",
            "port": "The port that it leads to.",
        },
        description="An address by which a machine is reached from outside.",
    )
    rules: ClassVar[Rules] = Rules(in_place=_FIELDS, defaults={**defaults_of(FloatingIPSpec), "intact": True})
    foretold: ClassVar[dict[str, str]] = {"ip": "ip", "pool": "pool", "target": "target", "port": "port"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> FloatingIPSpec:
        """The typed spec."""
        return FloatingIPSpec(
            plain.get("pool", ""), plain.get("ip", ""), plain.get("target", ""), plain.get("port", "")
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The address, when it is a certain one."""
        if spec.ip is UNKNOWN or not spec.ip:
            return frozenset()
        return frozenset({Claim("address", "floating", spec.ip)})


class FloatingIPAssociation(Noun):
    """A floating address that leads to a machine. Lives and dies with both."""

    name = "FloatingIPAssociation"
    schema: ClassVar[Schema] = Schema(
        properties={
            "floating_ip": Property(Type.STRING, "The FloatingIP.", required=True, minimum=1),
            "target": _TARGET,
            "port": _PORT,
            "machine": Property(
                Type.STRING, "The machine that it leads to.", minimum=1, changes=Effect.UPDATE
            ),
        },
        attributes={"id": "Its id at the provider."},
        description="A floating address that leads to a machine.",
    )
    rules: ClassVar[Rules] = Rules(
        in_place=_FIELDS, defaults={**defaults_of(FloatingIPAssociationSpec), "intact": True}
    )

    def build(
        self, plain: dict[str, Any], node: Node, capabilities: Capabilities
    ) -> FloatingIPAssociationSpec:
        """The typed spec."""
        if not any(plain.get(name) is not None for name in ("target", "port", "machine")):
            raise SpecError("names no port and no machine to lead to", ("port",))
        return FloatingIPAssociationSpec(
            plain["floating_ip"], plain.get("target", ""), plain.get("port", ""), plain.get("machine", "")
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The floating address, which leads to one machine at a time."""
        if spec.floating_ip is UNKNOWN:
            return frozenset()
        return frozenset({Claim("address", "floating", spec.floating_ip)})
