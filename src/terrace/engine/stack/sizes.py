"""Which sizes the machines of a stack may have, by the flavors that its project may use. What stands keeps the flavor
and the size that it has; only what is new, or is to be another, must be allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from terrace.engine.stack.state import Live, StackState
from terrace.errors import SpecError
from terrace.model.catalogue import Flavor, Offer
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.placement import FlavorSpec
from terrace.model.spec.quota import shown
from terrace.model.value import Unknown
from terrace.ports.driver import Capabilities

SIZES = ("cpu", "memory", "disk")
"""What must fit: processes are a matter of the flavor alone."""
BARRED = "flavor-not-allowed"
UNKNOWN_FLAVOR = "unknown-flavor"
STOOD = "stood"
"""What a record's memory calls the size of the incarnation before."""
SIZED = frozenset({"Machine", "Flavor"})


def offered(state: StackState, offer: Offer) -> None:
    """Takes in which flavors the project may use: what has a size is worked out anew when that has changed."""
    if offer == state.offer:
        return
    state.offer = offer
    for path, live in state.lives.items():
        if live.node is not None and live.node.kind in SIZED:
            live.stale = True
            state.agenda.touch(path)


def known(
    state: StackState, live: Live, values: Mapping[str, Any], capabilities: Capabilities
) -> Capabilities:
    """What the provider can do, with the flavors of the project in its catalogue, and with the one that the life stands
    with where that is not to be had any more."""
    if live.node is None or live.node.kind != "Machine":
        return capabilities
    flavors, name = state.offer.own, values.get("flavor")
    if isinstance(name, str) and name:
        there = name in flavors or name in capabilities.catalogue.flavors
        stands = None if there and state.offer.lets(name) else _stands(live, name)
        if stands is not None:
            flavors = {**flavors, name: stands}
    return with_flavors(capabilities, flavors)


def with_flavors(capabilities: Capabilities, flavors: Mapping[str, Flavor]) -> Capabilities:
    """The same with `flavors` besides, before those of the same names."""
    if not flavors:
        return capabilities
    catalogue = capabilities.catalogue
    return replace(capabilities, catalogue=replace(catalogue, flavors={**catalogue.flavors, **flavors}))


def check(state: StackState, live: Live, spec: Any, capabilities: Capabilities) -> None:
    """SpecError when the project may not have what a spec asks for, as far as that is known."""
    offer, project = state.offer, state.stack.project
    if offer.allowed is None or not isinstance(spec, MachineSpec | FlavorSpec):
        return
    name = spec.flavor if isinstance(spec, MachineSpec) else ""
    sizes = [getattr(spec, size) for size in SIZES]
    if any(isinstance(one, Unknown) for one in (name, *sizes)) or _same(live, name, sizes):
        return
    allowed = offer.within(_catalogue(state, spec, capabilities))
    if name and name not in allowed:
        raise SpecError(
            barred(name, project),
            code="flavor-not-allowed",
            hint=advice(name, allowed, project, capabilities.catalogue.flavors.get(name)),
        )
    own = allowed.get(name)
    if own is not None and sizes == [getattr(own, size) for size in SIZES]:
        return
    if not any(_fits(sizes, one) for one in allowed.values()):
        asks = ", ".join(_size(size, one) for size, one in zip(SIZES, sizes, strict=True))
        raise SpecError(
            f'asks for {asks}, which is more than any flavor that project "{project}" may use',
            code="flavor-not-allowed",
            hint=f"name one of {', '.join(sorted(allowed)) or 'none'}: {listing(project)}",
        )


def barred(name: str, project: str) -> str:
    """What to say of a flavor that a project may not use."""
    return f'asks for flavor "{name}", which project "{project}" may not use'


def listing(project: str) -> str:
    """The command that shows what a project may use."""
    return f"terrace flavor list --project {project}"


def advice(name: str, allowed: Mapping[str, Flavor], project: str, wanted: Flavor | None = None) -> str:
    """Which flavor somebody may have meant, or which of those that are allowed is nearest to the one that was `wanted`;
    and where to look."""
    if wanted is not None and allowed:
        return f'the nearest that it may use is "{_nearest(wanted, allowed)}" ({listing(project)})'
    close = difflib.get_close_matches(name, sorted(allowed), 1, 0.5)
    return f'did you mean "{close[0]}"? ({listing(project)})' if close else listing(project)


def _nearest(wanted: Flavor, allowed: Mapping[str, Flavor]) -> str:
    """The smallest that holds as much, else the largest."""

    def size(name: str) -> tuple[float, float, float, str]:
        one = allowed[name]
        return (one.memory or math.inf, one.cpu or math.inf, one.disk or math.inf, name)

    amounts = [getattr(wanted, part) for part in SIZES]
    holding = [name for name, one in allowed.items() if _fits(amounts, one)]
    return min(holding, key=size) if holding else max(allowed, key=size)


def _catalogue(state: StackState, spec: Any, capabilities: Capabilities) -> Mapping[str, Flavor]:
    """The flavors that there are where a spec goes; one that a template defines goes wherever its machines do."""
    if isinstance(spec, MachineSpec):
        return capabilities.catalogue.flavors
    every = state.rules.capabilities.values()
    return {name: one for able in every for name, one in able.catalogue.flavors.items()}


def _fits(sizes: list[Any], flavor: Flavor) -> bool:
    limits = [getattr(flavor, size) for size in SIZES]
    return all(not limit or 0 < one <= limit for one, limit in zip(sizes, limits, strict=True))


def _size(name: str, amount: float) -> str:
    if not amount:
        return f"{name} without a limit"
    return f"{name} {shown(name, round(amount * 1000) if name == 'cpu' else int(amount))}"


def kept(live: Live) -> dict[str, Any]:
    """What the record of the next incarnation remembers of how the life stood, until it stands itself."""
    for form in _standing(live):
        return {STOOD: {name: form[name] for name in ("flavor", *SIZES, "pids") if name in form}}
    return {}


def _standing(live: Live) -> Iterable[Mapping[str, Any]]:
    """How a life stands, or stood before it was to be made anew; newest first."""
    for record in reversed(live.records()):
        form = record.memory.get(STOOD) if record.applied is None else record.applied
        if form is not None and record.kind in SIZED:
            yield form


def _stands(live: Live, name: str) -> Flavor | None:
    """The size with which a machine of that flavor stands."""
    for form in _standing(live):
        if form.get("flavor", "") == name:
            return Flavor(**{size: form.get(size, 0) for size in (*SIZES, "pids")})
    return None


def _same(live: Live, name: str, sizes: list[Any]) -> bool:
    """Whether it stands just so."""
    return any(
        form.get("flavor", "") == name and sizes == [form.get(size, 0) for size in SIZES]
        for form in _standing(live)
    )
