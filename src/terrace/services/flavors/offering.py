"""What the machines of one stack may be, while its templates are looked at."""

from __future__ import annotations

from collections.abc import Iterable

from terrace.engine.stack.sizes import BARRED, UNKNOWN_FLAVOR, advice, barred, with_flavors
from terrace.model.catalogue import Flavor, Offer
from terrace.ports.driver import Capabilities
from terrace.ports.store import Store
from terrace.services.gate import Where


class Offering:
    """The flavors that a stack may name: those of a provider and of its project as far as the project may use them,
    and those that it stands with, whatever became of them."""

    def __init__(self, store: Store, where: Where, stack_id: str, offer: Offer) -> None:
        self.offer = offer
        self._store = store
        self._project = where.project
        self._stack = stack_id
        self._standing: dict[str, Flavor] | None = None

    def over(self, capabilities: Capabilities) -> Capabilities:
        """What a provider can do, with every flavor that counts here in its catalogue."""
        gone = {
            name: one
            for name, one in (self._standing or {}).items()
            if name not in capabilities.catalogue.flavors
        }
        return with_flavors(capabilities, {**gone, **self.offer.own})

    async def lacks(self, name: str, capabilities: Capabilities) -> tuple[str, str, str] | None:
        """What is wrong with a flavor that is named: (in words that follow the one who asks, hint, code); None when it
        is known and allowed, or some machine of the stack stands with it."""
        flavors = {**capabilities.catalogue.flavors, **self.offer.own}
        allowed = self.offer.within(flavors)
        if name in allowed or name in await self._stands():
            return None
        if name in flavors:
            hint = advice(name, allowed, self._project, flavors[name])
            return barred(name, self._project), hint, BARRED
        return f'asks for flavor "{name}"', advice(name, allowed, self._project), UNKNOWN_FLAVOR

    async def missing(self, names: Iterable[str], capabilities: Capabilities) -> bool:
        """Whether one of these flavors is not to be had."""
        return any([await self.lacks(name, capabilities) is not None for name in names])

    async def _stands(self) -> dict[str, Flavor]:
        if self._standing is None:
            records = await self._store.records(self._stack)
            machines = [one for one in records if one.kind == "Machine" and one.applied is not None]
            self._standing = {}
            for record in machines:
                applied = record.applied or {}
                if name := applied.get("flavor", ""):
                    sizes = ("cpu", "memory", "disk", "pids")
                    self._standing[name] = Flavor(**{size: applied.get(size, 0) for size in sizes})
        return self._standing
