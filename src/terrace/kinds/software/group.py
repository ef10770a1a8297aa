"""One configuration run inside many machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from terrace.errors import SpecError
from terrace.kinds.group.many import Many, many, read_plain
from terrace.kinds.rules.pieces import first_key, held, member_of, named, picked
from terrace.kinds.schema import Property, Schema, Type
from terrace.kinds.software.deployment import SETTINGS
from terrace.model.decision import Effect, Expansion
from terrace.model.graph import Blueprint, Node
from terrace.model.record import Record
from terrace.model.value import UNKNOWN, Ref
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Wanted

SERVERS = "servers"
EACH = {f"deploy_{what}s": f"deploy_{what}" for what in ("stdout", "stderr", "status_code")}


class DeploymentGroupSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """The machines by name."""

    servers: Any = UNKNOWN


class SoftwareDeploymentGroup(Many):
    """A SoftwareDeployment for each machine of a map."""

    name = "SoftwareDeploymentGroup"
    schema: ClassVar[Schema] = many(
        {
            SERVERS: Property(
                Type.MAP, "The machines, each under a name.", required=True, changes=Effect.UPDATE
            ),
            **SETTINGS,
        },
        {
            "deploy_stdouts": "What each wrote to its standard output, by name.",
            "deploy_stderrs": "What each wrote to its standard error, by name.",
            "deploy_status_codes": "How each ended, by name.",
        },
        "A configuration run inside many machines. Each output is an attribute: a map by name.",
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> DeploymentGroupSpec:
        """The machines; the rest is read by the members."""
        return DeploymentGroupSpec(read_plain(self.schema.properties, values)[SERVERS])

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """A deployment for each machine."""
        servers = wanted.spec.servers
        if servers is UNKNOWN:
            return Expansion(undecided="which machines is not known yet")
        node = wanted.node
        said = node.properties.get(SERVERS)
        rest = {name: value for name, value in node.properties.items() if name != SERVERS}
        members = []
        for key in sorted(servers):
            if "/" in key or not key:
                raise SpecError(f'"{key}" can be no name of a member', (SERVERS,))
            machine = said[key] if isinstance(said, dict) else servers[key]
            members.append(
                Node(
                    path=f"{node.path}/{key}",
                    kind="SoftwareDeployment",
                    properties={**rest, "machine": machine},
                    edges=node.edges,
                    place=node.place,
                    type_name="Terrace::SoftwareDeployment",
                    **held(node, key),
                )
            )
        return Expansion(children=tuple(members), attributes={"": node.path})

    def attribute(self, expansion: Expansion, path: tuple[Any, ...]) -> Any:
        """The expression over members that a Ref to the group with this path stands for."""
        if not path or path[0] == "":
            return expansion.attributes.get("")
        head, rest = path[0], path[1:]
        if named(head):
            return member_of(expansion.children, path)
        each = EACH.get(head, head)
        return picked({first_key(one): Ref(one.path, (each,)) for one in expansion.children}, rest)
