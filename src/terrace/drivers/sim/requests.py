"""One request to a simulated provider: it takes time, can fail before and after the provider acts, and can be
struck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from terrace.drivers.sim.faults import AFTER, BEFORE, ON_CREATE, ON_LIST, Point, Rule, Trouble
from terrace.drivers.sim.world import NameTakenError, World
from terrace.errors import PermanentError, TerraceError, TransientError
from terrace.ports.clock import Clock
from terrace.ports.driver import Fence

T = TypeVar("T")
Checkpoint = Callable[[str, str, str], None]


@runtime_checkable
class DistantFence(Protocol):
    """A fence whose lease is held by another process, which has to be asked."""

    async def ask(self, timeout: float) -> None:
        """As Fence.check."""


POSSIBLE = {"create": ON_CREATE, "list": BEFORE}


class Wire:
    """The connection of one driver to its world. `checkpoint(verb, kind, point)`, if set, is called before
    and after the provider acts in every request: a simulator that ends the process there raises from it."""

    def __init__(self, world: World, clock: Clock, timeout: float, checkpoint: Checkpoint | None) -> None:
        self.world = world
        self.clock = clock
        self.timeout = timeout
        self.checkpoint = checkpoint

    async def change(self, verb: str, kind: str, fence: Fence, act: Callable[[float], T]) -> T:
        """Has the provider do `act(now)`, guarded by `fence`. TransientError, PermanentError,
        LeaseLostError."""
        if isinstance(fence, DistantFence):
            await fence.ask(self.timeout)
        else:
            fence.check(self.timeout)
        return await self.ask(verb, kind, act)

    async def ask(self, verb: str, kind: str, act: Callable[[float], T]) -> T:
        """As `change`, for requests that change nothing."""
        world = self.world
        world.requests[verb] += 1
        if self.checkpoint is None and world.weather.calm:
            return act(self.clock.now())
        half = world.weather.delay(verb) / 2
        if half:
            await self.clock.sleep(half)
        self._strike_kill(verb, kind, Point.BEFORE)
        now = self.clock.now()
        world.weather.catch_up(now)
        if world.weather.down_until > now:
            world.weather.count(verb, kind, Trouble.DOWN, Point.BEFORE)
            raise TransientError("the provider does not answer")
        self._fail(world.weather.strike(verb, kind, Point.BEFORE, POSSIBLE.get(verb, BEFORE)), act)
        result = act(now)
        self._strike_kill(verb, kind, Point.AFTER)
        if half:
            await self.clock.sleep(half)
        self._fail(world.weather.strike(verb, kind, Point.AFTER, ON_LIST if verb == "list" else AFTER), act)
        return result

    def _strike_kill(self, verb: str, kind: str, point: Point) -> None:
        if self.checkpoint is not None:
            self.checkpoint(verb, kind, point.value)

    def _fail(self, rule: Rule | None, act: Callable[[float], object]) -> None:
        match rule.trouble if rule else None:
            case None:
                return
            case Trouble.THROTTLED:
                raise TransientError("too many requests", retry_after=rule.seconds if rule else None)
            case Trouble.CONFLICT:
                raise TransientError("something else works on it", code="conflict")
            case Trouble.REFUSED:
                raise PermanentError("the provider refuses")
            case Trouble.PARTIAL:
                raise TransientError("the listing broke off half-way")
            case Trouble.LATE:
                due = self.clock.now() + (rule.seconds if rule else 0.0)
                self.world.weather.later(due, lambda at: self._attempt(act, at))
                raise TransientError("no answer came in time")
            case Trouble.LOST:
                raise TransientError("the connection broke off")
            case _:
                raise TransientError("internal error of the provider")

    def _attempt(self, act: Callable[[float], object], at: float) -> None:
        """What is carried out late can fail late, and nobody hears of it."""
        world, before = self.world, len(self.world.diary)
        try:
            act(at)
        except (TerraceError, NameTakenError):
            return
        world.late |= {entry.provider_id for entry in world.diary[before:]}
