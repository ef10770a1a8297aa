"""Whether all went well, by what the database, the servers and the providers recorded."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from terrace.client.client import Client
from terrace.drivers.docker.labels import INCARNATION, INSTALLATION, UID
from terrace.drivers.sim.remote.driver import RemoteSimDriver
from terrace.drivers.sim.settings import SimSettings
from tests.real.engines.member import until
from tests.real.engines.people import NAMES, REAL, SIMULATED
from tests.real.engines.rig import Fleet


def judge(made: Fleet, client: Client, acknowledged: dict[str, int]) -> None:
    """What was acknowledged is there and stands, and nothing is doubled."""

    def settled() -> bool:
        found = [client.stacks.get(name) for name in NAMES]
        return all(one["phase"] == "settled" and one["settled"] == one["generation"] for one in found)

    until(settled, 120, lambda: f"all settle: {[client.stacks.get(name)['why'] for name in NAMES]}")
    for name, number in acknowledged.items():
        assert client.stacks.get(name)["generation"] >= number, f"generation {number} of {name} is lost"
    assert_simulated(made, client)
    assert_containers(made, client)


def judge_writes(made: Fleet) -> None:
    """Epochs only rose, and no engine wrote under another's lease."""
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


def assert_simulated(made: Fleet, client: Client) -> None:
    """Nothing was made twice, nothing touched that was not ours, and what stands is what is wanted."""
    world, ours = look(made), client.version()["installation"]
    assert world["duplicates"] == []
    assert world["violations"] == []
    there = {
        seen.provider_id
        for seen in world["things"]
        if seen.kind == "Machine" and seen.owner.installation == ours
    }
    assert there == machines(client, SIMULATED)


def assert_containers(made: Fleet, client: Client) -> None:
    """The same of Docker: at no moment were there two containers for one machine."""
    wanted, ours = machines(client, REAL), client.version()["installation"]

    def there(*which: str) -> set[str]:
        label = f"label={INSTALLATION}={ours}"
        return set(made.docker.cli("ps", "--quiet", "--no-trunc", "--filter", label, *which).split())

    until(lambda: there() == wanted, 20, lambda: f"just what is wanted runs: {there() ^ wanted}")
    assert there("--all") == wanted
    alive: dict[tuple[str, str], set[str]] = {}
    newest: dict[str, int] = {}
    for what, container, uid, incarnation in happened(made, ours):
        of_it = alive.setdefault((uid, incarnation), set())
        if what == "create":
            of_it.add(container)
            assert len(of_it) == 1, f"incarnation {incarnation} of {uid} was made again while it was there"
            assert int(incarnation) >= newest.get(uid, 0), f"{uid} went back to incarnation {incarnation}"
            newest[uid] = int(incarnation)
        else:
            of_it.discard(container)
    assert set().union(*alive.values()) == wanted


def happened(made: Fleet, installation: str) -> Iterator[tuple[str, str, str, str]]:
    """What was created and destroyed in Docker: which, the container, uid and incarnation of its machine."""
    for line in (made.folder / "containers").read_text().splitlines():
        event = json.loads(line)
        labels = event["Actor"]["Attributes"]
        if event["Action"] in ("create", "destroy") and labels.get(INSTALLATION) == installation:
            yield event["Action"], event["id"], labels[UID], labels[INCARNATION]


def removals(made: Fleet, client: Client) -> list[str]:
    """What was taken away by us, ever: ids of both providers."""
    ours = client.version()["installation"]
    simulated = [
        entry.provider_id
        for entry in look(made)["diary"]
        if entry.what == "delete" and entry.owner is not None and entry.owner.installation == ours
    ]
    return simulated + [container for what, container, *_ in happened(made, ours) if what == "destroy"]


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
