"""Snapshots of a stack: its definition, and what each of its volumes held."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from terrace.engine.stack.snapshots import RESTORE, SNAPSHOT, path_of
from terrace.errors import CapabilityError, ConflictError, InvariantError, NotFoundError
from terrace.model.codec import Codec
from terrace.model.record import Record
from terrace.model.stack import Directive, Generation, Stack
from terrace.services.gate import SUSPENDED, Actor, Right, Surface, Where, allow, check_name
from terrace.services.stacks import Stacks

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")


class Snapshot(msgspec.Struct, frozen=True):
    """One of them: made at `created` (epoch seconds) of `generation`; `volumes` that are in it, `complete` once all are
    copied."""

    name: str
    created: float
    generation: int
    volumes: list[str]
    complete: bool


class Snapshots:
    """Use cases about snapshots of stacks."""

    def __init__(self, surface: Surface, stacks: Stacks) -> None:
        self._on = surface
        self._stacks = stacks

    async def listing(self, actor: Actor, where: Where) -> list[Snapshot]:
        """Those of a stack, oldest first."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        ready = {
            one.path for one in await self._on.store.records(stack.id) if one.ready and one.seen is not None
        }
        found = []
        for one in await self._kept(stack):
            name, volumes = one.what.removeprefix(SNAPSHOT), sorted(one.value["volumes"])
            complete = all(path_of(name, volume) in ready for volume in volumes)
            found.append(Snapshot(name, one.at, one.value["generation"], volumes, complete))
        return sorted(found, key=lambda snapshot: snapshot.created)

    async def create(self, actor: Actor, where: Where, name: str, *, definition_only: bool = False) -> Stack:
        """Keeps the stack as it is wanted now, and has each of its volumes copied. ConflictError: the name is taken;
        CapabilityError: a provider cannot copy volumes."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        check_name("snapshot", name, _NAME)
        generation = await self._on.store.generation(stack.id, stack.generation)
        if generation is None or generation.deleting:
            raise ConflictError(f'stack "{where.stack}" is being deleted', code="not-possible")
        if any(one.what == SNAPSHOT + name for one in await self._kept(stack)):
            raise ConflictError(f'stack "{where.stack}" has a snapshot "{name}" already', code="name-taken")
        volumes = {} if definition_only else await self._volumes(stack)
        value = {
            "generation": generation.number,
            "content": self._codec().encode(generation),
            "volumes": {
                one.path: {"id": one.provider_id, "provider": one.provider} for one in volumes.values()
            },
        }
        wish = Directive(stack.id, "", SNAPSHOT + name, value, actor.name, at=self._on.clock.now())
        return await self._direct(stack, [wish])

    async def restore(self, actor: Actor, where: Where, name: str) -> Stack:
        """Wants again what the snapshot keeps: its definition becomes a new generation, and each volume gets the
        content it had, while the machines stand still. NotFoundError."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        await allow(self._on.store, stack, SUSPENDED)
        async with self._stacks.turn(where):
            stack = await self._on.gate.stack(actor, Right.READ, where)
            kept = await self._one(stack, name)
            before = self._generation(kept.value["content"])
            now = self._on.clock.now()
            again = msgspec.structs.replace(
                before,
                number=stack.generation + 1,
                created=now,
                who=actor.name,
                why=f"restore of snapshot {name}",
                restores=0,
                settled=0.0,
                failed="",
            )
            orders = []
            copies = {one.path: one for one in await self._on.store.records(stack.id)}
            for volume in kept.value["volumes"]:
                copy = copies.get(path_of(name, volume))
                if copy is None or not copy.ready or not copy.provider_id:
                    raise ConflictError(
                        f'snapshot "{name}" is not complete: {volume} is not copied',
                        code="not-possible",
                        hint=f"terrace snapshot list {where.stack}",
                    )
                orders.append(Directive(stack.id, volume, RESTORE, copy.provider_id, actor.name, at=now))
            await self._on.store.direct(orders)
            return await self._stacks.save(stack, again, stack.generation)

    async def delete(self, actor: Actor, where: Where, name: str) -> Stack:
        """Takes a snapshot away with all its copies. NotFoundError."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        kept = await self._one(stack, name)
        return await self._direct(stack, [msgspec.structs.replace(kept, value=None)])

    # --- inside

    async def _kept(self, stack: Stack) -> list[Directive]:
        found = await self._on.store.directives(stack.id)
        return [one for one in found if not one.path and one.what.startswith(SNAPSHOT)]

    async def _one(self, stack: Stack, name: str) -> Directive:
        for one in await self._kept(stack):
            if one.what == SNAPSHOT + name:
                return one
        raise NotFoundError(
            f'stack "{stack.name}" has no snapshot "{name}"', hint=f"terrace snapshot list {stack.name}"
        )

    async def _volumes(self, stack: Stack) -> dict[str, Record]:
        records = await self._on.store.records(stack.id)
        found = {
            one.path: one
            for one in records
            if one.kind == "Volume" and one.provider_id and not one.departing and one.adopted != "external"
        }
        for one in found.values():
            driver = self._on.controller.drivers.get(one.provider)
            if driver is None or not driver.capabilities.snapshots:
                raise CapabilityError(
                    f"provider {one.provider!r} cannot copy what a volume holds ({one.path})",
                    code="cannot-copy",
                    hint="--definition-only keeps the stack's definition alone",
                )
        return found

    def _codec(self) -> Codec:
        secrets = self._on.controller.secrets
        return Codec(secrets.seal, secrets.unseal)

    def _generation(self, content: Any) -> Generation:
        try:
            return self._codec().decode(content, Generation)
        except msgspec.MsgspecError as error:
            raise InvariantError("a snapshot cannot be read") from error

    async def _direct(self, stack: Stack, wishes: list[Directive]) -> Stack:
        await self._on.store.direct(wishes)
        await self._on.controller.heed(stack.id)
        return await self._on.store.stack(stack.id) or stack
