"""What the drivers declare, as they are without settings."""

from __future__ import annotations

from typing import Any


def declared() -> dict[str, Any]:
    """Capabilities by what a page calls the provider."""
    return {"Docker": docker(), "Simulated": simulated()}


def docker() -> Any:
    """Those of Docker."""
    from terrace.drivers.docker.driver import DockerDriver
    from terrace.drivers.docker.settings import DockerSettings
    from terrace.runtime.system import SystemClock

    return DockerDriver(DockerSettings(), clock=SystemClock()).capabilities


def simulated() -> Any:
    """Those of the simulated provider."""
    from terrace.drivers.sim.driver import SimDriver
    from terrace.drivers.sim.world import World
    from terrace.runtime.system import SystemClock

    return SimDriver(World(), SystemClock()).capabilities
