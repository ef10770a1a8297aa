"""Steps for volumes. They hold data: nothing but a step that says DELETE ever removes one."""

from __future__ import annotations

from typing import Any

from terrace.drivers.docker import bodies, labels
from terrace.drivers.docker import seen as shape
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import PermanentError, TransientError
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence


class Volumes:
    """Makes and removes named volumes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """The engine makes a volume once by its name."""
        match step.verb:
            case Verb.DELETE:
                await self._remove(step, fence)
                return Receipt.done(None)
            case Verb.CREATE:
                return Receipt.done(shape.volume(await self._create(step, fence)))
            case _:
                return Receipt.done(shape.volume(await self._inspect(step.provider_id)))

    async def _create(self, step: Step, fence: Fence) -> Any:
        body = bodies.volume(step.spec, step.owner, step.names)
        item = await self._engine.change(fence, "POST", "/volumes/create", body=body)
        if not labels.same(labels.read(item.get("Labels")), step.owner):
            raise PermanentError(
                f"a volume {body['Name']} that is not ours is in the way",
                hint="rename or remove it",
                code="name-taken",
            )
        return item

    async def _inspect(self, name: str) -> Any:
        try:
            return await self._engine.read(f"/volumes/{name}")
        except Refusal as refusal:
            if refusal.status == 404:
                raise TransientError(f"volume {name} is gone") from refusal
            raise

    async def _remove(self, step: Step, fence: Fence) -> None:
        name = step.provider_id or labels.engine_name(step.owner, step.names)
        if not step.provider_id and not await self._ours(name, step):
            return
        try:
            await self._engine.change(fence, "DELETE", f"/volumes/{name}")
        except Refusal as refusal:
            if refusal.status == 409:
                raise TransientError(f"volume {name} is still in use", code="in-use") from refusal
            if refusal.status != 404:
                raise

    async def _ours(self, name: str, step: Step) -> bool:
        try:
            item = await self._engine.read(f"/volumes/{name}")
        except Refusal as refusal:
            if refusal.status == 404:
                return False
            raise
        return labels.same(labels.read(item.get("Labels")), step.owner)
