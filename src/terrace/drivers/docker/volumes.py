"""Steps for volumes and snapshots of them. They hold data: nothing but a step that says DELETE ever removes one."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from terrace.drivers.docker import bodies, labels
from terrace.drivers.docker import seen as shape
from terrace.drivers.docker.mount.copies import Copies
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import InvariantError, PermanentError, TransientError
from terrace.model.seen import Owner, Seen
from terrace.model.spec.volume import VolumeSnapshotSpec, VolumeSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence


class Volumes:
    """Makes, copies and removes named volumes."""

    def __init__(self, engine: Engine, copies: Copies) -> None:
        self._engine = engine
        self._copies = copies

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """The engine makes a volume once by its name."""
        match step.verb:
            case Verb.DELETE:
                await self._remove(step, fence)
                return Receipt.done(None)
            case Verb.CREATE if step.kind == "VolumeSnapshot":
                return await self._snapshot(step, step.owner, step.spec, fence)
            case Verb.CREATE if step.spec.source:
                return await self._clone(step, fence)
            case Verb.CREATE:
                return Receipt.done(shape.volume(await self._create(step, fence)))
            case Verb.SNAPSHOT:
                if step.copy is None:
                    raise InvariantError("a snapshot needs an owner of its own")
                return await self._snapshot(step, step.copy, VolumeSnapshotSpec(step.provider_id), fence)
            case Verb.RESTORE:
                await self._inspect(step.source)
                later = await self._copies.bring_back(step.owner, step.provider_id, step.source, fence)
                return later or Receipt.done(await self._grown(step))
            case _:
                return Receipt.done(await self._grown(step))

    async def _grown(self, step: Step) -> Seen:
        """The volume with the size that is wanted of it now: the engine keeps none."""
        seen = shape.volume(await self._inspect(step.provider_id))
        size = step.spec.size if isinstance(step.spec, VolumeSpec) else 0
        kept = size or step.attributes.get("size") or seen.attributes["size"]
        return replace(seen, attributes={**seen.attributes, "size": kept}, keeps=())

    async def _clone(self, step: Step, fence: Fence) -> Receipt:
        """A volume that begins with what another, or a snapshot, holds."""
        source = await self._inspect(step.spec.source)
        size = shape.volume(source).attributes["size"]
        body = bodies.volume(step.spec, step.owner, step.names, size)
        return await self._filled(step.owner, body, step.spec.source, fence)

    async def _snapshot(self, step: Step, owner: Owner, spec: VolumeSnapshotSpec, fence: Fence) -> Receipt:
        source = await self._inspect(spec.volume)
        size = step.attributes.get("size") or shape.volume(source).attributes["size"]
        return await self._filled(
            owner, bodies.snapshot(spec, owner, step.names, int(size)), spec.volume, fence
        )

    async def _filled(self, owner: Owner, body: dict[str, Any], source: str, fence: Fence) -> Receipt:
        there = await self._find(body["Name"])
        if there is not None and not labels.same(labels.read(there.get("Labels")), owner):
            raise _taken(body["Name"])
        later = await self._copies.fill(owner, body, source, fence)
        return later or Receipt.done(shape.volume(await self._inspect(body["Name"])))

    async def _find(self, name: str) -> Any:
        try:
            return await self._engine.read(f"/volumes/{name}")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def _create(self, step: Step, fence: Fence) -> Any:
        body = bodies.volume(step.spec, step.owner, step.names)
        item = await self._engine.change(fence, "POST", "/volumes/create", body=body)
        if not labels.same(labels.read(item.get("Labels")), step.owner):
            raise _taken(body["Name"])
        return item

    async def _inspect(self, name: str) -> Any:
        there = await self._find(name)
        if there is None:
            raise TransientError(f"volume {name} is gone")
        return there

    async def _remove(self, step: Step, fence: Fence) -> None:
        name = step.provider_id or labels.engine_name(step.owner, step.names)
        if not step.provider_id and not await self._ours(name, step):
            return
        await self._copies.abandon(step.owner, fence)
        try:
            await self._engine.change(fence, "DELETE", f"/volumes/{name}")
        except Refusal as refusal:
            if refusal.status == 409:
                raise TransientError(f"volume {name} is still in use", code="in-use") from refusal
            if refusal.status != 404:
                raise

    async def _ours(self, name: str, step: Step) -> bool:
        item = await self._find(name)
        return item is not None and labels.same(labels.read(item.get("Labels")), step.owner)


def _taken(name: str) -> PermanentError:
    return PermanentError(
        f"a volume {name} that is not ours is in the way", hint="rename or remove it", code="name-taken"
    )
