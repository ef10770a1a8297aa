"""The simulated provider keeps the contract behind a socket as well, where several servers can reach it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.drivers.sim.remote.driver import RemoteSimDriver
from terrace.drivers.sim.remote.server import WorldServer
from terrace.drivers.sim.settings import SimSettings
from terrace.errors import LeaseLostError, TransientError
from terrace.model.spec import ImageSpec, MachineSpec
from terrace.model.step import Step, Verb
from tests.contracts.driver_contract import DriverContract
from tests.contracts.rig import CountingFence, Rig, SteppingClock


class SocketRig(Rig):
    """A world behind a socket, in this process."""

    image = "debian-12"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.clock = SteppingClock()
        self.settings = SimSettings(socket=str(path))
        self.server = WorldServer(self.settings, self.clock)
        self.remote = RemoteSimDriver(self.settings)
        self.driver = self.remote

    async def stop(self, provider_id: str) -> None:
        await self.remote.outside("stop", provider_id)

    async def pause(self, provider_id: str) -> None:
        await self.remote.outside("pause", provider_id)

    async def remove(self, provider_id: str) -> None:
        await self.remote.outside("remove", provider_id)

    async def foreign(self) -> str:
        planted = await self.remote.outside("plant", "Machine", MachineSpec("stray", "debian-12"))
        assert planted is not None
        return planted

    def refused(self) -> Step:
        self.server.world.faults = Faults(rules=(Rule(Trouble.REFUSED, kind="Image"),))
        return self.step(Verb.CREATE, "Image", self.owner(), ImageSpec("no-such-image"))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[SocketRig]:
    made = SocketRig(tmp_path / "sim.sock")
    ready = asyncio.Event()
    serving = asyncio.create_task(made.server.serve(made.settings.socket, ready.set))
    await ready.wait()
    yield made
    await made.remote.close()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


class TestSimBehindASocket(DriverContract):
    """All of it."""


async def test_two_servers_see_one_world_and_what_is_wrong_with_it(rig: SocketRig) -> None:
    other = RemoteSimDriver(rig.settings)
    _, seen = await rig.make()
    assert [one.provider_id for one in (await other.observe("home-installation", ())).items] == [
        seen.provider_id
    ]
    await other.set_faults(Faults(rules=(Rule(Trouble.BROKEN, verb="list"),)))
    with pytest.raises(TransientError):
        await rig.driver.observe("home-installation", ())
    looked = await other.look()
    assert [entry.what for entry in looked["diary"]] == ["create"]
    assert looked["requests"]["create"] == 1
    await other.close()


async def test_the_lease_is_asked_for_where_it_is_held(rig: SocketRig) -> None:
    fence = CountingFence(1)
    with pytest.raises(LeaseLostError):
        await rig.driver.apply(rig.create(), fence)
    assert fence.checks == 2
    assert rig.server.world.requests["start"] == 0


async def test_nobody_answers(tmp_path: Path) -> None:
    driver = RemoteSimDriver(SimSettings(socket=str(tmp_path / "none")))
    with pytest.raises(TransientError, match="no simulated provider"):
        await driver.observe("home-installation", ())
