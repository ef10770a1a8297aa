"""Whether all went well, by what the database, the servers and the providers recorded."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from terrace.client.client import Client
from terrace.drivers.docker.labels import INCARNATION, INSTALLATION, UID
from terrace.drivers.sim.remote.driver import RemoteSimDriver
from terrace.drivers.sim.settings import SimSettings
from tests.real.engines.member import until
from tests.real.engines.people import NAMES, REAL, SIMULATED
from tests.real.engines.rig import Fleet


def judge(made: Fleet, acknowledged: dict[str, int]) -> None:
    """Nothing acknowledged is lost, nothing is doubled, and no engine wrote what was another's."""
    client = made.members["a1"].client
    await_settled(client)
    for name, number in acknowledged.items():
        assert client.stacks.get(name)["generation"] >= number, f"generation {number} of {name} is lost"
    epochs: dict[str, int] = {}
    for scope, epoch in made.ask("SELECT scope, epoch FROM lease_log ORDER BY id"):
        assert epoch >= epochs.get(scope, 0), f"the epoch of {scope} fell"
        epochs[scope] = epoch
    names = {member.address: member.name for member in made.members.values()}
    writes = Counter(made.ask("SELECT holder, address FROM write_log WHERE address IS NOT NULL"))
    assert writes.total() > len(NAMES)
    for holder, address in writes:
        assert holder.rpartition("-")[0] == names[address], (
            f"{names[address]} wrote under the lease of {holder}"
        )
    assert_simulated(made, client)
    assert_containers(made, client)


def await_settled(client: Client) -> None:
    """Every stack is as wanted."""

    def settled() -> bool:
        found = [client.stacks.get(name) for name in NAMES]
        return all(one["phase"] == "settled" and one["settled"] == one["generation"] for one in found)

    until(settled, 120, lambda: f"all settle: {[client.stacks.get(name)['why'] for name in NAMES]}")


def assert_simulated(made: Fleet, client: Client) -> None:
    """Nothing was made twice, nothing touched that was not ours, and what stands is what is wanted."""
    world = look(made)
    assert world["duplicates"] == []
    assert world["violations"] == []
    assert {seen.provider_id for seen in world["things"] if seen.kind == "Machine"} == machines(
        client, SIMULATED
    )


def assert_containers(made: Fleet, client: Client) -> None:
    """The same of Docker: at no moment were there two containers for one machine."""
    wanted = machines(client, REAL)

    def there() -> set[str]:
        label = f"label={INSTALLATION}"
        return set(made.docker.cli("ps", "--quiet", "--no-trunc", "--filter", label).split())

    until(lambda: there() == wanted, 20, lambda: f"just what is wanted runs: {there() ^ wanted}")
    assert len(made.docker.cli("ps", "--all", "--quiet").split()) == len(wanted)
    alive: dict[str, set[str]] = {}
    changes = Counter[str]()
    for line in (made.folder / "containers").read_text().splitlines():
        event = json.loads(line)
        labels = event["Actor"]["Attributes"]
        if event["Action"] not in ("create", "destroy") or UID not in labels:
            continue
        changes[event["Action"]] += 1
        of_it = alive.setdefault(labels[UID], set())
        if event["Action"] == "destroy":
            of_it.discard(event["id"])
            continue
        of_it.add(event["id"])
        assert len(of_it) == 1, f"{labels[UID]} was made again ({labels[INCARNATION]}) while it was there"
    assert set().union(*alive.values()) == wanted
    assert changes["destroy"], "no container was ever taken away: the test does nothing"


def machines(client: Client, names: tuple[str, ...]) -> set[str]:
    """The provider's ids of all machines of the stacks."""
    return {
        one["provider_id"]
        for name in names
        for one in client.views.resources(name)
        if one["kind"] == "Machine"
    }


def look(made: Fleet) -> dict[str, Any]:
    """What the simulated provider recorded."""

    async def ask() -> dict[str, Any]:
        driver = RemoteSimDriver(SimSettings(socket=str(made.folder / "sim.sock")))
        try:
            return await driver.look()
        finally:
            await driver.close()

    return asyncio.run(ask())
