"""Engines: the processes of Terrace that share its store, and how one is taken out without anybody noticing."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from terrace.errors import ConflictError, NotFoundError
from terrace.ports.engines import Member
from terrace.services.gate import Actor, Right, Surface


class Standing(StrEnum):
    """What an engine is at: it works on its share of the stacks, gives them away, has none left, or only answers."""

    WORKING = "working"
    DRAINING = "draining"
    DRAINED = "drained"
    ANSWERING = "answering"


class Engine(msgspec.Struct, frozen=True):
    """One process. `started` and `heard` (when it last said that it lives) are epoch seconds, `stacks` how many it
    works on, `version` that of the tables which it was written for."""

    name: str
    id: str
    state: Standing
    roles: tuple[str, ...]
    stacks: int
    started: float
    heard: float
    version: int


class Engines:
    """Use cases about engines."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def listing(self, actor: Actor) -> list[Engine]:
        """All that are alive, by name."""
        await self._on.gate.admit(actor, Right.INSPECT)
        engines = self._on.controller.engines
        if engines is None:
            return [self._alone()]
        return [_shown(member) for member in await engines.members()]

    async def drain(self, actor: Actor, name: str, *, on: bool = True) -> Engine:
        """Has an engine give its stacks to the others, each as soon as no step of it runs, and take none (`on` False:
        take its share again). It goes on answering people. NotFoundError; ConflictError when nobody else could take
        its stacks."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"drain {name}")
        engines = self._on.controller.engines
        if engines is None:
            raise ConflictError(
                "this server is the only one: nobody else could take its stacks",
                code="no-other-engine",
                hint="several engines need PostgreSQL: [store] url in server.toml",
            )
        members = await engines.members()
        named = [member for member in members if name in (member.name, member.id)]
        if not named:
            raise NotFoundError(f'there is no engine "{name}"', hint="terrace engine list")
        if on and not any(member.works for member in members if member not in named):
            raise ConflictError(
                f'no engine but "{name}" takes stacks',
                code="no-other-engine",
                hint="start another first; terrace engine list shows which there are",
            )
        for member in named:
            await engines.drain(member.id, on)
        self._on.controller.wake("")
        return _shown(msgspec.structs.replace(named[0], draining=on))

    def _alone(self) -> Engine:
        controller = self._on.controller
        tuning = controller.tuning
        return Engine(
            tuning.holder,
            tuning.holder,
            Standing.WORKING,
            tuning.roles,
            len(controller.crew.workers) if controller.crew is not None else 0,
            controller.started,
            self._on.clock.now(),
            tuning.version,
        )


def _shown(member: Member) -> Engine:
    if member.works:
        state = Standing.WORKING
    elif not member.draining:
        state = Standing.ANSWERING
    else:
        state = Standing.DRAINING if member.holds else Standing.DRAINED
    return Engine(
        member.name,
        member.id,
        state,
        member.roles,
        member.holds,
        member.started,
        member.beat,
        member.version,
    )
