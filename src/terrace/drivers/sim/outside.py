"""What others do at a simulated provider behind Terrace's back."""

from __future__ import annotations

from typing import Any

from terrace.drivers.sim.thing import Thing
from terrace.drivers.sim.world import Entry, World
from terrace.model.seen import Owner
from terrace.ports.clock import Clock

KILLED = 137


class Outside:
    """Accidents and other people. Each act is in the world's diary and gives those who watch a hint."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    def stop(self, provider_id: str, exit_code: int = 0) -> None:
        """The machine's main program ends."""
        self._change(provider_id, state="exited", exit_code=exit_code, finished=self._clock.now())

    def pause(self, provider_id: str) -> None:
        """The machine is frozen."""
        self._change(provider_id, state="paused")

    def alter(self, provider_id: str, **properties: Any) -> None:
        """Properties (as the provider shows them: memory, networks, ...) are changed by hand."""
        thing = self._world.things[provider_id]
        self._change(provider_id, properties={**thing.properties, **properties})

    def sicken(self, provider_id: str, sick: bool = True) -> None:
        """Health checks of the machine fail (or pass again)."""
        self._change(provider_id, sick=sick)

    def remove(self, provider_id: str) -> None:
        """It is taken away, whatever stands on it."""
        self._world.vanish(self._world.things[provider_id], self._clock.now())

    def reboot(self) -> None:
        """Every running or paused machine is stopped at once."""
        for thing in list(self._world.things.values()):
            if thing.kind == "Machine" and thing.state in ("running", "paused"):
                self.stop(thing.provider_id, KILLED)

    def plant(self, kind: str, spec: Any, owner: Owner | None = None) -> Thing:
        """Somebody else makes a thing (`owner`: with a label, as another installation would)."""
        world = self._world
        thing = world.create(kind, owner, spec, self._clock.now())
        world.diary[-1] = Entry(thing.created, "outside", kind, thing.provider_id, owner)
        if kind == "Machine":
            thing.parts |= {"files", "start"}
            world.change(thing, thing.created, state="running")
        world.hint(thing.provider_id)
        return thing

    def _change(self, provider_id: str, **state: Any) -> None:
        thing = self._world.things[provider_id]
        self._world.change(thing, self._clock.now(), **state)
        self._world.diary.append(Entry(self._clock.now(), "outside", thing.kind, provider_id, thing.owner))
        self._world.hint(provider_id)
