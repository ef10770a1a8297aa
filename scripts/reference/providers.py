"""What the drivers declare, with everything on that their settings can switch on."""

from __future__ import annotations

from typing import Any

SWITCHES = {"floating_pool": "198.51.100.0/24"}
"""Settings of Docker without which it offers less."""


def declared() -> dict[str, Any]:
    """Capabilities by what a page calls the provider."""
    return {"Docker": docker(), "Simulated": simulated()}


def docker() -> Any:
    """Those of Docker."""
    from terrace.drivers.docker.driver import DockerDriver
    from terrace.drivers.docker.settings import DockerSettings
    from terrace.runtime.system import SystemClock

    switches = {name: value for name, value in SWITCHES.items() if name in DockerSettings.__struct_fields__}
    return DockerDriver(DockerSettings(**switches), clock=SystemClock()).capabilities


def simulated() -> Any:
    """Those of the simulated provider."""
    from terrace.drivers.sim.driver import SimDriver
    from terrace.drivers.sim.world import World
    from terrace.runtime.system import SystemClock

    return SimDriver(World(), SystemClock()).capabilities
