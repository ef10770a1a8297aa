"""Providers: what they are and what they offer."""

from __future__ import annotations

import msgspec

from terrace.errors import NotFoundError
from terrace.model.catalogue import Flavor
from terrace.ports.driver import Driver
from terrace.services.gate import Actor, Right, Surface
from terrace.services.settings import Settings


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

    def __init__(self, surface: Surface, settings: Settings) -> None:
        self._on = surface
        self._settings = settings

    async def listing(self, actor: Actor) -> list[Provider]:
        """All of them, with whether they can be reached."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
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
        ]

    async def flavors(self, actor: Actor, name: str) -> dict[str, Flavor]:
        """Sizes of machines, by name."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
        return dict(sorted(self.driver(name).capabilities.catalogue.flavors.items()))

    def driver(self, name: str) -> Driver:
        """The driver of a provider; for use cases that passed the gate. NotFoundError."""
        found = self._on.controller.drivers.get(name)
        if found is None:
            raise NotFoundError(f'there is no provider "{name}"', hint="terrace provider list")
        return found
