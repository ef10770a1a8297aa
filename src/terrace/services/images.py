"""Images: which names a provider knows, and fetching one ahead of time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import msgspec

from terrace.errors import NotFoundError, PermanentError, ProviderError, UserError
from terrace.model.seen import Names, Owner, Seen
from terrace.model.spec.simple import ImageSpec
from terrace.model.step import Step, Verb
from terrace.ports.driver import Driver
from terrace.services.gate import Actor, Right, Surface
from terrace.services.providers import Providers


class Image(msgspec.Struct, frozen=True):
    """A name of an image and what it stands for. `present` None: the provider cannot be asked now."""

    name: str
    source: str
    present: bool | None
    provider_id: str = ""


class Progress(msgspec.Struct, frozen=True):
    """How far a fetch is; `seen` once it is done."""

    note: str
    seen: Seen | None = None


class Unfenced:
    """The fence of work that belongs to no stack, so that no lease guards it: fetching an image twice does no
    harm."""

    def check(self, timeout: float) -> None:
        """Lets everything pass."""


class Images:
    """Use cases about images."""

    def __init__(self, surface: Surface, providers: Providers, installation: str) -> None:
        self._on = surface
        self._providers = providers
        self._installation = installation

    async def listing(self, actor: Actor, provider: str) -> list[Image]:
        """The names in the provider's catalogue, with whether each is there already."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
        driver = await self._providers.known(actor, provider)
        names = sorted(driver.capabilities.catalogue.images.items())
        sources = sorted({source for _, source in names})
        found = dict(
            zip(sources, await asyncio.gather(*(_look(driver, one) for one in sources)), strict=True)
        )
        return [Image(name, source, *found[source]) for name, source in names]

    async def fetch(self, actor: Actor, provider: str, name: str) -> AsyncIterator[Progress]:
        """Builds or pulls the image `name` (a name of the catalogue, a reference, or recipe:NAME). Refusals
        come from this call; the iterator tells how far it is, and raises what the provider says."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"image {provider}/{name}")
        driver = await self._providers.known(actor, provider)
        if "Image" not in driver.capabilities.kinds:
            raise NotFoundError(f'provider "{provider}" has no images')
        if not name or len(name) > 500 or not name.isprintable() or name != name.strip():
            raise UserError("that cannot be the name of an image", code="invalid-name")
        return self._fetch(driver, driver.capabilities.catalogue.images.get(name, name))

    async def _fetch(self, driver: Driver, source: str) -> AsyncIterator[Progress]:
        uid = hashlib.sha256(source.encode()).hexdigest()[:20]
        step = Step(
            Verb.CREATE, "Image", Owner(self._installation, uid, 1), Names(path=source), ImageSpec(source)
        )
        yield Progress(f"fetching {source}")
        said = ""
        while True:
            receipt = await driver.apply(step, Unfenced())
            if not receipt.handle:
                break
            if receipt.note != said:
                said = receipt.note
                yield Progress(said)
            step = msgspec.structs.replace(step, handle=receipt.handle)
            await self._on.clock.sleep(max(receipt.look_again, 0.1))
        if receipt.seen is None:
            raise PermanentError(f'"{source}" is not there after it was fetched')
        yield Progress("done", receipt.seen)


async def _look(driver: Driver, source: str) -> tuple[bool | None, str]:
    try:
        seen = await driver.lookup("Image", source)
    except ProviderError:
        return None, ""
    return seen is not None, seen.provider_id if seen else ""
