"""100 containers beside a bare loop over the engine's API, and how fast what was killed stands again."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError

from bench import shapes
from bench.engine import Engine, private_engine
from bench.row import Row, compared
from bench.server import BenchError, running

COUNT, RUNS, HURT = 100, 3, 15
CONCURRENCIES = (4, 8, 16)
PATIENCE = 20.0
LOOP = "aiodocker loop"


def updown() -> list[Row]:
    """100 machines up and down; the bare loop runs at its best concurrency, ours and it in turns."""
    needs = dict.fromkeys((f"m{number}" for number in range(COUNT)), ())
    ups, downs, bare = [], [], []
    with private_engine() as engine, running(_settings(engine)) as server:
        tried = {width: _bare(engine, width) for width in CONCURRENCIES}
        up_width = min(tried, key=lambda width: tried[width][0])
        down_width = min(tried, key=lambda width: tried[width][1])
        template = server.write("machines.yaml", shapes.machines(COUNT, engine.image))
        for run in range(RUNS):
            bare.append(_bare(engine, up_width, down_width))
            ups.append(server.up(template, f"machines-{run}", needs))
            _count(engine, COUNT)
            downs.append(server.run("down", f"machines-{run}", "--yes"))
            _count(engine, 0)
    goal = "at most 1.15 times"
    made, removed = ([pair[part] for pair in bare] for part in (0, 1))
    return [
        compared("docker-up-100", ups, made, f"{LOOP}, {up_width} at once", 1.15, goal),
        compared("docker-down-100", downs, removed, f"{LOOP}, {down_width} at once", 1.15, goal),
    ]


def heal() -> list[Row]:
    """From `docker kill`, and `docker rm -f`, of a machine until one runs again."""
    needs = dict.fromkeys((f"m{number}" for number in range(HURT)), ())
    with private_engine() as engine, running(_settings(engine)) as server:
        server.up(server.write("machines.yaml", shapes.machines(HURT, engine.image)), "machines", needs)
        kills = [asyncio.run(_hurt(engine, name, "kill")) for name in needs]
        removals = [asyncio.run(_hurt(engine, name, "delete")) for name in needs]
        starts, creates = asyncio.run(_bare_starts(engine))
    return [
        _healing("heal-killed", kills, starts, "bare start"),
        _healing("heal-removed", removals, creates, "bare create and start"),
    ]


def _settings(engine: Engine) -> str:
    return f'[providers.local]\ndriver = "docker"\nhost = "unix://{engine.socket}"\n'


def _healing(name: str, ours: list[float], bare: list[float], beside: str) -> Row:
    row = compared(name, ours, bare, beside, None, "at most 150 ms more")
    more = (row.ours - statistics.median(bare)) * 1000
    # The goal is a difference; as a ratio it is one bound for these very figures.
    return row._replace(limit=1 + 0.15 / statistics.median(bare), note=f"{more:+.0f} ms")


# -- the bare loop ---------------------------------------------------------------------------------


def body(image: str, network: str) -> dict[str, Any]:
    """What Terrace asks of the engine for such a machine, without its labels. `network` is one of its own, as a stack
    has it: only on such a one do machines find each other by name."""
    memory = 64 * 1024**2
    host = {
        "NetworkMode": network,
        "CpuPeriod": 100_000,
        "RestartPolicy": {"Name": "no"},
        "SecurityOpt": ["no-new-privileges"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "5m", "max-file": "2"}},
        "Memory": memory,
        "MemorySwap": memory,
    }
    return {"Image": image, "Cmd": ["sleep", "2147483647"], "StopTimeout": 3, "HostConfig": host}


def _bare(engine: Engine, up_width: int, down_width: int = 0) -> tuple[float, float]:
    """Seconds until 100 containers run on a network of theirs, and until all of that is gone."""
    return asyncio.run(_loop(engine, up_width, down_width or up_width))


async def _loop(engine: Engine, up_width: int, down_width: int) -> tuple[float, float]:
    async with Docker(url=f"unix://{engine.socket}") as docker:
        made: list[Any] = []
        name = f"bare-{uuid.uuid4().hex[:8]}"

        async def make(number: int) -> None:
            container = await docker.containers.create(body(engine.image, name), name=f"bare-{number}")
            made.append(container)
            await container.start()

        began = time.perf_counter()
        network = await docker.networks.create({"Name": name})
        await _spread(up_width, [partial(make, number) for number in range(COUNT)])
        up, began = time.perf_counter() - began, time.perf_counter()
        await _spread(down_width, [partial(one.delete, force=True, v=True) for one in made])
        try:
            await network.delete()
        except (
            DockerError
        ) as refused:  # old engines lose count now and then: Terrace would have it reaped later
            print(f"  the loop's network stays: {refused.message}", flush=True)
        return up, time.perf_counter() - began


async def _spread(width: int, work: list[Callable[[], Awaitable[Any]]]) -> None:
    """All of `work`, `width` at once."""
    room = asyncio.Semaphore(width)

    async def one(job: Callable[[], Awaitable[Any]]) -> None:
        async with room:
            await job()

    await asyncio.gather(*map(one, work))


async def _bare_starts(engine: Engine) -> tuple[list[float], list[float]]:
    """Seconds of starting a container that was killed, and of creating and starting one."""
    starts, creates = [], []
    async with Docker(url=f"unix://{engine.socket}") as docker:
        network = await docker.networks.create({"Name": "bare"})
        for number in range(HURT):
            began = time.perf_counter()
            container = await docker.containers.create(body(engine.image, "bare"), name=f"bare-{number}")
            await container.start()
            creates.append(time.perf_counter() - began)
            await container.kill()
            await container.wait()
            began = time.perf_counter()
            await container.start()
            starts.append(time.perf_counter() - began)
            await container.delete(force=True)
        await network.delete()
    return starts, creates


# -- ours ------------------------------------------------------------------------------------------


def _count(engine: Engine, wanted: int) -> None:
    found = len(engine.docker("ps", "--quiet").split())
    if found != wanted:
        raise BenchError(f"{found} containers run, not {wanted}")


async def _hurt(engine: Engine, path: str, verb: str) -> float:
    """Seconds from hurting the container of `path` until the engine runs one for it again, by its own clock."""
    async with Docker(url=f"unix://{engine.socket}") as docker:
        label = {"label": [f"terrace.path={path}"]}
        (victim,) = await docker.containers.list(filters=label)
        before = (await victim.show())["State"]["StartedAt"]
        began = time.time()
        await (victim.kill() if verb == "kill" else victim.delete(force=True))
        while time.time() < began + PATIENCE:
            for found in await docker.containers.list(filters=label):
                started = (await found.show())["State"]["StartedAt"]
                if started > before:
                    return _epoch(started) - began
            await asyncio.sleep(0.02)
    raise BenchError(f"{path} was hurt ({verb}) and did not stand again within {PATIENCE:.0f} s")


def _epoch(stamp: str) -> float:
    """Seconds of a time as the engine writes it, in nanoseconds."""
    whole, _, rest = stamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{rest or 0}")
