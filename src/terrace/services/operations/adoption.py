"""What exists becomes a resource, a stack is abandoned, and what was abandoned is managed again."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from terrace.errors import ConflictError, InvariantError, NotFoundError, UserError
from terrace.model.codec import Codec, show
from terrace.model.graph import Graph
from terrace.model.record import Record
from terrace.model.seen import Owner
from terrace.model.stack import Directive, Generation, Phase, Source, Stack
from terrace.services.gate import PROTECTED, Actor, Right, Surface, Where, allow, check_path
from terrace.services.stacks import Stacks

FORMAT = 1


class Abandoned(msgspec.Struct, frozen=True):
    """What is inside a document's `sealed`; `project`: whose it was."""

    generation: Generation
    records: tuple[Record, ...]
    project: str = "default"


class Adoption:
    """Use cases about what Terrace did not make, or no longer holds."""

    def __init__(self, surface: Surface, stacks: Stacks, installation: str) -> None:
        self._on = surface
        self._stacks = stacks
        self._installation = installation

    async def take_in(self, actor: Actor, where: Where, path: str, provider_id: str) -> Stack:
        """The thing `provider_id` becomes the resource at `path`, as soon as a template wants one there. An empty
        stack is made when there is none. It takes a right in the installation too: nobody can say to which project a
        thing belonged that Terrace did not make. ConflictError when something stands there already."""
        await self._on.gate.enter(actor, Right.OPERATE, where)
        await self._on.gate.admit(
            actor, Right.INSTALLATION, subject=f"import {provider_id} {where.stack}/{path}"
        )
        check_path(path)
        async with self._stacks.turn(where):
            stack = await self._on.store.find_stack(where.project, where.stack)
            if stack is None:
                stack = await self._begin(actor, where)
        if stack.phase is Phase.DELETING:
            raise ConflictError(f'stack "{where.stack}" is being deleted', code="not-possible")
        for record in await self._on.store.records(stack.id):
            if record.path == path and (record.applied is not None or record.provider_id):
                raise ConflictError(
                    f'"{path}" stands already' + (f" as {record.provider_id}" if record.provider_id else ""),
                    code="not-possible",
                    hint="import it under another path, or take that resource away first",
                )
        wish = Directive(stack.id, path, "import", provider_id, actor.name, at=self._on.clock.now())
        await self._on.store.direct([wish])
        await self._on.controller.heed(stack.id)
        return await self._on.store.stack(stack.id) or stack

    async def document(self, actor: Actor, where: Where) -> dict[str, Any]:
        """All that has to be known to manage the stack again, as plain data: readable but for what is hidden, and the
        whole of it sealed with this installation's key."""
        stack = await self._on.gate.stack(actor, Right.OPERATE, where)
        generation = await self._on.store.generation(stack.id, stack.generation)
        records = await self._on.store.records(stack.id)
        if generation is None or generation.deleting:
            raise ConflictError(f'stack "{where.stack}" is being deleted', code="not-possible")
        inside = Codec(self._on.controller.secrets.seal, self._on.controller.secrets.unseal).encode(
            Abandoned(generation, tuple(records), stack.project)
        )
        things = [
            {"path": one.path, "kind": one.kind, "provider": one.provider, "provider_id": one.provider_id}
            for one in records
            if one.provider_id
        ]
        return {
            "terrace": FORMAT,
            "installation": self._installation,
            "stack": stack.name,
            "generation": stack.generation,
            "template": generation.source.template,
            "files": {name: show(text) for name, text in generation.source.files.items()},
            "parameters": show(generation.parameters),
            "resources": things,
            "sealed": base64.b64encode(self._on.controller.secrets.seal(inside)).decode(),
        }

    async def abandon(self, actor: Actor, where: Where, expected: int | None = None) -> Stack:
        """Terrace forgets the stack; its things stay as they are, and are nobody's. ConflictError: protected."""
        await allow(self._on.store, await self._on.gate.stack(actor, Right.OPERATE, where), PROTECTED)
        async with self._stacks.turn(where):
            stack = await self._on.gate.stack(actor, Right.READ, where)
            generation = Generation(
                number=stack.generation + 1,
                graph=Graph(description=stack.description),
                source=Source(""),
                created=self._on.clock.now(),
                who=actor.name,
                why="abandon",
                deleting=True,
                keeping=True,
            )
            going = msgspec.structs.replace(stack, phase=Phase.DELETING, why="")
            return await self._stacks.save(
                going, generation, stack.generation if expected is None else expected
            )

    async def adopt(self, actor: Actor, where: Where, document: dict[str, Any]) -> Stack:
        """The stack of a document is managed again, under the name of `where`. UserError for a document that is not
        of this installation; ConflictError when the name is taken, or what it tells of is managed already."""
        await self._on.gate.enter(actor, Right.OPERATE, where)
        told = self._open(document)
        if told.project != where.project and not actor.may(Right.OPERATE, told.project):
            raise NotFoundError(
                "the stack of this file is of a project that is not there", hint="terrace project list"
            )
        owners = [Owner(self._installation, one.uid, one.incarnation) for one in told.records]
        if owners and await self._on.store.known(owners):
            raise ConflictError(
                "what this file tells of is managed already", code="already-adopted", hint="terrace list"
            )
        now = self._on.clock.now()
        records = [
            msgspec.structs.replace(one, intent=None, fault=None) for one in told.records if not one.departing
        ]
        generation = msgspec.structs.replace(
            told.generation, created=now, who=actor.name, why="adopt", settled=0.0, failed="", restores=0
        )
        async with self._stacks.turn(where):
            stack = Stack(
                self._on.entropy.uid(), where.project, where.stack, 0, created=now, updated=now, since=now
            )
            stack = msgspec.structs.replace(stack, description=generation.graph.description)
            return await self._stacks.save(stack, generation, 0, records)

    # --- inside

    def _open(self, document: dict[str, Any]) -> Abandoned:
        secrets = self._on.controller.secrets
        if document.get("terrace") != FORMAT or not isinstance(document.get("sealed"), str):
            raise UserError("this is no file that `terrace abandon` wrote", code="invalid-request")
        if document.get("installation") != self._installation:
            raise UserError(
                "the stack was abandoned by another installation, which alone can open its file",
                code="invalid-request",
                hint="import its things one by one: terrace import STACK PATH PROVIDER_ID",
            )
        try:
            inside = secrets.unseal(base64.b64decode(document["sealed"], validate=True))
            return Codec(secrets.seal, secrets.unseal).decode(inside, Abandoned)
        except (InvariantError, binascii.Error, ValueError, msgspec.MsgspecError) as error:
            raise UserError("the file was changed, or cut short", code="invalid-request") from error

    async def _begin(self, actor: Actor, where: Where) -> Stack:
        now = self._on.clock.now()
        empty = Generation(
            1, Graph(), Source(""), now, who=actor.name, why="import", timeout=self._on.defaults.timeout
        )
        stack = Stack(
            self._on.entropy.uid(), where.project, where.stack, 0, created=now, updated=now, since=now
        )
        return await self._stacks.save(stack, empty, 0)
