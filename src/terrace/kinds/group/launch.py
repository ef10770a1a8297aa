"""What the machines of a group are started with, kept in a place of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from terrace.kinds.group.members import SHAPE
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, inside, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.spec.signal import LaunchSpec
from terrace.model.value import UNKNOWN, Ref
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

LAUNCH = "launch"
_NAMES = Property(Type.STRING)


class LaunchConfiguration(Noun):
    """What machines are started with: an image, a flavor, a key, user data."""

    name = "LaunchConfiguration"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "image": Property(
                Type.STRING, "What they start from.", required=True, minimum=1, changes=Effect.UPDATE
            ),
            "flavor": Property(Type.STRING, "Their size.", default="", changes=Effect.UPDATE),
            "key": Property(Type.STRING, "Who may log in by ssh.", default="", changes=Effect.UPDATE),
            "user_data": Property(
                Type.STRING, "For their first boot.", default="", secret=True, changes=Effect.UPDATE
            ),
            "security_groups": Property(
                Type.LIST, "The security groups they are in.", items=_NAMES, changes=Effect.UPDATE
            ),
        },
        attributes={
            "image": "The image.",
            "flavor": "The size.",
            "key": "The key.",
            "user_data": "The user data.",
            "security_groups": "The security groups.",
        },
        description="What the machines of an AutoScalingGroup are started with.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset(LaunchSpec.__struct_fields__), defaults=defaults_of(LaunchSpec)
    )

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> LaunchSpec:
        """The typed spec."""
        return LaunchSpec(
            image=plain["image"],
            flavor=plain["flavor"],
            key=plain["key"],
            user_data=plain["user_data"],
            security_groups=many(plain.get("security_groups")),
        )

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """It says what it is told."""
        known = path and path[0] in LaunchSpec.__struct_fields__
        return inside(getattr(wanted.spec, path[0]), path[1:]) if known else UNKNOWN


def shape(properties: dict[str, Any]) -> dict[str, Any]:
    """The shape of a machine that is started with what a launch configuration says."""
    inside = {
        name: properties[name]
        for name in ("image", "flavor", "user_data", "security_groups")
        if properties.get(name) is not None
    }
    if properties.get("key") is not None:
        inside["keys"] = [properties["key"]]
    return {"kind": "Machine", "type_name": "AWS::EC2::Instance", "properties": inside}


def described(node: Node, launches: Mapping[str, Node]) -> Node:
    """A group with the shape of the machines that its launch configuration describes; any other node as it is."""
    launch = node.properties.get(LAUNCH) if node.kind == "AutoScalingGroup" else None
    if not isinstance(launch, Ref) or launch.path or launch.node not in launches or SHAPE in node.properties:
        return node
    return replace(node, properties={**node.properties, SHAPE: shape(launches[launch.node].properties)})
