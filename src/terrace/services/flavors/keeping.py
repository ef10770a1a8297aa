"""Flavors of projects: which there are, and setting and allowing them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

import msgspec

from terrace.engine.stack.sizes import UNKNOWN_FLAVOR
from terrace.errors import NotFoundError, UserError
from terrace.model.catalogue import Flavor, Offer
from terrace.model.spec.quota import parse
from terrace.ports.quota import Flavors, Said
from terrace.services.gate import Actor, Right, Surface, check_name
from terrace.services.people.projects import Reaching

NONE = "none"
"""In place of an amount: no limit."""
FIELDS = ("cpu", "memory", "disk", "pids")
PIDS_MOST = 2**31 - 1
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}")


class FlavorLine(msgspec.Struct, frozen=True):
    """A flavor: `cpu` in cores, `memory` and `disk` in MiB, `pids` a count (0: no limit). `provider` is whose it is
    ("": the project's own, which counts instead of those of the providers that it `hides`). `allowed`: whether the
    project may use it."""

    name: str
    provider: str
    cpu: float
    memory: int
    disk: int
    pids: int
    allowed: bool
    hides: tuple[str, ...] = ()


class Choice(msgspec.Struct, frozen=True):
    """What a project may use of flavors. `allowed` names the only ones (null: whatever there is). `used_by`: the stacks
    that use the flavor that was just set or taken away."""

    project: str
    allowed: tuple[str, ...] | None
    items: tuple[FlavorLine, ...]
    used_by: tuple[str, ...] = ()


class FlavorKeeping:
    """Use cases about the flavors of projects."""

    def __init__(self, surface: Surface, reaching: Reaching) -> None:
        self._on = surface
        self._reaching = reaching

    async def show(self, actor: Actor, project: str) -> Choice:
        """What a project may use, and what there is besides."""
        await self._on.gate.admit(actor, Right.READ, project)
        return await self._choice(project, Said(await self._on.store.offer(project)))

    async def set(self, actor: Actor, project: str, name: str, texts: Mapping[str, str]) -> Choice:
        """Gives the project a flavor of its own, of sizes as people write them (2, 4G; "none": no limit); what is not
        named stays as it was. Machines that have it get the new size. UserError with what is wrong."""
        await self._on.gate.admit(actor, Right.READ, project)
        await self._on.gate.admit(actor, Right.INSTALLATION, "", f"flavor {name} of {project}")
        check_name("flavor", name, _NAME)
        flavors = self._flavors()
        before = (await flavors.offer(project)).own.get(name)
        if before is None and not texts:
            raise UserError(
                "a flavor has a size", code="bad-amount", hint="terrace flavor set NAME cpu=2 memory=4G"
            )
        sizes = {one: _amount(one, text) for one, text in texts.items()}
        flavor = msgspec.structs.replace(before or Flavor(), **sizes)
        return await self._said(project, await flavors.set(project, name, flavor))

    async def remove(self, actor: Actor, project: str, name: str, *, force: bool = False) -> Choice:
        """Takes a flavor of its own from the project. NotFoundError; ConflictError while stacks use it, unless `force`:
        what stands keeps its size."""
        await self._on.gate.admit(actor, Right.READ, project)
        await self._on.gate.admit(actor, Right.INSTALLATION, "", f"flavor {name} of {project}: remove")
        return await self._said(project, await self._flavors().remove(project, name, force=force))

    async def allow(self, actor: Actor, project: str, names: Iterable[str] | None) -> Choice:
        """The project may use these flavors alone from now on (None: whatever there is). What stands stays. UserError
        for names that mean nothing."""
        wanted = None if names is None else tuple(dict.fromkeys(names))
        said = "all" if wanted is None else ", ".join(wanted) or "none"
        await self._on.gate.admit(actor, Right.READ, project)
        await self._on.gate.admit(actor, Right.INSTALLATION, "", f"project {project} may use flavors: {said}")
        flavors = self._flavors()
        if wanted is not None:
            self._check_known(wanted, await flavors.offer(project))
        return await self._said(project, await flavors.allow(project, wanted))

    # --- inside

    def _check_known(self, names: tuple[str, ...], offer: Offer) -> None:
        drivers = self._on.controller.drivers.values()
        known = {name for one in drivers for name in one.capabilities.catalogue.flavors} | offer.own.keys()
        if strange := [name for name in names if name not in known]:
            shown = ", ".join(f'"{name[:80]}"' for name in strange[:5]) + (" and more" if strange[5:] else "")
            close = difflib.get_close_matches(strange[0], sorted(known), 1)
            raise UserError(
                f"no provider, and not the project, has a flavor {shown}",
                code=UNKNOWN_FLAVOR,
                hint=f'did you mean "{close[0]}"?' if close else "terrace flavor list",
            )

    async def _said(self, project: str, said: Said) -> Choice:
        for stack in await self._on.store.stacks(project):
            self._on.controller.wake(stack.id)
        return await self._choice(project, said)

    async def _choice(self, project: str, said: Said) -> Choice:
        may = await self._reaching.of(project)
        offer = said.offer
        offered = {
            name: one.capabilities.catalogue.flavors
            for name, one in sorted(self._on.controller.drivers.items())
            if may(name, "")
        }
        own = [
            _line(name, "", one, offer, tuple(at for at, flavors in offered.items() if name in flavors))
            for name, one in sorted(offer.own.items())
        ]
        rest = [
            _line(name, at, one, offer)
            for at, flavors in offered.items()
            for name, one in sorted(flavors.items())
            if name not in offer.own
        ]
        return Choice(project, offer.allowed, (*own, *rest), said.used_by)

    def _flavors(self) -> Flavors:
        if self._on.flavors is None:
            raise NotFoundError("this store keeps no flavors of projects")
        return self._on.flavors


def _line(name: str, provider: str, flavor: Flavor, offer: Offer, hides: tuple[str, ...] = ()) -> FlavorLine:
    sizes = (flavor.cpu, flavor.memory, flavor.disk, flavor.pids)
    return FlavorLine(name, provider, *sizes, offer.lets(name), hides)


def _amount(field: str, text: str) -> float | int:
    if field not in FIELDS:
        raise UserError(
            f'a flavor says nothing of "{field[:40]}"',
            code="unknown-resource",
            hint=f"one of {', '.join(FIELDS)}",
        )
    if text.strip().lower() == NONE:
        return 0
    try:
        amount = _pids(text) if field == "pids" else parse(field, text)
    except ValueError as error:
        raise UserError(
            str(error), code="bad-amount", hint="terrace flavor set NAME cpu=2 memory=4G"
        ) from error
    if not amount:
        raise UserError(
            f"{field}: with 0 there is nothing",
            code="bad-amount",
            hint=f"{field}=none for as much as there is",
        )
    return amount / 1000 if field == "cpu" else amount


def _pids(text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > 10 or int(text) > PIDS_MOST:
        raise ValueError(f'pids: "{text[:40]}" is not an amount; write for example pids=512')
    return int(text)
