"""Providers: what they are and what they offer, to those who may use them. What none of somebody's projects may use is
not there for them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from terrace.errors import NotFoundError
from terrace.model.catalogue import Flavor
from terrace.ports.driver import Driver
from terrace.services.gate import Actor, Right, Surface
from terrace.services.people.projects import OWN, Reaching
from terrace.services.settings import Settings

EVERYTHING = frozenset({Right.INSPECT, Right.INSTALLATION})
"""Whoever may do one of these in the installation sees all of its providers."""


class Provider(msgspec.Struct, frozen=True):
    """A configured provider. `why` it cannot be reached; `listed`: when its last complete listing began
    (epoch seconds, 0: none yet); `default`: resources that name none go there."""

    name: str
    driver: str
    reachable: bool
    why: str
    listed: float
    default: bool


class Providers:
    """Use cases about providers."""

    def __init__(self, surface: Surface, settings: Settings, reaching: Reaching) -> None:
        self._on = surface
        self._settings = settings
        self._reaching = reaching

    async def listing(self, actor: Actor, project: str = "") -> list[Provider]:
        """Those that `project` may use ("": any project of theirs), with whether they can be reached."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
        if project:
            await self._on.gate.admit(actor, Right.READ, project)
        usable = await self._usable(actor, project)
        configured = self._settings.providers
        return [
            Provider(
                name=one.name,
                driver=configured[one.name].driver if one.name in configured else one.name,
                reachable=one.reachable,
                why=one.why,
                listed=one.listed,
                default=one.name == self._settings.default_provider,
            )
            for one in self._on.controller.provider_status()
            if usable(one.name)
        ]

    async def flavors(self, actor: Actor, name: str) -> dict[str, Flavor]:
        """Sizes of machines, by name."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
        return dict(sorted((await self.known(actor, name)).capabilities.catalogue.flavors.items()))

    async def known(self, actor: Actor, name: str) -> Driver:
        """The driver of a provider, for use cases that passed the gate. NotFoundError when there is none, or when none
        of the actor's projects may use it."""
        if not (await self._usable(actor))(name):
            raise _missing(name)
        return self.driver(name)

    def driver(self, name: str) -> Driver:
        """The driver of a provider that a resource stands on, whoever asks. NotFoundError."""
        found = self._on.controller.drivers.get(name)
        if found is None:
            raise _missing(name)
        return found

    async def _usable(self, actor: Actor, project: str = "") -> Callable[[str], bool]:
        """Which providers are there for an actor, of all their projects or of one."""
        if project:
            return await self._reaching.providers(project)
        if actor.owner or actor.wide & EVERYTHING or Right.READ in actor.everywhere:
            return lambda provider: True
        found = [await self._reaching.providers(one) for one in actor.rights if actor.may(Right.READ, one)]
        return lambda provider: provider == OWN or any(reaches(provider) for reaches in found)


def _missing(name: str) -> NotFoundError:
    return NotFoundError(f'there is no provider "{name}"', hint="terrace provider list")
