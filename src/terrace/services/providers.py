"""Providers: what they are and what they offer."""

from __future__ import annotations

from terrace.errors import NotFoundError
from terrace.model.catalogue import Flavor
from terrace.ports.driver import Driver
from terrace.runtime.controller import ProviderStatus
from terrace.services.gate import Actor, Right, Surface


class Providers:
    """Use cases about providers."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    def listing(self, actor: Actor) -> list[ProviderStatus]:
        """All of them, with whether they can be reached."""
        self._on.gate.admit(actor, Right.READ)
        return self._on.controller.provider_status()

    def flavors(self, actor: Actor, name: str) -> dict[str, Flavor]:
        """Sizes of machines, by name."""
        self._on.gate.admit(actor, Right.READ)
        return dict(sorted(self.driver(name).capabilities.catalogue.flavors.items()))

    def driver(self, name: str) -> Driver:
        """The driver of a provider; for use cases that passed the gate. NotFoundError."""
        found = self._on.controller.drivers.get(name)
        if found is None:
            raise NotFoundError(f'there is no provider "{name}"', hint="terrace provider list")
        return found
