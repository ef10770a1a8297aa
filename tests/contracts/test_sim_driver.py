"""The simulated provider keeps the contract of a driver, in each of its create_once modes."""

from __future__ import annotations

import pytest

from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.drivers.sim.outside import Outside
from terrace.drivers.sim.settings import SimSettings
from terrace.drivers.sim.world import World
from terrace.model.spec import ImageSpec, MachineSpec
from terrace.model.step import Step, Verb
from terrace.ports.driver import CreateOnce
from tests.contracts.driver_contract import DriverContract
from tests.contracts.rig import Rig, SteppingClock

MODES = list(CreateOnce)
WEATHERS = {
    "calm": Faults(),
    "slow": Faults(latency={"*": (0.01, 0.5)}, work={"Machine": 3.0, "Volume": 0.5}),
    "blurred": Faults(latency={"*": (0.0, 0.1)}, lag=2.0),
}


class SimRig(Rig):
    """A world without any other inhabitants."""

    image = "debian-12"

    def __init__(self, create_once: CreateOnce, faults: Faults) -> None:
        super().__init__()
        self.world = World(1, create_once)
        self.world.faults = faults
        self.clock = SteppingClock()
        self.driver: SimDriver = SimDriver(self.world, self.clock, SimSettings(lag=faults.lag))
        self.outside = Outside(self.world, self.clock)

    async def stop(self, provider_id: str) -> None:
        self.outside.stop(provider_id)

    async def pause(self, provider_id: str) -> None:
        self.outside.pause(provider_id)

    async def remove(self, provider_id: str) -> None:
        self.outside.remove(provider_id)

    async def foreign(self) -> str:
        return self.outside.plant("Machine", MachineSpec("stray", "debian-12")).provider_id

    def refused(self) -> Step:
        rule = Rule(Trouble.REFUSED, kind="Image")
        self.world.faults = Faults(rules=(rule,))
        return self.step(Verb.CREATE, "Image", self.owner(), ImageSpec("no-such-image"))


@pytest.fixture(
    params=[(mode, weather) for mode in MODES for weather in WEATHERS], ids=lambda p: f"{p[0]}-{p[1]}"
)
def rig(request: pytest.FixtureRequest) -> SimRig:
    mode, weather = request.param
    return SimRig(mode, WEATHERS[weather])


class TestSimDriver(DriverContract):
    """All of it."""
