"""Storage that outlives machines, and its place inside one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from terrace.errors import SpecError
from terrace.kinds.guest.properties import NOTE
from terrace.kinds.rules.address import wrong_path
from terrace.kinds.rules.difference import Rules, compare, defaults_of
from terrace.kinds.rules.noun import NOTHING, Noun, many
from terrace.kinds.rules.sharing import SHARED_WITH
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Act, Change, Claim, Decision, Effect, Refuse
from terrace.model.graph import Node
from terrace.model.record import Record
from terrace.model.seen import Seen
from terrace.model.spec.volume import AttachmentSpec, VolumeSnapshotSpec, VolumeSpec
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted


class Volume(Noun):
    """A volume. It holds data, so nothing replaces it by itself."""

    name = "Volume"
    schema: ClassVar[Schema] = Schema(
        properties={
            "size": Property(
                Type.INTEGER,
                "GiB; 0: as the provider gives. It can only grow.",
                default=0,
                minimum=0,
                changes=Effect.UPDATE,
            ),
            "name": Property(
                Type.STRING, "A name for people; the resource's own by default.", changes=Effect.UPDATE
            ),
            "metadata": Property(Type.MAP, "Notes for people.", items=NOTE, changes=Effect.UPDATE),
            "shared_with": SHARED_WITH,
            "source": Property(
                Type.STRING, "A Volume or a VolumeSnapshot whose content it begins with.", minimum=1
            ),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "size": "GiB.",
            "state": "available or in-use.",
        },
        description="Storage that outlives machines.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "metadata", "shared_with"}),
        in_place=frozenset({"size"}),
        defaults=defaults_of(VolumeSpec),
        same={"size": lambda wanted, seen: bool(seen >= wanted)},
    )
    any_size: ClassVar[Rules] = msgspec.structs.replace(rules, inert=frozenset({"size"}))
    foretold: ClassVar[dict[str, str]] = {"name": "name", "size": "size"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> VolumeSpec:
        """The typed spec."""
        source = plain.get("source", "")
        if source is not UNKNOWN and source and not capabilities.snapshots:
            raise SpecError(
                "this provider cannot copy what a volume holds", ("source",), code="not-supported"
            )
        return VolumeSpec(
            plain.get("name", node.path.replace("/", "-")),
            plain["size"],
            plain.get("metadata", {}),
            source,
            many(plain.get("shared_with")),
        )

    def missing(self, record: Record) -> Decision:
        """A volume that vanished took its data along."""
        return Act(
            Verb.CREATE,
            "it vanished with its data: an empty one is made" if record.provider_id else "not there yet",
        )

    def changes(
        self, wanted: Wanted, applied: Mapping[str, Any], seen: Seen | None, capabilities: Capabilities
    ) -> Change:
        """The only difference function. Without a size any will do."""
        rules = self.rules if "size" in wanted.form else self.any_size
        return compare(wanted.form, applied, seen, rules, capabilities.in_place.get(self.name, NOTHING))

    def mend(self, wanted: Wanted, change: Change) -> Decision:
        """What would lose the data is refused."""
        size = next((one for one in change.differences if one.field == "size" and one.certain), None)
        if size is not None and size.after < size.before:
            return Refuse(
                f"a volume cannot shrink (from {size.before} to {size.after} GiB)",
                hint="make a smaller volume beside it and move the data",
            )
        if change.effect is not Effect.REPLACE:
            return super().mend(wanted, change)
        return Refuse(
            f"{', '.join(change.fields)} of a volume cannot be changed without losing the data",
            hint="make a new volume beside it and move the data",
        )


class VolumeSnapshot(Noun):
    """What a volume held at one moment. It holds data, and nothing changes it."""

    name = "VolumeSnapshot"
    schema: ClassVar[Schema] = Schema(
        properties={
            "volume": Property(Type.STRING, "The volume.", required=True, minimum=1),
            "name": Property(
                Type.STRING, "A name for people; the resource's own by default.", changes=Effect.UPDATE
            ),
            "metadata": Property(Type.MAP, "Notes for people.", items=NOTE, changes=Effect.UPDATE),
            "shared_with": SHARED_WITH,
        },
        attributes={
            "name": "Its name.",
            "id": "Its id at the provider.",
            "size": "GiB of the volume.",
            "volume_id": "The volume that it was made of.",
            "state": "available.",
        },
        description="A copy of what a volume held when this was made. A Volume can begin with it.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "metadata", "shared_with"}), defaults=defaults_of(VolumeSnapshotSpec)
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name", "volume_id": "volume"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> VolumeSnapshotSpec:
        """The typed spec."""
        name = plain.get("name", node.path.replace("/", "-"))
        return VolumeSnapshotSpec(
            plain["volume"], name, plain.get("metadata", {}), many(plain.get("shared_with"))
        )

    def mend(self, wanted: Wanted, change: Change) -> Decision:
        """Another volume's snapshot is another snapshot."""
        if change.effect is not Effect.REPLACE:
            return super().mend(wanted, change)
        return Refuse(
            f"{', '.join(change.fields)} of a snapshot cannot be changed without losing what it holds",
            hint="make a new snapshot beside it",
        )

    def missing(self, record: Record) -> Decision:
        """One that vanished took what it held along."""
        vanished = "it vanished with what it held: one of this moment is made"
        return Act(Verb.CREATE, vanished if record.provider_id else "not there yet")


class VolumeAttachment(Noun):
    """A volume in a machine. Lives and dies with both ends."""

    name = "VolumeAttachment"
    schema: ClassVar[Schema] = Schema(
        properties={
            "volume": Property(Type.STRING, "The volume.", required=True, minimum=1),
            "machine": Property(Type.STRING, "The machine.", required=True, minimum=1),
            "path": Property(
                Type.STRING,
                "Where it appears in the machine; /mnt/ and its own name by default.",
                check=wrong_path,
            ),
            "read_only": Property(Type.BOOLEAN, "Whether the machine can only read it.", default=False),
        },
        attributes={"path": "Where it appears in the machine."},
        description="A volume in a machine.",
    )
    rules: ClassVar[Rules] = Rules(defaults=defaults_of(AttachmentSpec))
    foretold: ClassVar[dict[str, str]] = {"path": "path"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> AttachmentSpec:
        """The typed spec."""
        return AttachmentSpec(
            plain["volume"], plain["machine"], plain.get("path", place_of(node)), plain["read_only"]
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """The volume, when it is written to."""
        if spec.volume is UNKNOWN or spec.read_only is not False:
            return frozenset()
        return frozenset({Claim("volume", "", spec.volume)})


def place_of(node: Node) -> str:
    """Where a volume appears in a machine when nobody said so: by its whole path, since members of groups are all
    called the same inside."""
    return f"/mnt/{node.path.replace('/', '-')}"
