"""Ghosts: things with our label that nothing wants."""

from __future__ import annotations

from terrace.engine.ghosts import Ghost
from terrace.errors import NotFoundError
from terrace.services.gate import Actor, Right, Surface
from terrace.services.providers import Providers


class Ghosts:
    """Use cases about ghosts."""

    def __init__(self, surface: Surface, providers: Providers) -> None:
        self._on = surface
        self._providers = providers

    async def listing(self, actor: Actor, provider: str) -> list[Ghost]:
        """Those of one provider."""
        await self._on.gate.admit(actor, Right.INSPECT)
        await self._providers.known(actor, provider)
        return [ghost for ghost in await self._on.controller.ghosts() if ghost.provider == provider]

    async def reap(self, actor: Actor, provider: str, provider_id: str) -> None:
        """Removes one, also one that holds data. NotFoundError when it is no ghost."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"reap {provider}/{provider_id}")
        await self._providers.known(actor, provider)
        if all(one.seen.provider_id != provider_id for one in await self.listing(actor, provider)):
            raise NotFoundError(
                f'"{provider_id}" is no ghost of provider "{provider}"', hint="terrace ghost list"
            )
        await self._on.controller.reap(provider, provider_id)
