"""A simulated provider as a process: python -m terrace.drivers.sim.remote --socket PATH [SETTING=VALUE ...]

SETTING=VALUE are those of a provider of the driver sim, in TOML: latency=[0.05,0.2] create_once='"none"'. It prints one
line when it is ready, and ends with SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
import tomllib

import msgspec

from terrace.drivers.sim.remote.server import WorldServer
from terrace.drivers.sim.settings import SimSettings


class WallClock:
    """The computer's time."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Comes back after `seconds`."""
        await asyncio.sleep(seconds)


async def run(socket: str, settings: SimSettings) -> None:
    """Serves until SIGTERM."""

    def ready() -> None:
        sys.stdout.write(f"at {socket}\n")
        sys.stdout.flush()

    serving = asyncio.ensure_future(WorldServer(settings, WallClock()).serve(socket, ready))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return


def main(arguments: list[str]) -> int:
    """Its exit code."""
    parser = argparse.ArgumentParser(prog="terrace.drivers.sim.remote", description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("settings", nargs="*", metavar="SETTING=VALUE")
    given = parser.parse_args(arguments)
    settings = msgspec.convert(tomllib.loads("\n".join(given.settings)), SimSettings)
    asyncio.run(run(given.socket, settings))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
